// What a backend's counters have shown in the last seconds.

internal import Synchronization

/// A backend's counters at one time.
struct TrafficCount: Sendable {
    var sent: UInt64 = 0
    var answers: UInt64 = 0
    var errors: UInt64 = 0
    var failures: UInt64 = 0
    var unanswered: UInt64 = 0
    var answerTime: UInt64 = 0

    init() {}

    init(of backend: Backend) {
        // What ends is read before what begins, so that no more can have ended than begun.
        answers = backend.answers.load(ordering: .relaxed)
        errors = backend.errors.load(ordering: .relaxed)
        failures = backend.failures.load(ordering: .relaxed)
        unanswered = backend.unanswered.load(ordering: .relaxed)
        answerTime = backend.answerTime.load(ordering: .relaxed)
        sent = backend.sent.load(ordering: .relaxed)
    }

    /// Whole requests that wait for a response head.
    var awaiting: UInt64 {
        let ended = answers &+ unanswered
        return sent > ended ? sent - ended : 0
    }

    /// Attempts that have shown something.
    var ends: UInt64 { answers &+ failures }

    /// The share of those that showed something bad.
    var badShare: Double { ends > 0 ? min(1, Double(errors &+ failures) / Double(ends)) : 0 }

    /// How long an answer took on average, in nanoseconds.
    var meanTime: UInt64 { answers > 0 ? answerTime / answers : 0 }

    /// What has come since an earlier count.
    func since(_ earlier: TrafficCount) -> TrafficCount {
        var count = TrafficCount()
        count.sent = sent &- earlier.sent
        count.answers = answers &- earlier.answers
        count.errors = errors &- earlier.errors
        count.failures = failures &- earlier.failures
        count.unanswered = unanswered &- earlier.unanswered
        count.answerTime = answerTime &- earlier.answerTime
        return count
    }

    static func + (first: Self, second: Self) -> Self {
        var count = first
        count.sent &+= second.sent
        count.answers &+= second.answers
        count.errors &+= second.errors
        count.failures &+= second.failures
        count.unanswered &+= second.unanswered
        count.answerTime &+= second.answerTime
        return count
    }
}

/// A backend's counters as they were at the last samples, one a second.
struct TrafficWindow: Sendable {
    /// How many samples it spans.
    static let length = 10

    /// The oldest first; never empty.
    private var samples: [TrafficCount]
    /// The most requests that may wait still of those that waited when counting began: they have been laid to the backend's charge
    /// already, or are not to be.
    private var old: UInt64

    init(from count: TrafficCount) {
        samples = [count]
        old = count.awaiting
    }

    /// Takes the next sample.
    mutating func append(_ count: TrafficCount) {
        if samples.count > Self.length { samples.removeFirst() }
        samples.append(count)
        old = min(old, count.awaiting)
    }

    /// What has happened in the window up to its last sample.
    var sum: TrafficCount { sum(to: samples[samples.count - 1]) }

    /// What has happened in the window up to now.
    func sum(to now: TrafficCount) -> TrafficCount { now.since(samples[0]) }

    /// How many requests have waited for the last samples' time, in which none was answered; 0 when one was.
    ///
    /// Those that waited when counting began are left out; where it cannot be told who has gone, the others are taken to have.
    func stuck(for count: Int) -> UInt64 {
        guard samples.count > count else { return 0 }
        let (now, then) = (samples[samples.count - 1], samples[samples.count - 1 - count])
        guard now.answers == then.answers else { return 0 }
        let gone = now.unanswered &- then.unanswered
        let others = gone &+ old
        return then.awaiting > others ? then.awaiting - others : 0
    }
}
