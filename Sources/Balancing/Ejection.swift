// The ejections of one backend: when the present one ends, and how long the next one would be.

/// Envoy's outlier ejection: longer each time, and forgiven in time.
///
/// A pure value: time is an argument, in nanoseconds.
struct Ejection: Sendable {
    /// The present one.
    struct Term: Sendable, Equatable {
        let since: UInt64
        /// From when on the backend may come back, if a trial shows that it can.
        let until: UInt64
        let reason: EjectionReason
    }

    private(set) var term: Term?
    /// How many ejections it has not been forgiven yet, the present one among them.
    private(set) var count = 0
    private var servingSince: UInt64 = 0

    mutating func begin(for reason: EjectionReason, at now: UInt64, _ rules: EjectionRules) {
        count += 1
        let (product, overflows) = rules.baseTime.multipliedReportingOverflow(by: UInt64(count))
        let length = overflows ? rules.maximumTime : min(product, rules.maximumTime)
        term = Term(since: now, until: now + length, reason: reason)
    }

    mutating func end(at now: UInt64) {
        term = nil
        servingSince = now
    }

    /// Whether its time is over.
    func isOver(at now: UInt64) -> Bool { term.map { now >= $0.until } ?? false }

    /// Whether it has lasted as long as one may, whatever trials show.
    func isTooLong(at now: UInt64, _ rules: EjectionRules) -> Bool {
        term.map { now >= $0.until && now >= $0.since + rules.maximumTime } ?? false
    }

    /// Forgives one ejection for each span in which the backend has served.
    mutating func forgive(at now: UInt64, _ rules: EjectionRules) {
        guard term == nil else { return }
        while count > 0, now >= servingSince + rules.forgivenessTime {
            count -= 1
            servingSince += rules.forgivenessTime
        }
    }
}

/// What live traffic showed.
public enum EjectionReason: Sendable, Equatable, CustomStringConvertible {
    /// So many attempts in a row failed: the backend could not be reached, broke off, or did not answer in time.
    case failures(Int)
    /// So many answers in a row were of 500 and more.
    case errors(Int)
    /// The share of failures and errors, its own and the others', in percent.
    case errorRate(own: Int, others: Int)
    /// How long an answer takes on average, its own and the others', in milliseconds.
    case slow(own: Int, others: Int)
    /// So many requests wait, none was answered for some seconds, and the others answer.
    case silent(requests: Int)

    public var description: String {
        switch self {
        case .failures(let count): "\(count) attempts in a row failed"
        case .errors(let count): "\(count) answers in a row had a status of 500 or more"
        case .errorRate(let own, let others):
            "\(own) % of attempts failed or got 500 or more, \(others) % at the others"
        case .slow(let own, let others): "an answer takes \(own) ms on average, \(others) ms at the others"
        case .silent(let requests): "\(requests) requests wait and none is answered, while the others answer"
        }
    }

    /// The time that a trial must be answered in; nil for any.
    var trialLimit: UInt64? {
        switch self {
        case .failures, .errors, .errorRate: nil
        case .slow, .silent: EjectionRules.latencyExcess
        }
    }
}
