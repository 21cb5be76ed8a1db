// What a backend's counters have shown in the last seconds.

internal import Synchronization

/// A backend's counters at one time.
struct TrafficCount: Sendable {
    var attempts: UInt64 = 0
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
        attempts = backend.attempts.load(ordering: .relaxed)
    }

    /// Attempts that wait for a response head.
    var awaiting: UInt64 {
        let ended = answers &+ unanswered
        return attempts > ended ? attempts - ended : 0
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
        count.attempts = attempts &- earlier.attempts
        count.answers = answers &- earlier.answers
        count.errors = errors &- earlier.errors
        count.failures = failures &- earlier.failures
        count.unanswered = unanswered &- earlier.unanswered
        count.answerTime = answerTime &- earlier.answerTime
        return count
    }

    static func + (first: Self, second: Self) -> Self {
        var count = first
        count.attempts &+= second.attempts
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

    init(from count: TrafficCount) { samples = [count] }

    /// Takes the next sample.
    mutating func append(_ count: TrafficCount) {
        if samples.count > Self.length { samples.removeFirst() }
        samples.append(count)
    }

    /// What has happened in the window up to its last sample.
    var sum: TrafficCount { sum(to: samples[samples.count - 1]) }

    /// What has happened in the window up to now.
    func sum(to now: TrafficCount) -> TrafficCount { now.since(samples[0]) }

    /// How many requests have waited for the last samples' time, in which none was answered; 0 when one was.
    func stuck(for count: Int) -> UInt64 {
        guard samples.count > count else { return 0 }
        let (now, then) = (samples[samples.count - 1], samples[samples.count - 1 - count])
        guard now.answers == then.answers else { return 0 }
        let gone = now.unanswered &- then.unanswered
        return then.awaiting > gone ? then.awaiting - gone : 0
    }
}
