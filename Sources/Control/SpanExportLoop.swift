// The loop of the span exporter: one batch after the other, again when the collector could not take it, until it is too late.

internal import EventLoop
internal import Glibc
internal import Telemetry
internal import Upstream

/// Makes requests to the collector, one at a time, on a loop and a multi handle of its own.
///
/// Confined to the queue that runs ``run()``.
final class SpanExportLoop {
    /// The limit of one request, in nanoseconds.
    private static let requestTime: UInt64 = 10_000_000_000
    /// The most bytes of a batch.
    private static let batchBytes = 2 << 20
    /// How much of a collector's answer is read.
    private static let longestAnswer = 16 << 10

    /// Spans under way.
    private struct Batch {
        let body: [UInt8]
        /// What the queue counts.
        let bytes: Int
        let count: UInt64
        let firstTry: MonotonicTime
        var tries: UInt64 = 0
    }

    private let exporter: SpanExporter
    private let loop = EventLoop()
    private let multi: CurlMulti
    private lazy var timer = Timer(self)
    private var report: SpanLossReport
    /// Taken from the queue, one span a line.
    private var taken: ArraySlice<UInt8> = []
    private var batch: Batch?
    private var post: Probe?
    private var pace = SpanExportPace()
    /// When the loop ends, if it is to end.
    private var end = MonotonicTime.never

    init(_ exporter: SpanExporter) {
        self.exporter = exporter
        multi = CurlMulti(loop: loop)
        report = SpanLossReport(exporter.diagnostics)
    }

    func run() {
        exporter.mailbox.open(on: loop) { [unowned self] in receive($0) }
        loop.run()
        _ = exporter.mailbox.closeAndDrain()
        post?.cancel()
        post = nil
        exporter.queue.abandon()
        report.tellAtTheEnd(lost: exporter.queue.lost)
        loop.tearDown()
    }

    private var isEnding: Bool { end != .never }

    // MARK: What happens

    private func receive(_ message: SpanExporter.Message) {
        switch message {
        case .spans(let areMany): pace.spansWait(areMany: areMany, at: loop.now)
        case .stop:
            end = loop.now + SpanExporter.flushTime
            pace.hurry(at: loop.now)
        }
        goOn()
    }

    /// Does what is to be done after anything has happened.
    private func goOn() {
        if loop.now >= end {
            loop.stop()
            return
        }
        if post == nil, loop.now >= pace.pauseEnd {
            if batch == nil { batch = nextBatch() }
            if batch != nil { send() } else if isEnding { loop.stop() }
        }
        report.tell(lost: exporter.queue.lost, at: loop.now)
        setTimer()
    }

    private func setTimer() {
        var next = min(end, report.next)
        // While a request is under way its end is what is waited for.
        if post == nil { next = min(next, pace.nextSend(isTaken: batch != nil || !taken.isEmpty)) }
        timer.setDeadline(next)
    }

    // MARK: Batches

    private func nextBatch() -> Batch? {
        if taken.isEmpty, loop.now >= pace.gatherEnd {
            taken = exporter.queue.take().bytes[...]
            pace.queueIsTaken()
        }
        guard !taken.isEmpty else { return nil }
        let (length, count) = taken.withUnsafeBytes { lines in
            var (length, count) = (0, UInt64(0))
            while count < exporter.queue.batch, let next = Self.endOfLine(in: lines, from: length) {
                guard length == 0 || next <= Self.batchBytes else { break }
                length = next
                count += 1
            }
            return (length, count)
        }
        let spans = taken.prefix(length)
        defer { taken = taken.dropFirst(length) }
        return Batch(body: exporter.envelope.body(of: spans), bytes: length, count: count, firstTry: loop.now)
    }

    /// Where the next line begins; nil behind the last one.
    private static func endOfLine(in lines: UnsafeRawBufferPointer, from place: Int) -> Int? {
        guard let start = lines.baseAddress, place < lines.count,
            let feed = memchr(start + place, CInt(UInt8(ascii: "\n")), lines.count - place)
        else { return nil }
        return UnsafeRawPointer(feed) - start + 1
    }

    private func send() {
        guard var batch else { return }
        batch.tries += 1
        self.batch = batch
        let limit = min(Self.requestTime, isEnding ? end.since(loop.now) : .max)
        var request = ProbeRequest(
            path: exporter.endpoint.path,
            timeoutMilliseconds: max(1, Int(limit / 1_000_000)),
            bodyLimit: Self.longestAnswer
        )
        request.content = batch.body
        request.fieldLines = exporter.headers
        request.userAgent = "curl-lb/\(VersionReport.programVersion)"
        post = Probe(of: exporter.endpoint.origin, request, on: multi, loop: loop) { [unowned self] result in
            post = nil
            finished(result)
            goOn()
        }
    }

    private func finished(_ result: ProbeResult) {
        guard let batch else { preconditionFailure("a request has a batch") }
        let queue = exporter.queue
        switch CollectorAnswer(result) {
        case .taken(let rejected, let text):
            let lost = min(rejected, batch.count)
            queue.count(.success)
            queue.finish(bytes: batch.bytes, count: batch.count, lost: lost)
            report.isWorking(text: lost > 0 ? "the collector rejects spans: \(text)" : nil)
            self.batch = nil
        case .busy(let text, let retryAfter):
            report.isFailing(text)
            let isAgain = pace.pause(
                after: batch.tries,
                since: batch.firstTry,
                retryAfter: retryAfter,
                chance: .random(in: 0.5...1),
                isEnding: isEnding,
                at: loop.now
            )
            if isAgain {
                queue.count(.retry)
            } else {
                queue.count(.failure)
                queue.finish(bytes: batch.bytes, count: batch.count, lost: batch.count, because: .unreachable)
                self.batch = nil
            }
        case .refused(let text):
            queue.count(.failure)
            queue.finish(bytes: batch.bytes, count: batch.count, lost: batch.count)
            report.isFailing(text)
            self.batch = nil
        }
    }

    private final class Timer: EventHandler {
        private unowned let exporter: SpanExportLoop

        init(_ exporter: SpanExportLoop) {
            self.exporter = exporter
            super.init(loop: exporter.loop)
        }

        override func deadlineReached() { exporter.goOn() }
    }
}

@available(*, unavailable)
extension SpanExportLoop: Sendable {}
