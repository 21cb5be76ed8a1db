// One worker's lines on their way to the access log.

internal import Dispatch
internal import EventLoop
internal import Front
internal import Telemetry

/// Gathers a worker's lines until there are many of them, or have been for a while.
///
/// The first line after a pause is handed over with the turn that wrote it; those that follow within ``interval`` wait for its end.
/// So a lone request's line is seen at once, and under load the log has few and long pieces to write, which costs it least. Until
/// then the lines are the worker's: who ends the process at once asks for them first (``WorkerGroup/handOverLines(milliseconds:)``).
///
/// Loop thread only.
final class WorkerLog: EventHandler {
    /// How long lines are gathered at most, in nanoseconds.
    private static let interval: UInt64 = 50_000_000
    /// How many bytes are gathered at most, but for the last line.
    private static let enough = 240 << 10

    /// What the next line tells.
    let record = AccessLogRecord()
    /// Where the client's address and the trace's identifier are written out for the line.
    private let address: UnsafeMutableRawBufferPointer
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
        traceID = .allocate(byteCount: TraceContext.identifierLength, alignment: 8)
        super.init(loop: loop)
    }

    deinit {
        address.deallocate()
        traceID.deallocate()
    }

    /// Whether lines are wanted.
    var isOn: Bool { log != nil }

    /// Goes over to another log; what was gathered belongs to the former one.
    func change(to other: AccessLog?) {
        handOver()
        log = other
    }

    /// Tells who asked, and in which trace.
    func describe(_ client: PeerAddress, _ trace: TraceContext?) {
        record.facts.client = UnsafeRawBufferPointer(rebasing: address[..<client.write(to: address)])
        trace?.writeIdentifier(to: traceID)
        record.facts.traceID = trace == nil ? .empty : UnsafeRawBufferPointer(traceID)
    }

    /// Writes the line that ``record`` tells of, and forgets what it tells.
    func write(_ style: AccessLogStyle) {
        if log != nil {
            counters.add(.logLines)
            record.append(to: &lines, style, clock: clock)
            if lines.count >= Self.enough { handOver() }
        }
        record.reset()
    }

    /// At the end of each turn.
    func turnEnded() {
        guard !lines.isEmpty else { return }
        if loop.now >= nextHandOver { handOver() } else if deadline == .never { setDeadline(nextHandOver) }
    }

    override func deadlineReached() { handOver() }

    /// Hands over what there is.
    func handOver() {
        setDeadline(.never)
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
