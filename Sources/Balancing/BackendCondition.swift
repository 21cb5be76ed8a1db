// What is known of a backend's health, as the pool takes it over.

/// A backend's operational state, its own word, and how much of its weight counts.
public struct BackendCondition: Sendable {
    public let backend: Backend
    public var operational: OperationalState
    public var requested: AdministrativeState
    /// 0 to 100.
    public var weightPercent: Int
}

extension PoolMember {
    /// Whether the pool knows it as that already.
    func isIn(_ condition: BackendCondition) -> Bool {
        state.operational == condition.operational && state.requested == condition.requested
            && weightPercent == condition.weightPercent
    }
}
