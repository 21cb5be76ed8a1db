// One server we send to, and what all workers know about it.

public import Synchronization

/// A backend: its identity, which never changes, and its counters, which every worker adds to.
///
/// Weight and state are not its own but its pool's: they stand in ``PoolSnapshot``. Any thread.
public final class Backend: Sendable {
    /// Its place in tables by backend, from 0.
    ///
    /// Stays the same while others come and go; a later backend gets it only when no worker knows this one any more.
    public let index: Int
    /// How it is called in logs, metrics and the operator's interface.
    public let name: String
    /// What stands for it beside a key: made of the name, so that it is the same after a restart and in another balancer.
    let hash: UInt64

    /// Attempts begun and not ended.
    public let inFlight = Atomic<Int>(0)
    /// Attempts begun since the start.
    public let attempts = Atomic<UInt64>(0)
    /// Attempts that the backend failed.
    public let failures = Atomic<UInt64>(0)
    /// Response heads that came.
    public let answers = Atomic<UInt64>(0)
    /// Those of them whose status was 500 or more.
    public let errors = Atomic<UInt64>(0)
    /// Attempts whose whole request was sent, or that were answered before that.
    public let sent = Atomic<UInt64>(0)
    /// Those of them that ended without a response head, whoever's doing that was.
    public let unanswered = Atomic<UInt64>(0)
    /// What the answers took together, from the request's end to the response head, in nanoseconds.
    public let answerTime = Atomic<UInt64>(0)
    /// How often it was ejected.
    public let ejections = Atomic<UInt64>(0)
    /// Attempts that the backend failed since it last served one to its end.
    let failuresInARow = Atomic<Int>(0)
    /// Answers of 500 or more since the last one below.
    let errorsInARow = Atomic<Int>(0)
    /// How long it takes to answer; kept only under a policy that asks for it.
    let latency = LatencyEstimate()
    /// Where its load is kept beside others'; nil in a small pool, and under a policy that does not ask.
    let loadSlot: LoadSlot?

    public convenience init(index: Int, name: String) {
        self.init(index: index, name: name, loadSlot: nil)
    }

    init(index: Int, name: String, loadSlot: LoadSlot?) {
        self.index = index
        self.name = name
        self.loadSlot = loadSlot
        let bytes = Array(name.utf8)
        hash = KeyHash.of(bytes.span)
    }

    /// Takes a place among its attempts in flight; false when all are taken.
    ///
    /// - Parameter limit: How many places there are; 0 for any number.
    func takePlace(limit: Int) -> Bool {
        guard limit > 0 else {
            let count = inFlight.wrappingAdd(1, ordering: .relaxed).oldValue
            if let loadSlot { loadSlot.group.move(loadSlot.bit, from: count, to: count + 1) }
            return true
        }
        // Not added first and given back later: meanwhile another worker would find the backend full that is not.
        var count = inFlight.load(ordering: .relaxed)
        while count < limit {
            let (isTaken, found) = inFlight.weakCompareExchange(
                expected: count,
                desired: count + 1,
                ordering: .relaxed
            )
            if isTaken {
                if let loadSlot { loadSlot.group.move(loadSlot.bit, from: count, to: count + 1) }
                return true
            }
            count = found
        }
        return false
    }

    /// Gives a place back.
    func leavePlace() {
        let count = inFlight.wrappingSubtract(1, ordering: .relaxed).oldValue
        if let loadSlot { loadSlot.group.move(loadSlot.bit, from: count, to: count - 1) }
    }

    // MARK: What attempts tell

    /// Takes in a response head.
    func noteAnswer(status: Int, after nanoseconds: UInt64) {
        answers.wrappingAdd(1, ordering: .relaxed)
        answerTime.wrappingAdd(nanoseconds, ordering: .relaxed)
        if status >= 500 {
            errors.wrappingAdd(1, ordering: .relaxed)
            errorsInARow.wrappingAdd(1, ordering: .relaxed)
        } else if errorsInARow.load(ordering: .relaxed) != 0 {
            errorsInARow.store(0, ordering: .relaxed)
        }
    }

    func noteFailure() {
        failures.wrappingAdd(1, ordering: .relaxed)
        failuresInARow.wrappingAdd(1, ordering: .relaxed)
    }

    func noteServed() {
        // Looked at before it is written to: other workers read what stands beside it.
        if failuresInARow.load(ordering: .relaxed) != 0 { failuresInARow.store(0, ordering: .relaxed) }
    }

    /// Forgets what was in a row: it begins anew.
    func forgetRows() {
        failuresInARow.store(0, ordering: .relaxed)
        errorsInARow.store(0, ordering: .relaxed)
    }
}
