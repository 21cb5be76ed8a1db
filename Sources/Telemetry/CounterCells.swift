// Numbers that one thread counts up and any thread reads.

public import Synchronization

/// Where the counters of a row are: all that counting needs.
///
/// It does not hold the row, whose owner has to be held elsewhere: to count is to add, not to retain and release besides.
///
/// A build with `UNCOUNTED` defined looks for no bucket and adds nothing; what leads here, and takes the times, stays. It is there to be
/// measured beside one that counts (`scripts/trials`, `counting-cost`).
@usableFromInline
struct CounterRow: @unchecked Sendable {
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let count: Int
    @usableFromInline let scale = LatencyScale.shared.buckets

    fileprivate init(_ cells: UnsafeMutablePointer<Atomic<UInt64>>, count: Int) {
        self.cells = cells
        self.count = count
    }

    /// Adds to a counter; by the owning thread alone.
    @inlinable
    @inline(__always)
    func add(_ amount: UInt64, at index: Int) {
        assert(index >= 0 && index < count, "a counter of this row")
        #if !UNCOUNTED
        let value = cells[index].load(ordering: .relaxed)
        cells[index].store(value &+ amount, ordering: .relaxed)
        #endif
    }
}

extension CounterRow {
    /// Counts a duration whose sum is in one place, and whose buckets begin in another.
    @inlinable
    @inline(__always)
    func record(_ duration: MeasuredDuration, _ resolution: Histogram.Resolution, sum: Int, buckets: Int) {
        add(duration.nanoseconds, at: sum)
        switch resolution {
        case .fine: add(1, at: buckets &+ duration.bucket)
        case .coarse: add(1, at: buckets &+ scale.coarse(ofFine: duration.bucket))
        }
    }

    /// A duration in nanoseconds.
    @inlinable
    @inline(__always)
    func measured(_ nanoseconds: UInt64) -> MeasuredDuration {
        #if UNCOUNTED
        MeasuredDuration(nanoseconds: nanoseconds, bucket: 0)
        #else
        MeasuredDuration(nanoseconds: nanoseconds, bucket: scale.fine(nanoseconds))
        #endif
    }
}

/// A duration whose bucket has been looked for, once for all that count it.
@frozen
public struct MeasuredDuration: Sendable {
    /// In nanoseconds.
    @usableFromInline let nanoseconds: UInt64
    /// The fine bucket.
    @usableFromInline let bucket: Int

    @inlinable
    init(nanoseconds: UInt64, bucket: Int) {
        self.nanoseconds = nanoseconds
        self.bucket = bucket
    }
}

/// A row of counters on cache lines of its own.
///
/// One thread adds, without a lock and without an instruction that locks the bus: it loads, adds and stores, relaxed. Any other may
/// read at any time; it sees each counter as it was a moment ago, and two of them not necessarily at the same moment.
struct CounterCells: ~Copyable, @unchecked Sendable {
    /// Two cache lines: processors fetch them in pairs.
    private static let lineSize = 128

    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    let count: Int

    init(count: Int) {
        let size = (count * MemoryLayout<UInt64>.stride + Self.lineSize - 1) / Self.lineSize * Self.lineSize
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.lineSize)
        cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
        self.count = count
    }

    deinit {
        cells.deinitialize(count: count)
        UnsafeMutableRawPointer(cells).deallocate()
    }

    /// For who counts.
    var row: CounterRow { CounterRow(cells, count: count) }

    /// Adds to a counter; by the owning thread alone.
    func add(_ amount: UInt64, at index: Int) { row.add(amount, at: index) }

    /// A counter as it stands.
    subscript(index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "a counter of this row")
        return cells[index].load(ordering: .relaxed)
    }

    /// Consecutive counters as they stand.
    subscript(range: Range<Int>) -> [UInt64] { range.map { self[$0] } }

    /// Durations as they stand, by the places that they are counted in.
    func histogram(_ resolution: Histogram.Resolution, sum: Int, buckets: Int) -> Histogram {
        Histogram(resolution, counts: self[buckets..<(buckets + resolution.bounds.count)], sum: self[sum])
    }
}
