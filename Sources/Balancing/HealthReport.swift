// What is known of every backend's health at one time, for people and dashboards.

/// All of it, as a value; times in nanoseconds on the monotonic clock.
public struct HealthReport: Sendable {
    /// When it was made.
    public let time: UInt64
    /// Whether nothing is usable, and all ready backends are used.
    public let isPanic: Bool
    /// Whether active checks are made.
    public let isChecking: Bool
    /// In the order of the pool.
    public let members: [Member]

    /// One backend.
    public struct Member: Sendable {
        public let name: String
        public let state: BackendState
        /// How much of its weight counts: slow start, and its own wish.
        public let weightPercent: Int
        /// The path that its checks ask for; nil for checks that only connect.
        public let checkPath: String?
        /// The present ejection.
        public let ejection: EjectionInReport?
        /// How many ejections it has not been forgiven.
        public let ejectionCount: Int
        /// The latest change of its operational state, or of its own word.
        public let latestChange: HealthEvent?
        /// The latest probes, the newest last.
        public let probes: [ProbeRecord]
    }

    /// An ejection.
    public struct EjectionInReport: Sendable, Equatable {
        public let since: UInt64
        /// From when on a trial may end it.
        public let until: UInt64
        public let reason: EjectionReason
    }
}

/// A probe that was made.
public struct ProbeRecord: Sendable {
    /// How many are kept for each backend.
    static let kept = 20

    /// When it ended.
    public let time: UInt64
    public let purpose: ProbeOrder.Purpose
    public let outcome: ProbeOutcome
}

/// A change that operators want to hear of.
public struct HealthEvent: Sendable, Equatable {
    /// What has changed.
    public enum Change: Sendable, Equatable {
        case operational(from: OperationalState, to: OperationalState)
        /// The backend's own word.
        case wish(BackendWish)
    }

    public let time: UInt64
    public let backend: String
    public let change: Change
    /// One sentence.
    public let why: String
}
