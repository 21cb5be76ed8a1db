// The bounds that durations are counted between.

/// Bounds of histogram buckets, in nanoseconds, and the way from a duration to its bucket in a few instructions.
///
/// Bucket `i` holds what is above bound `i - 1` and not above bound `i`, as Prometheus' `le` means it; the last holds the rest. The
/// fine bounds stand so close (5 to 20 %, from 1 µs to 1000 s) that a percentile read from them is off by less than a tenth. They
/// are decimal, so that each of the coarse ones, which are exported, is one of them: what is said to be below 100 ms was.
///
/// The shape, equal steps within each power, is that of Gil Tene's HdrHistogram.
public final class LatencyScale: Sendable {
    public static let shared = LatencyScale()

    /// Steps within a decade, in hundredths of its beginning.
    private static let mantissas: [UInt64] = [
        100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 225, 250, 275, 300, 350, 400, 450, 500, 600, 700, 800,
        900,
    ]
    private static let decades = 9
    private static let stepBits = 3

    /// The fine bounds, the last of which is `UInt64.max`.
    public let fine: [UInt64]
    /// The bounds that are exported, the last of which is `UInt64.max`.
    public let coarse: [UInt64]
    // What is looked up for each duration is in memory that stays, and is not looked at for its bounds: every key has an entry, and
    // no duration is above the last fine bound.

    /// The fine bounds.
    nonisolated(unsafe) private let bounds: UnsafePointer<UInt64>
    /// By the leading bits of a duration: the first fine bucket that such a one can be in.
    nonisolated(unsafe) private let first: UnsafePointer<UInt8>
    /// The coarse bucket that a fine one lies in.
    nonisolated(unsafe) private let coarseOfFine: UnsafePointer<UInt8>

    /// The only one, which stays as long as the process.
    private init() {
        var fine: [UInt64] = []
        var decade: UInt64 = 1000
        for _ in 0..<Self.decades {
            fine += Self.mantissas.map { $0 * decade / 100 }
            decade *= 10
        }
        fine += [decade, .max]
        let coarse: [UInt64] =
            [
                100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
                2_500_000,
                5_000_000, 10_000_000, 30_000_000, 60_000_000,
            ].map { $0 * 1000 } + [.max]
        let first = (0..<(64 << Self.stepBits)).map { key in
            let lowest = Self.lowest(of: key)
            return UInt8(fine.firstIndex { lowest <= $0 } ?? fine.count - 1)
        }
        let coarseOfFine = fine.map { bound in UInt8(coarse.firstIndex { bound <= $0 } ?? coarse.count - 1) }
        bounds = Self.kept(fine)
        self.first = Self.kept(first)
        self.coarseOfFine = Self.kept(coarseOfFine)
        self.fine = fine
        self.coarse = coarse
    }

    private static func kept<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: values.count)
        memory.initialize(from: values, count: values.count)
        return UnsafePointer(memory)
    }

    /// The smallest number with these leading bits.
    private static func lowest(of key: Int) -> UInt64 {
        let shift = key >> stepBits
        let steps = UInt64(key & 7 | 8)
        return shift > 60 ? .max : shift == 0 ? 0 : steps << UInt64(shift)
    }

    /// The fine bucket of a duration.
    @inline(__always)
    func fineBucket(_ nanoseconds: UInt64) -> Int {
        // The place of the highest bit, and the three bits behind it.
        let shift = max(0, 60 &- nanoseconds.leadingZeroBitCount)
        let key = shift &<< Self.stepBits | Int(truncatingIfNeeded: nanoseconds &>> UInt64(shift)) & 7
        var bucket = Int(first[key])
        while nanoseconds > bounds[bucket] { bucket &+= 1 }
        return bucket
    }

    /// The coarse bucket of a duration.
    @inline(__always)
    func coarseBucket(_ nanoseconds: UInt64) -> Int { Int(coarseOfFine[fineBucket(nanoseconds)]) }
}
