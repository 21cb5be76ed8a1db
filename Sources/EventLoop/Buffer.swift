// A fixed piece of memory with a readable region, and the worker's pool of them.

internal import CLinux
internal import Glibc

/// Fixed-capacity bytes with one readable region, from ``start`` up to ``end``.
///
/// The region can grow at both ends: framing is put before and after bytes that stay where they are. Owned by one place at
/// a time; loop thread only.
public final class Buffer {
    /// The memory; ``capacity`` bytes.
    public let base: UnsafeMutableRawPointer
    public let capacity: Int
    /// Offset of the first readable byte.
    public final var start: Int
    /// Offset just after the last readable byte.
    public final var end: Int

    /// Has the memory of large buffers go back to the system when they go away; called once, at the start.
    ///
    /// glibc would keep it after the first one: its threshold for memory of its own rises (mallopt(3), M_MMAP_THRESHOLD).
    public static func giveMemoryBack() { lb_fix_mmap_threshold(128 * 1024) }

    /// Gives the system what the heap holds and nobody uses: after a burst, what libcurl's connections have left.
    ///
    /// Any thread; takes milliseconds.
    public static func trimHeap() { lb_trim_heap() }

    /// An empty buffer; the memory is not touched.
    public init(capacity: Int) {
        guard let memory = malloc(capacity) else { preconditionFailure("out of memory for a buffer") }
        base = memory
        self.capacity = capacity
        start = 0
        end = 0
    }

    deinit { free(base) }

    /// Bytes in the readable region.
    @inlinable
    public var count: Int { end - start }

    @inlinable
    public var isEmpty: Bool { start == end }

    /// Bytes that still fit behind the region.
    @inlinable
    public var room: Int { capacity - end }

    /// The readable region.
    @inlinable
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + start, count: end - start) }

    /// The address of the readable region's first byte.
    @inlinable
    public var bytesStart: UnsafeRawPointer { UnsafeRawPointer(base + start) }

    /// The readable region as elements, for taking a span of it.
    @inlinable
    public var elements: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self) + start, count: end - start)
    }

    /// Empties the buffer, with that much room kept before the region.
    @inlinable
    public func reset(headroom: Int = 0) {
        precondition(headroom >= 0 && headroom <= capacity)
        start = headroom
        end = headroom
    }

    /// Moves the region so that it starts at an offset.
    public func move(to offset: Int) {
        let count = end - start
        precondition(offset >= 0 && offset + count <= capacity, "the region fits")
        memmove(base + offset, base + start, count)
        start = offset
        end = offset + count
    }

    /// Moves bytes inside the memory; offsets are absolute, the regions may overlap.
    @inlinable
    public func moveBytes(from source: Int, count: Int, to destination: Int) {
        precondition(
            count >= 0 && source >= 0 && destination >= 0 && source + count <= capacity
                && destination + count <= capacity
        )
        if count > 0, source != destination {
            (base + destination).copyMemory(from: base + source, byteCount: count)
        }
    }

    // MARK: Growing at the end

    @inlinable
    public func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room, "the bytes fit")
        guard let source = bytes.baseAddress else { return }
        (base + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    @inlinable
    public func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// Appends text that is no literal.
    ///
    /// Has a label because a literal would be a `String` otherwise, which is counted and checked at each use.
    public func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    @inlinable
    public func append(byte: UInt8) {
        precondition(end < capacity, "the byte fits")
        base.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end += 1
    }

    /// Appends a number in decimal digits.
    public func append(decimal value: UInt64) {
        var digits = 1
        var rest = value / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        precondition(digits <= room, "the digits fit")
        rest = value
        for position in stride(from: end + digits - 1, through: end, by: -1) {
            base.storeBytes(of: UInt8(48 + rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
        end += digits
    }

    // MARK: Growing at the start

    @inlinable
    public func prepend(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= start, "the bytes fit before the region")
        guard let source = bytes.baseAddress else { return }
        start -= bytes.count
        (base + start).copyMemory(from: source, byteCount: bytes.count)
    }

    @inlinable
    public func prepend(_ text: StaticString) {
        prepend(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    public func prepend(byte: UInt8) {
        precondition(start > 0, "the byte fits before the region")
        start -= 1
        base.storeBytes(of: byte, toByteOffset: start, as: UInt8.self)
    }
}

@available(*, unavailable)
extension Buffer: Sendable {}

/// A worker's stock of buffers of one capacity: last in, first out, so that the warm ones are used again.
public final class BufferPool {
    /// Bytes in each buffer.
    public let capacity: Int
    /// Buffers kept when nobody uses them; those beyond go back to the allocator.
    private let maximumIdle: Int
    private var idle: [Buffer] = []
    /// The fewest at rest since the last ``trim()``.
    private var lowWater = 0
    /// Buffers taken and not given back.
    public private(set) var inUse = 0

    public init(capacity: Int, maximumIdle: Int) {
        self.capacity = (capacity + 4095) / 4096 * 4096
        self.maximumIdle = maximumIdle
        idle.reserveCapacity(maximumIdle)
    }

    /// An empty buffer with that much room kept before its region.
    public func take(headroom: Int = 0) -> Buffer {
        inUse += 1
        let buffer = idle.popLast() ?? Buffer(capacity: capacity)
        lowWater = min(lowWater, idle.count)
        buffer.reset(headroom: headroom)
        return buffer
    }

    /// Lets go of the buffers that nobody has taken since the last call; returns how many.
    public func trim() -> Int {
        let count = lowWater
        idle.removeFirst(count)
        lowWater = idle.count
        return count
    }

    /// Gives a buffer back; the giver may not touch it again.
    public func give(_ buffer: Buffer) {
        assert(buffer.capacity == capacity, "a buffer goes back to its own pool")
        inUse -= 1
        if idle.count < maximumIdle { idle.append(buffer) }
    }
}

@available(*, unavailable)
extension BufferPool: Sendable {}
