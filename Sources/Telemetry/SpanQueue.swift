// Spans on their way from the workers to whoever exports them: bounded everywhere, and every loss counted.

internal import Synchronization

/// Spans that one worker has written in this turn of its loop.
///
/// Confined to one thread.
public struct SpanBuffer: ~Copyable {
    /// Bytes of spans that may be written in one turn; those beyond are lost.
    static let capacity = 1 << 20

    /// One span a line.
    fileprivate var lines = LineBuffer()
    fileprivate(set) var count: UInt64 = 0
    fileprivate(set) var lost: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { count == 0 && lost == 0 }

    /// What has been written; for tests.
    var text: String { String(decoding: lines.bytes, as: UTF8.self) }

    /// Writes a span.
    public mutating func append(_ span: SpanRecord) {
        let place = lines.count
        span.append(to: &lines)
        lines.append(UInt8(ascii: "\n"))
        if lines.count > Self.capacity {
            lines.truncate(to: place)
            lost += 1
        } else {
            count += 1
        }
    }

    fileprivate mutating func removeAll() {
        lines.removeAll()
        count = 0
        lost = 0
    }
}

@available(*, unavailable)
extension SpanBuffer: Sendable {}

/// Why a span never reached the collector; the raw value is its word in metrics.
public enum SpanLoss: String, CaseIterable, Sendable {
    /// A worker wrote too many in one turn.
    case bufferFull = "buffer_full"
    /// Too many waited already.
    case queueFull = "queue_full"
    /// The collector could not be reached for too long, or was too busy.
    case unreachable
    /// The collector would not have them.
    case refused
    /// The program ended before.
    case stopped
}

/// How an attempt to export a batch ended; the raw value is its word in metrics.
public enum SpanExportResult: String, CaseIterable, Sendable {
    case success
    /// It will be tried again.
    case retry
    /// It will not.
    case failure
}

/// Takes spans from all workers and hands them to one exporter.
///
/// Bytes that wait, with those that the exporter has in hand, are bounded; what comes beyond is dropped and counted; no worker
/// waits. Any thread.
public final class SpanQueue: Sendable {
    /// Bytes that may be kept.
    public static let capacity = 8 << 20

    private struct State {
        var waiting: [UInt8] = []
        var waitingCount: UInt64 = 0
        /// Bytes and spans that are kept, here or by the exporter.
        var keptBytes = 0
        var keptCount: UInt64 = 0
        var recorded: UInt64 = 0
        var exported: UInt64 = 0
        var lost = [UInt64](repeating: 0, count: SpanLoss.allCases.count)
        var exports = [UInt64](repeating: 0, count: SpanExportResult.allCases.count)
        var isFirstTold = false
        var isManyTold = false

        mutating func add(_ count: UInt64, _ loss: SpanLoss) {
            for (index, other) in SpanLoss.allCases.enumerated() where other == loss { lost[index] &+= count }
        }
    }

    /// Spans that are worth an export before its time, and bytes that are: few long spans fill the queue as many short ones do.
    public let batch: UInt64
    private static let batchBytes = 2 << 20
    private let capacity: Int
    private let state = Mutex(State())
    private let wake = Mutex<(@Sendable (_ isMany: Bool) -> Void)?>(nil)

    public init(batch: UInt64 = 2048, capacity: Int = SpanQueue.capacity) {
        self.batch = batch
        self.capacity = capacity
    }

    /// Has somebody told when spans wait that did not before, and when there are enough for a batch.
    public func onWaiting(_ wake: @escaping @Sendable (_ isMany: Bool) -> Void) { self.wake.withLock { $0 = wake } }

    /// Hands spans over and empties the buffer, keeping its memory.
    public func submit(_ spans: inout SpanBuffer) {
        let (count, bytes) = (spans.count, spans.lines.count)
        let (isFirst, isMany) = state.withLock { state -> (Bool, Bool) in
            state.recorded &+= count &+ spans.lost
            state.add(spans.lost, .bufferFull)
            guard state.keptBytes + bytes <= capacity else {
                state.add(count, .queueFull)
                return (false, false)
            }
            state.waiting.append(contentsOf: spans.lines.bytes)
            state.waitingCount &+= count
            state.keptBytes += bytes
            state.keptCount &+= count
            let isFirst = !state.isFirstTold
            let isBatch = state.waitingCount >= batch || state.waiting.count >= Self.batchBytes
            let isMany = !state.isManyTold && isBatch
            state.isFirstTold = true
            state.isManyTold = state.isManyTold || isMany
            return (isFirst, isMany)
        }
        spans.removeAll()
        if isFirst || isMany { wake.withLock { $0 }?(isMany) }
    }

    // MARK: The exporter's side

    /// Takes all spans that wait, one a line; they count as kept until they are done with.
    public func take() -> (bytes: [UInt8], count: UInt64) {
        state.withLock { state in
            defer {
                state.waiting = []
                state.waitingCount = 0
                state.isFirstTold = false
                state.isManyTold = false
            }
            return (state.waiting, state.waitingCount)
        }
    }

    /// Says that spans are done with: exported, but for those that were lost for that reason.
    public func finish(bytes: Int, count: UInt64, lost: UInt64 = 0, because loss: SpanLoss = .refused) {
        state.withLock { state in
            state.keptBytes -= bytes
            state.keptCount &-= count
            state.exported &+= count &- lost
            state.add(lost, loss)
        }
    }

    /// Counts an attempt to export.
    public func count(_ result: SpanExportResult) {
        state.withLock { state in
            for (index, other) in SpanExportResult.allCases.enumerated() where other == result {
                state.exports[index] &+= 1
            }
        }
    }

    /// Gives up all that is still kept: the last act.
    public func abandon() {
        state.withLock { state in
            state.add(state.keptCount, .stopped)
            state.waiting = []
            state.waitingCount = 0
            state.keptBytes = 0
            state.keptCount = 0
        }
    }

    // MARK: Reading

    /// Spans that were lost, for whatever reason.
    public var lost: UInt64 { state.withLock { $0.lost.reduce(0, &+) } }

    /// What metrics say of the spans.
    public var families: [MetricFamily] {
        typealias Sample = MetricFamily.Sample
        let (recorded, exported, kept, lost, exports) = state.withLock {
            ($0.recorded, $0.exported, $0.keptCount, $0.lost, $0.exports)
        }
        return [
            MetricFamilies.counter("spans_total", "Spans that were recorded, exported or not.", [Sample([], recorded)]),
            MetricFamilies.counter(
                "spans_exported_total",
                "Spans that the collector has taken.",
                [Sample([], exported)]
            ),
            MetricFamilies.counter(
                "spans_lost_total",
                "Spans that never reached the collector, by the reason.",
                zip(SpanLoss.allCases, lost).map { Sample([MetricFamily.Label("reason", $0.rawValue)], $1) }
            ),
            MetricFamilies.gauge("spans_waiting", "Spans that wait to be exported.", [Sample([], kept)]),
            MetricFamilies.counter(
                "span_exports_total",
                "Requests to the collector, by how they ended: retry when the same spans will be sent again.",
                zip(SpanExportResult.allCases, exports).map {
                    Sample([MetricFamily.Label("result", $0.rawValue)], $1)
                }
            ),
        ]
    }
}
