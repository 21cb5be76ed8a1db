// One worker's lines on their way to the access log.

internal import Dispatch
internal import EventLoop
internal import Front
internal import Telemetry

/// Keeps what a worker's exchanges leave for their lines, writes several lines at a time, and gathers these until there are many, or
/// have been for a while.
///
/// The first line after a pause is handed over with the turn in which its exchange ended, or with the next one, which does not wait;
/// those that follow within ``interval`` wait for its end. So a lone request's line is seen at once, and under load the log has few
/// and long pieces to write, which costs it least. Until then the lines are the worker's: who ends the process at once asks for them
/// first (``WorkerGroup/handOverLines(milliseconds:)``).
///
/// Loop thread only.
final class WorkerLog: EventHandler {
    /// How long lines are gathered at most, in nanoseconds.
    private static let interval: UInt64 = 50_000_000
    /// How many bytes are gathered at most, but for the last lines.
    private static let enough = 240 << 10

    private let kept = KeptLines()
    /// What few exchanges have to tell: that of the one whose line is written next.
    private let record = AccessLogRecord()
    /// Where the client's address and the trace's identifier are written out for a line.
    private let address: UnsafeMutableRawBufferPointer
    private let traceID: UnsafeMutableRawBufferPointer
    private let counters: WorkerCounters
    private let clock: WallClock
    private var log: AccessLog?
    /// How its lines are written.
    private var style: AccessLogStyle?
    private var lines = LineBuffer()
    /// When lines may be handed over again.
    private var nextHandOver = MonotonicTime(nanoseconds: 0)

    init(
        loop: EventLoop,
        to log: AccessLog?,
        _ style: AccessLogStyle?,
        counters: WorkerCounters,
        clock: WallClock
    ) {
        self.log = log
        self.style = style
        self.counters = counters
        self.clock = clock
        address = .allocate(byteCount: PeerAddress.maximumTextLength, alignment: 8)
        traceID = .allocate(byteCount: TraceContext.identifierLength, alignment: 8)
        super.init(loop: loop)
    }

    deinit {
        address.deallocate()
        traceID.deallocate()
    }

    /// Goes over to another log, or another style; what was gathered belongs to the former ones.
    func change(to other: AccessLog?, _ style: AccessLogStyle?) {
        handOver()
        log = other
        self.style = style
    }

    /// Whether lines are wanted; and what of the style each exchange asks.
    var isOn: Bool { log != nil && style != nil }
    var sample: Int { style?.sample ?? 1 }
    var namesClientProgram: Bool { style?.namesClientProgram == true }
    var namesPhases: Bool { style?.namesPhases == true }

    // MARK: Exchanges

    /// Where the next exchange tells its facts, all that the style names, before it is kept or written.
    var next: UnsafeMutablePointer<KeptLine> { kept.next }

    /// Keeps what the next exchange has told until its line is written.
    func keep() {
        counters.add(.logLines)
        if !kept.keep(withProgram: namesClientProgram) || kept.isFull { writeKept() }
        guard deadline == .never, !kept.isEmpty || !lines.isEmpty else { return }
        if loop.now >= nextHandOver { loop.schedule(self) } else { setDeadline(nextHandOver) }
    }

    /// Writes at once what the next exchange has told, and what few have to tell; after ``writeKept()``.
    func write(describe: (AccessLogRecord) -> Void) {
        describe(record)
        keep()
        writeKept()
        record.reset()
    }

    /// Writes the lines of the exchanges that are kept.
    func writeKept() {
        guard !kept.isEmpty, let style else { return }
        clock.compare()
        for index in 0..<kept.count { write(kept[index], style) }
        kept.removeAll()
        if lines.count >= Self.enough { handOver() }
    }

    private func write(_ line: UnsafeMutablePointer<KeptLine>, _ style: AccessLogStyle) {
        let length = line.pointee.client.write(to: address)
        line.pointee.facts.client = UnsafeRawBufferPointer(rebasing: address[..<length])
        let trace = line.pointee.trace
        trace?.writeIdentifier(to: traceID)
        line.pointee.facts.traceID = trace == nil ? .empty : UnsafeRawBufferPointer(traceID)
        record.append(&line.pointee.facts, to: &lines, style, clock: clock)
    }

    // MARK: Lines

    override func resume() { handOver() }

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
