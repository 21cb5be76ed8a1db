// How long a backend takes to answer: a moving average that follows a rise at once and a fall slowly.

internal import Synchronization

/// A peak-sensitive, exponentially weighted moving average, as in Finagle's `PeakEwma`.
///
/// A sample above the average replaces it; one below is averaged in, with a weight by the time since the last one. Without
/// samples it fades, so that a backend that was slow is tried again, and is forgotten after a minute: one that comes back after that
/// is a newcomer. Any thread: average and time share one atomic word.
struct LatencyEstimate: ~Copyable {
    /// After that many nanoseconds a sample's weight has fallen to 1/e.
    static let decayTime = 10e9
    /// After so many decay times an average says nothing any more.
    private static let memory = 6.0
    /// What a failure counts as, in nanoseconds: at least, and at most.
    static let failureLatency = 1e9...60e9
    /// The unit of the time that is kept, in bits: 2²⁰ ns is about a millisecond, and 32 bits of it are 52 days.
    private static let tickBits: UInt64 = 20

    /// How far clocks may be apart, in ticks; what is further in the future is the distant past, as ticks begin anew.
    private static let clockSkew: Int32 = 1 << 16

    /// The average in nanoseconds as a `Float`'s bits, above the time of the last sample in ticks; 0 before the first.
    private let word = Atomic<UInt64>(0)

    /// The average at a time, in nanoseconds; nil before the first sample, and long after the last.
    func value(at now: UInt64) -> Double? {
        let word = word.load(ordering: .relaxed)
        guard word != 0 else { return nil }
        let fading = Self.fading(from: word, to: now)
        return fading > 0 ? Self.average(word) * fading : nil
    }

    /// Takes in a sample, in nanoseconds.
    func observe(_ sample: UInt64, at now: UInt64) { observe(max(1, Double(sample)), at: now) }

    /// Takes in that an answer has taken longer than that, in nanoseconds, and was then not waited for.
    func observeNone(after elapsed: UInt64, at now: UInt64) {
        if Double(elapsed) > value(at: now) ?? 0 { observe(elapsed, at: now) }
    }

    /// Takes in a failure, which counts as slow however fast it came: a backend that fails at once must not look like the best.
    ///
    /// Each failure doubles what the backend is held for, so that it outgrows any latency that the others have; but what had begun
    /// before the last sample says nothing new: a backend that is restarted with a hundred requests in flight has failed once.
    func observeFailure(after elapsed: UInt64, at now: UInt64) {
        let known = value(at: now) ?? 0
        let last = UInt32(truncatingIfNeeded: word.load(ordering: .relaxed))
        let begin = Self.tick(now > elapsed ? now - elapsed : 0)
        let isNew = Int32(bitPattern: begin &- last) >= 0
        let range = Self.failureLatency
        observe(min(max(Double(elapsed), isNew ? 2 * known : known, range.lowerBound), range.upperBound), at: now)
    }

    private func observe(_ sample: Double, at now: UInt64) {
        var old = word.load(ordering: .relaxed)
        while true {
            var average = sample
            if old != 0, sample <= Self.average(old) {
                let weight = Self.fading(from: old, to: now)
                // Within one tick the first sample stands for all: no write, and nothing that workers could contend for.
                if weight == 1 { return }
                average = Self.average(old) * weight + sample * (1 - weight)
            }
            let new = UInt64(Float(average).bitPattern) << 32 | UInt64(Self.tick(now))
            let (isExchanged, found) = word.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isExchanged { return }
            old = found
        }
    }

    private static func tick(_ time: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: time >> tickBits) }

    private static func average(_ word: UInt64) -> Double {
        Double(Float(bitPattern: UInt32(truncatingIfNeeded: word >> 32)))
    }

    /// What is left of an average after a time.
    private static func fading(from word: UInt64, to now: UInt64) -> Double {
        // Workers read their clocks at different times: what looks like the future is now.
        let ticks = Int32(bitPattern: tick(now) &- UInt32(truncatingIfNeeded: word))
        if ticks <= 0 { return ticks > -clockSkew ? 1 : 0 }
        let decays = Double(ticks) * Double(1 << tickBits) / decayTime
        return decays > memory ? 0 : decay(decays)
    }
}
