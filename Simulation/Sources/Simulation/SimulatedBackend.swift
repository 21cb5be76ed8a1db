// The other side: a backend with its slots, its queue and its moods.

/// An attempt at an exchange: which, and the how manieth, so that one that is over by then is told from the next.
struct AttemptReference {
    var exchange: Int
    var generation: UInt32
}

/// A backend as it is in itself.
struct SimulatedBackend {
    let plan: BackendPlan
    var condition: Condition
    /// Grows when all that it had is lost, so that what was to be finished later is not.
    var epoch: UInt32 = 0
    var busy = 0
    private var queue: [AttemptReference] = []
    private var first = 0

    /// Attempts begun at it, by all balancers.
    var inFlight = 0
    /// Attempts begun at it while it was counted.
    var attempts = 0
    /// Slots times seconds of work while it was counted.
    var work = 0.0
    /// When ``work`` was brought up to date.
    private var since: UInt64 = 0

    init(_ plan: BackendPlan) {
        self.plan = plan
        condition = plan.condition
    }

    /// Seconds that it takes for a request that asks for so many.
    func time(for demand: Double) -> Double {
        if case .isSlow(let factor) = condition { return demand * factor / plan.speed }
        return demand / plan.speed
    }

    mutating func enqueue(_ attempt: AttemptReference) { queue.append(attempt) }

    /// The attempt that has waited longest.
    mutating func dequeue() -> AttemptReference? {
        guard first < queue.count else { return nil }
        let attempt = queue[first]
        first += 1
        if first > 256, first * 2 > queue.count {
            queue.removeFirst(first)
            first = 0
        }
        return attempt
    }

    /// Occupies a slot, or frees it.
    mutating func occupy(_ change: Int, at now: UInt64) {
        settle(at: now)
        busy += change
    }

    /// Drops all that it had.
    mutating func lose(at now: UInt64) {
        settle(at: now)
        epoch += 1
        busy = 0
        queue.removeAll()
        first = 0
    }

    /// Counts the work until now.
    mutating func settle(at now: UInt64) {
        work += Double(busy) * Double(now - since) * 1e-9
        since = now
    }

    /// Counts from now on.
    mutating func beginCounting(at now: UInt64) {
        settle(at: now)
        work = 0
        attempts = 0
    }
}
