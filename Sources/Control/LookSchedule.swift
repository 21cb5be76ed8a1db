// When a source of discovery is looked at again.

/// A value without a clock: times are given as what has passed since the last look ended.
///
/// A source is looked at once an interval; once a second at most until it has answered well for the first time; and early, when backends
/// that it has found have failed since. Early looks that find nothing new become rarer.
struct LookSchedule: Sendable {
    /// The shortest time between two looks, unless the interval is shorter.
    static let shortest = Duration.seconds(1)

    let interval: Duration
    private var hasAnswered = false
    private var failures: UInt64 = 0
    /// The time after which failures bring about an early look.
    private(set) var patience: Duration

    init(interval: Duration) {
        self.interval = interval
        patience = min(Self.shortest, interval)
    }

    /// Whether it is time for a look.
    ///
    /// - Parameter failures: The failed attempts at backends of the source, of all time.
    func isDue(after passed: Duration, failures: UInt64) -> Bool {
        passed >= (hasAnswered ? interval : min(Self.shortest, interval))
            || isInDoubt(after: passed, failures: failures)
    }

    private func isInDoubt(after passed: Duration, failures: UInt64) -> Bool {
        failures > self.failures && passed >= patience
    }

    /// Notes a look that has ended.
    ///
    /// - Parameters:
    ///   - passed: The time since the one before.
    ///   - failures: As they were before the look.
    mutating func looked(after passed: Duration, failures: UInt64, isGood: Bool, isNew: Bool) {
        let wasEarly = hasAnswered && passed < interval
        patience = wasEarly && !isNew ? min(patience * 2, interval) : min(Self.shortest, interval)
        hasAnswered = hasAnswered || isGood
        self.failures = failures
    }
}
