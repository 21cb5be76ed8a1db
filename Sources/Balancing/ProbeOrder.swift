// What is asked of whoever makes probes, and what comes back.

/// A probe that is to be made.
public struct ProbeOrder: Sendable {
    /// What it decides.
    public enum Purpose: String, Sendable {
        /// Whether the backend is up.
        case check
        /// Whether an ejected backend may come back.
        case trial
    }

    public let backend: Backend
    public let purpose: Purpose
    /// The path to ask for; nil for a probe that only connects.
    public let path: String?
    /// Whether that path was configured for checks, so that its answer is to be as expected.
    public let isPathConfigured: Bool
    /// The limit, in nanoseconds.
    public let timeout: UInt64
    /// When it was ordered.
    let begun: UInt64
    /// Which life of the check it belongs to: a result of a former one does not count.
    let generation: Int
}

/// How a probe ended.
public struct ProbeOutcome: Sendable, Equatable {
    public var isPassed: Bool
    /// The status of the answer, if there was one.
    public var status: Int?
    /// One sentence: libcurl's where it failed.
    public var text: String
    /// How long it took.
    public var nanoseconds: UInt64
    /// What the backend's answer asks for; nil when there was none.
    public var wish: BackendWish?

    public init(
        isPassed: Bool,
        status: Int? = nil,
        text: String,
        nanoseconds: UInt64,
        wish: BackendWish? = nil
    ) {
        self.isPassed = isPassed
        self.status = status
        self.text = text
        self.nanoseconds = nanoseconds
        self.wish = wish
    }
}

/// What a backend asks for in the answers to its checks.
///
/// Each answer says all of it; what an answer leaves out is taken back.
public struct BackendWish: Sendable, Equatable {
    public var state: AdministrativeState
    /// How much of its weight it wants, in percent: 0 to 100.
    public var weightPercent: Int

    public init(state: AdministrativeState = .ready, weightPercent: Int = 100) {
        self.state = state
        self.weightPercent = weightPercent
    }
}
