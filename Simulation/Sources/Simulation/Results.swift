// What a run has shown.

/// The figures of a run; all but the totals leave out the warm-up.
public struct Results: Sendable {
    /// How requests ended.
    public struct Ends: Sendable, Equatable {
        public var answered = 0
        /// The backend answered 500.
        public var errors = 0
        /// No backend was eligible.
        public var refused = 0
        /// The last attempt's connection was refused or lost.
        public var broken = 0
        /// No answer in time.
        public var timedOut = 0
        /// The client left.
        public var abandoned = 0

        /// Requests whose clients did not get what they wanted.
        public var lost: Int { errors + refused + broken + timedOut + abandoned }
        public var all: Int { answered + lost }
    }

    /// Requests that came, those of the warm-up included.
    public var arrivals = 0
    /// How they ended.
    public var total = Ends()
    /// How those ended that came after the warm-up.
    public var counted = Ends()
    /// From arrival to answer, of those that were answered.
    public var latency = Histogram()

    /// For each backend, attempts at it.
    public var attempts: [Int] = []
    /// For each backend, the part of its slots' time that it worked.
    public var utilization: [Double] = []
    /// The most in flight at one backend beside the mean of all, at times all over the run.
    public var inFlightPeaks: [Double] = []
    /// Requests in the system, averaged over time.
    public var meanInSystem = 0.0

    /// Attempts while any backend was failing, and those of them that went to one that was.
    public var attemptsDuringFailures = 0
    public var attemptsAtFailing = 0
    /// Attempts that a backend refused, lost or did not answer.
    public var failedAttempts = 0

    /// Seconds of virtual time after the warm-up, until the last arrival.
    public var duration = 0.0

    /// The greatest beside the mean.
    public static func peak(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        return mean > 0 ? (values.max() ?? 0) / mean : 0
    }

    /// The standard deviation beside the mean.
    public static func variation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        guard mean > 0 else { return 0 }
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return square.squareRoot() / mean
    }

    public var meanInFlightPeak: Double { inFlightPeaks.reduce(0, +) / Double(max(1, inFlightPeaks.count)) }
    public var failingShare: Double {
        attemptsDuringFailures == 0 ? 0 : Double(attemptsAtFailing) / Double(attemptsDuringFailures)
    }
}
