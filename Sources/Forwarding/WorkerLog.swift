// One worker's lines on their way to the access log.

internal import Dispatch
internal import EventLoop
internal import Front
internal import Telemetry

/// Writes a worker's lines at the end of each turn, and gathers them until there are many, or have been for a while.
///
/// The first line after a pause is handed over with the turn that wrote it; those that follow within ``interval`` wait for its end.
/// So a lone request's line is seen at once, and under load the log has few and long pieces to write, which costs it least. Until
/// then the lines are the worker's: who ends the process at once asks for them first (``WorkerGroup/handOverLines(milliseconds:)``).
///
/// Loop thread only.
final class WorkerLog: EventHandler {
    /// How long lines are gathered at most, in nanoseconds.
    private static let interval: UInt64 = 50_000_000
    /// How many bytes are gathered at most, but for the last lines.
    private static let enough = 240 << 10

    private let kept = KeptLines()
    /// How those are to be written that are kept.
    private var style: AccessLogStyle?
    /// What few exchanges have to tell: that of the one whose line is written next.
    private let record = AccessLogRecord()
    /// Where the client's address and the identifiers are written out for a line.
    private let address: UnsafeMutableRawBufferPointer
    private let identifier: UnsafeMutableRawPointer
    private let traceID: UnsafeMutableRawBufferPointer
    private let counters: WorkerCounters
    private let clock: WallClock
    private var log: AccessLog?
    private var lines = LineBuffer()
    /// When lines may be handed over again.
    private var nextHandOver = MonotonicTime(nanoseconds: 0)

    init(loop: EventLoop, to log: AccessLog?, counters: WorkerCounters, clock: WallClock) {
        self.log = log
        self.counters = counters
        self.clock = clock
        address = .allocate(byteCount: PeerAddress.maximumTextLength, alignment: 8)
        identifier = .allocate(byteCount: RequestIdentifier.length, alignment: 8)
        traceID = .allocate(byteCount: TraceContext.identifierLength, alignment: 8)
        super.init(loop: loop)
    }

    deinit {
        address.deallocate()
        identifier.deallocate()
        traceID.deallocate()
    }

    /// Whether lines are wanted.
    var isOn: Bool { log != nil }

    /// Goes over to another log, or another style; what was gathered belongs to the former one.
    func change(to other: AccessLog?) {
        handOver()
        log = other
    }

    // MARK: Exchanges

    /// Where the next exchange tells its facts, all of them, before ``keep(_:)``.
    var next: UnsafeMutablePointer<KeptLine> { kept.next }

    /// Keeps what ``next`` tells of an exchange until its line is written.
    func keep(_ style: AccessLogStyle) {
        guard log != nil else { return }
        counters.add(.logLines)
        if self.style !== style { self.style = style }
        if !kept.keep() || kept.isFull { writeKept() }
    }

    /// Writes at once what ``next`` tells of an exchange, and what few have to tell; after ``writeKept()``.
    func write(_ style: AccessLogStyle, describe: (AccessLogRecord) -> Void) {
        guard log != nil else { return }
        describe(record)
        keep(style)
        writeKept()
        record.reset()
    }

    /// Writes the lines of the exchanges that are kept.
    func writeKept() {
        guard kept.count > 0, let style else { return }
        for index in 0..<kept.count { write(kept[index], style) }
        kept.removeAll()
        if lines.count >= Self.enough { handOver() }
    }

    private func write(_ line: UnsafeMutablePointer<KeptLine>, _ style: AccessLogStyle) {
        let length = line.pointee.client.write(to: address)
        line.pointee.facts.client = UnsafeRawBufferPointer(rebasing: address[..<length])
        if let number = line.pointee.identifier {
            line.pointee.facts.requestID = RequestIdentifier.write(number, to: identifier)
        }
        line.pointee.trace?.writeIdentifier(to: traceID)
        line.pointee.facts.traceID = line.pointee.trace == nil ? .empty : UnsafeRawBufferPointer(traceID)
        record.append(&line.pointee.facts, to: &lines, style, clock: clock)
    }

    // MARK: Lines

    /// At the end of each turn.
    func turnEnded() {
        writeKept()
        guard !lines.isEmpty else { return }
        if loop.now >= nextHandOver { handOver() } else if deadline == .never { setDeadline(nextHandOver) }
    }

    override func deadlineReached() { handOver() }

    /// Hands over what there is.
    func handOver() {
        writeKept()
        setDeadline(.never)
        guard !lines.isEmpty else { return }
        nextHandOver = loop.now + Self.interval
        log?.submit(&lines)
    }
}

/// A worker's word that its lines have been handed over; a worker that ended before has done so.
public final class LinesReceipt: Sendable {
    private let group: DispatchGroup

    init(in group: DispatchGroup) {
        self.group = group
        group.enter()
    }

    deinit { group.leave() }
}
