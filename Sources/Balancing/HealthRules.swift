// By which rules backends are checked, ejected and taken back; times in nanoseconds.

/// When active checks are made and how their results count.
public struct CheckRules: Sendable, Equatable {
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
    /// It is slow when it takes so many times what the others take, …
    public static let latencyFactor: UInt64 = 10
    /// … and at least that much longer.
    public static let latencyExcess: UInt64 = 500_000_000
    /// How many attempts must have ended for a rate to be judged.
    public static let endsForRate: UInt64 = 20
    /// A share of errors is too high when it exceeds the others' by 1.9 standard deviations (Envoy), and by that much.
    public static let rateExcess = 0.3
    /// It is silent when it has answered nothing for so many samples, …
    public static let silentSamples = 2
    /// … while so many requests waited all that time.
    public static let silentRequests: UInt64 = 5

    public init() {}
}

/// All rules of health.
public struct HealthRules: Sendable, Equatable {
    /// nil: no active checks.
    public var check: CheckRules?
    /// nil: no ejections.
    public var ejection: EjectionRules?

    public init(check: CheckRules? = CheckRules(), ejection: EjectionRules? = EjectionRules()) {
        self.check = check
        self.ejection = ejection
    }
}

/// What is particular to one backend.
public struct BackendHealth: Sendable, Equatable {
    /// The path that checks ask for; nil for a check that only connects.
    public var path: String?
    /// How long a new or recovered backend takes to its full share; 0 for none.
    public var slowStart: UInt64

    public init(path: String? = nil, slowStart: UInt64 = 10_000_000_000) {
        self.path = path
        self.slowStart = slowStart
    }
}
