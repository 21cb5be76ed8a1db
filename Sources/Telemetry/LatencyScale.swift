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
    /// How many buckets there are; constants, since counters are found by them.
    @inlinable static var fineCount: Int { 209 }
    @inlinable static var coarseCount: Int { 19 }

    /// The fine bounds, the last of which is `UInt64.max`.
    public let fine: [UInt64]
    /// The bounds that are exported, the last of which is `UInt64.max`.
    public let coarse: [UInt64]
    /// The way from a duration to its bucket.
    let buckets: LatencyBuckets

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
        precondition(fine.count == Self.fineCount && coarse.count == Self.coarseCount)
        // Keys rise with the numbers that have them: one way through the bounds is enough.
        var bucket = 0
        let first = LatencyBuckets.keys.map { key in
            let values = LatencyBuckets.values(of: key)
            while values.lowerBound > fine[bucket] { bucket += 1 }
            precondition(
                values.upperBound <= fine[min(bucket + 1, fine.count - 1)],
                "bounds stand further apart than keys"
            )
            return UInt8(bucket)
        }
        let coarseOfFine = fine.map { bound in UInt8(coarse.firstIndex { bound <= $0 } ?? coarse.count - 1) }
        buckets = LatencyBuckets(bounds: fine, first: first, coarseOfFine: coarseOfFine)
        self.fine = fine
        self.coarse = coarse
    }
}

/// The way from a duration to its bucket in a few instructions.
///
/// Its tables are in memory that stays as long as the process, and are not looked at for their bounds: every key has an entry, and no
/// duration is above the last fine bound.
@usableFromInline
struct LatencyBuckets: @unchecked Sendable {
    /// How many bits behind the highest one are looked at: so many that there is at most one bound among the numbers that share them.
    @inlinable static var stepBits: Int { 5 }
    /// The leading bits that a number can have.
    @inlinable static var keys: Range<Int> { 0..<(64 << stepBits) }

    /// The fine bounds; behind them for each key the first fine bucket that such a number can be in; behind these for each fine
    /// bucket the coarse one that it lies in.
    @usableFromInline let tables: UnsafeRawPointer
    @inlinable static var firstOffset: Int { LatencyScale.fineCount * MemoryLayout<UInt64>.stride }
    @inlinable static var coarseOffset: Int { firstOffset + keys.count }

    fileprivate init(bounds: [UInt64], first: [UInt8], coarseOfFine: [UInt8]) {
        precondition(bounds.count == LatencyScale.fineCount && first.count == Self.keys.count)
        precondition(bounds.last == .max && coarseOfFine.count == bounds.count)
        let size = Self.coarseOffset + coarseOfFine.count
        let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<UInt64>.alignment)
        let memory = UnsafeMutableRawBufferPointer(start: start, count: size)
        bounds.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[..<$0.count]).copyMemory(from: $0) }
        UnsafeMutableRawBufferPointer(rebasing: memory[Self.firstOffset...]).copyBytes(from: first)
        UnsafeMutableRawBufferPointer(rebasing: memory[Self.coarseOffset...]).copyBytes(from: coarseOfFine)
        tables = UnsafeRawPointer(start)
    }

    /// The numbers with these leading bits; the greatest one alone for those that no number has.
    fileprivate static func values(of key: Int) -> ClosedRange<UInt64> {
        let shift = UInt64(key >> stepBits)
        guard shift > 0 else { return 0...(2 << UInt64(stepBits)) - 1 }
        guard shift < UInt64(64 - stepBits) else { return .max ... .max }
        let steps = UInt64(key & (1 << stepBits - 1) | 1 << stepBits)
        return steps << shift...steps << shift | (1 << shift - 1)
    }

    /// The fine bucket of a duration.
    @inlinable
    @inline(__always)
    func fine(_ nanoseconds: UInt64) -> Int {
        // The place of the highest bit, and the bits behind it.
        let shift = max(0, 63 &- Self.stepBits &- nanoseconds.leadingZeroBitCount)
        let steps = Int(truncatingIfNeeded: nanoseconds &>> UInt64(shift)) & (1 << Self.stepBits - 1)
        let first = Int(
            tables.load(fromByteOffset: Self.firstOffset &+ (shift &<< Self.stepBits | steps), as: UInt8.self)
        )
        return nanoseconds > tables.load(fromByteOffset: first &* 8, as: UInt64.self) ? first &+ 1 : first
    }

    /// The coarse bucket that a fine one lies in.
    @inlinable
    @inline(__always)
    func coarse(ofFine bucket: Int) -> Int {
        Int(tables.load(fromByteOffset: Self.coarseOffset &+ bucket, as: UInt8.self))
    }
}
