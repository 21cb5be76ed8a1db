// By which rules backends are checked, ejected and taken back; times in nanoseconds.

/// What an active check does.
public enum CheckKind: Sendable, Hashable {
    /// It connects, and for `https` shakes hands.
    case connect
    /// It asks for a path.
    case get(String)

    /// The path; nil for a check that only connects.
    var path: String? {
        switch self {
        case .connect: nil
        case .get(let path): path
        }
    }
}

/// When active checks are made and how their results count.
public struct CheckRules: Sendable, Equatable {
    /// For the backends that have no kind of their own.
    public var kind = CheckKind.connect
    /// Passed checks in a row that take a backend from down to up.
    public var rise = 2
    /// Failed checks in a row that take a backend from up to down.
    public var fall = 3
    /// From the end of one check to the next, while nothing is in doubt.
    public var interval: UInt64 = 2_000_000_000
    /// The limit of one check.
    public var timeout: UInt64 = 2_000_000_000

    public init() {}

    /// While in doubt (HAProxy's `fastinter`): half as long.
    var fastInterval: UInt64 { interval / 2 }
    /// While down (HAProxy's `downinter`): twice as long.
    var slowInterval: UInt64 { interval * 2 }
}

/// When a backend is taken out because of what live traffic shows.
public struct EjectionRules: Sendable, Equatable {
    /// Failures in a row, or answers of 500 and more in a row, that are too many.
    public var consecutive = 5
    /// How long the first ejection lasts; the n-th n times as long.
    public var baseTime: UInt64 = 10_000_000_000
    /// The longest that an ejection lasts.
    public var maximumTime: UInt64 = 300_000_000_000
    /// A backend that serves for so long is forgiven one of its ejections.
    public var forgivenessTime: UInt64 = 30_000_000_000
    /// How many of the ready backends may be ejected at a time, in percent; one always may, the last that is usable never.
    public var maximumPercent = 50
    /// Whether backends are comparable: not when the policy gives each its own kind of requests.
    public var comparesBackends = true

    /// How many answers a backend must have given for its latency to be judged.
    public static let answersForLatency: UInt64 = 5
    /// It is slow when it takes so many times what the others take.
    public static let latencyFactor: UInt64 = 10
    /// And at least that much longer, in nanoseconds.
    public static let latencyExcess: UInt64 = 500_000_000
    /// How many attempts must have ended for a rate to be judged.
    public static let endsForRate: UInt64 = 20
    /// A share of errors is too high when it exceeds the others' by 1.9 standard deviations (Envoy), and by that much.
    public static let rateExcess = 0.3
    /// It is silent when it has answered nothing for so many samples.
    public static let silentSamples = 2
    /// And while so many requests waited all that time.
    public static let silentRequests: UInt64 = 5

    public init() {}
}

/// All rules of health.
public struct HealthRules: Sendable, Equatable {
    /// nil: no active checks.
    public var check: CheckRules?
    /// nil: no ejections.
    public var ejection: EjectionRules?
    /// How long a new or recovered backend takes to its full share, for those that have no time of their own; 0 for none.
    public var slowStart: UInt64

    public init(
        check: CheckRules? = CheckRules(),
        ejection: EjectionRules? = EjectionRules(),
        slowStart: UInt64 = 10_000_000_000
    ) {
        self.check = check
        self.ejection = ejection
        self.slowStart = slowStart
    }

    /// The path that checks of a backend ask for; nil for checks that only connect, and where there are none.
    func path(for backend: BackendHealth) -> String? { check.flatMap { (backend.check ?? $0.kind).path } }

    /// How long a backend ramps up.
    func slowStart(of backend: BackendHealth) -> UInt64 { backend.slowStart ?? slowStart }
}

/// What one backend has of its own; nil is as the rules say.
public struct BackendHealth: Sendable, Hashable {
    public var check: CheckKind?
    /// How long it takes to its full share, in nanoseconds; 0 for none.
    public var slowStart: UInt64?

    public init(check: CheckKind? = nil, slowStart: UInt64? = nil) {
        self.check = check
        self.slowStart = slowStart
    }
}
