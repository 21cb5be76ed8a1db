// What is known of a backend's health, as the pool takes it over.

/// A backend's operational state, its own word, and how much of its weight counts.
public struct BackendCondition: Sendable {
    public let backend: Backend
    public var operational: OperationalState
    public var requested: AdministrativeState
    /// 0 to 100.
    public var weightPercent: Int
    /// Whether it is ejected because it leaves requests waiting.
    public var isSilent = false
}
