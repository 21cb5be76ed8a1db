// The retry budget: how many requests may be sent again at one time.

internal import Synchronization

/// Keeps retries from multiplying the load of a fleet that is failing already: at most a share of what is in flight may be
/// retries, and always a few (Envoy's `retry_budget`).
///
/// One for all workers. Any thread; no clock.
public final class RetryBudget: Sendable {
    /// So many are allowed however little is in flight: a share of a handful would be none.
    public static let minimum = 3

    private let percent: Atomic<Int>
    private let count = Atomic<Int>(0)

    /// - Parameter percent: The share of what is in flight, 0 to 100.
    public init(percent: Int) { self.percent = Atomic(percent) }

    /// Goes on with another share; retries under way count on.
    public func change(percent: Int) { self.percent.store(percent, ordering: .relaxed) }

    /// Retries at this time.
    public var inProgress: Int { count.load(ordering: .relaxed) }

    /// How many retries are allowed with so many requests active.
    ///
    /// - Parameter backends: Between how many backends they are spread: what the death of one of them breaks off may all be sent again,
    ///   which is its share, four standard deviations more since shares are a matter of chance, and a few. 0 leaves no such room, nor
    ///   does a percentage of 0.
    public static func limit(percent: Int, active: Int, backends: Int = 0) -> Int {
        let share = percent > 0 && backends > 0 ? active / backends : 0
        let room = share > 0 ? share + 4 * Int(Double(share).squareRoot()) + minimum : 0
        return max(minimum, active * percent / 100, min(room, active))
    }

    /// How many retries are allowed with so many requests active.
    public func limit(active: Int) -> Int {
        Self.limit(percent: percent.load(ordering: .relaxed), active: active)
    }

    /// Takes a place for a retry; false when all are taken.
    ///
    /// - Parameters:
    ///   - backends: As for ``limit(percent:active:backends:)``.
    ///   - active: How many requests are in flight or wait; asked only when it matters.
    public func take(backends: Int = 0, active: () -> Int) -> Bool {
        var limit = Self.minimum
        var isLimitKnown = false
        var taken = count.load(ordering: .relaxed)
        while true {
            if taken >= limit, !isLimitKnown {
                limit = Self.limit(percent: percent.load(ordering: .relaxed), active: active(), backends: backends)
                isLimitKnown = true
            }
            guard taken < limit else { return false }
            let (isTaken, found) = count.weakCompareExchange(expected: taken, desired: taken + 1, ordering: .relaxed)
            if isTaken { return true }
            taken = found
        }
    }

    /// Gives a place back.
    public func giveBack() { count.wrappingSubtract(1, ordering: .relaxed) }
}
