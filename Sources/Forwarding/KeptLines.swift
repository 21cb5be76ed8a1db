// Exchanges whose access log lines are yet to be written.

internal import Front
internal import Glibc
internal import Telemetry

/// What an exchange leaves for its line, beside what few have.
///
/// What few have comes last, and is not looked at where there is none: the less memory a line touches, the less it takes from the
/// caches of those who work beside.
struct KeptLine {
    var client: PeerAddress = .unix
    private var isTraced = false
    var facts = AccessLogFacts()
    private var context: TraceContext?

    /// The trace that the request belongs to.
    var trace: TraceContext? { isTraced ? context : nil }

    mutating func setTrace(_ trace: TraceContext?) {
        isTraced = trace != nil
        if isTraced { context = trace }
    }
}

/// What a few exchanges have left, with copies of the bytes that are only theirs for as long as they last.
///
/// Lines that are written one after the other cost half of what they cost one by one, between two system calls: what it takes to write
/// them, code and tables, has to come from afar once.
///
/// Loop thread only.
final class KeptLines {
    /// How many exchanges are kept at most.
    static let capacity = 16
    /// How many bytes of theirs are.
    private static let textCapacity = 16 << 10

    private let lines: UnsafeMutablePointer<KeptLine>
    private(set) var count = 0
    private let texts: UnsafeMutableRawPointer
    private var textLength = 0

    init() {
        lines = .allocate(capacity: Self.capacity)
        lines.initialize(repeating: KeptLine(), count: Self.capacity)
        texts = .allocate(byteCount: Self.textCapacity, alignment: MemoryLayout<UInt64>.alignment)
    }

    deinit {
        // What is kept of an exchange holds no references.
        lines.deallocate()
        texts.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == Self.capacity }

    subscript(index: Int) -> UnsafeMutablePointer<KeptLine> { lines + index }

    /// Where the next exchange tells its facts, all that the style names; only if it is not full.
    var next: UnsafeMutablePointer<KeptLine> { lines + count }

    /// Keeps the next exchange.
    ///
    /// - Returns: whether its bytes were copied; else there are too many, and its line has to be written before they go.
    func keep(withProgram namesClientProgram: Bool) -> Bool {
        precondition(count < Self.capacity)
        guard let facts = next.pointer(to: \.facts) else { preconditionFailure("a line has facts") }
        count &+= 1
        guard copy(AccessLogFacts.exchangePieces(of: facts)) else { return false }
        return !namesClientProgram || copy(AccessLogFacts.programPieces(of: facts))
    }

    /// Copies bytes, and has their places be those of the copies.
    ///
    /// A short loop, and a call that others make, too: it is gone through once for each exchange, between two system calls, and comes
    /// from afar each time.
    @inline(never)
    private func copy(_ pieces: AccessLogFacts.Pieces) -> Bool {
        for index in pieces.indices {
            guard let source = pieces[index].baseAddress else { continue }
            let length = pieces[index].count
            guard length <= Self.textCapacity &- textLength else { return false }
            let target = texts + textLength
            memcpy(target, source, length)
            textLength &+= length
            pieces[index] = UnsafeRawBufferPointer(start: target, count: length)
        }
        return true
    }

    func removeAll() {
        count = 0
        textLength = 0
    }
}
