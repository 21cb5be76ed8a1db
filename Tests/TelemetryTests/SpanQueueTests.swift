// Spans between workers and exporter: bounded, and no loss without a count.

import Synchronization
import Testing

@testable import Telemetry

@Suite("Span queue")
struct SpanQueueTests {
    private func buffer(_ count: Int, textLength: Int = 10) -> SpanBuffer {
        var buffer = SpanBuffer()
        add(count, textLength: textLength, to: &buffer)
        return buffer
    }

    private func add(_ count: Int, textLength: Int = 10, to buffer: inout SpanBuffer) {
        let context = TraceContext(traceHigh: 1, traceLow: 2, parent: 3, flags: 1)
        for _ in 0..<count {
            var span = SpanRecord(.client, context, identifier: 4)
            span.text = String(repeating: "x", count: textLength)
            span.reason = "refused"
            buffer.append(span)
        }
    }

    /// The samples of a family, by their last label.
    private func values(_ queue: SpanQueue, _ name: String) -> [String: UInt64] {
        let family = queue.families.first { $0.name == "curl_lb_\(name)" }
        let pairs = (family?.samples ?? []).compactMap { sample -> (String, UInt64)? in
            guard case .integer(let value) = sample.value else { return nil }
            return (sample.labels.last?.value ?? "", value)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func `a worker's buffer is bounded, keeps whole spans, and counts the others`() {
        let buffer = buffer(5000, textLength: 1000)
        let (text, count, lost) = (buffer.text, buffer.count, buffer.lost)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(text.utf8.count <= SpanBuffer.capacity)
        #expect(count + lost == 5000 && lost > 0)
        #expect(lines.count == Int(count) + 1 && lines.last?.isEmpty == true)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }

    @Test func `what was handed over is counted, and leaves an empty buffer`() {
        let queue = SpanQueue()
        var buffer = buffer(5000, textLength: 1000)
        let (kept, lost) = (buffer.count, buffer.lost)
        queue.submit(&buffer)
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
        #expect(values(queue, "spans_total") == ["": 5000])
        #expect(values(queue, "spans_waiting") == ["": kept])
        #expect(values(queue, "spans_lost_total")["buffer_full"] == lost && queue.lost == lost)
        #expect(queue.take().count == kept)
        #expect(queue.take().bytes.isEmpty)
    }

    @Test func `the queue is bounded, with what the exporter has in hand`() {
        let size = 4 * buffer(1).text.utf8.count
        let queue = SpanQueue(capacity: size)
        var buffer = SpanBuffer()
        for _ in 0..<3 {
            add(2, to: &buffer)
            queue.submit(&buffer)
        }
        #expect(values(queue, "spans_lost_total")["queue_full"] == 2)
        let taken = queue.take()
        #expect(taken.count == 4 && taken.bytes.count == size)
        add(1, to: &buffer)
        queue.submit(&buffer)
        #expect(values(queue, "spans_lost_total")["queue_full"] == 3)
        queue.finish(bytes: size, count: 4, lost: 1, because: .refused)
        #expect(values(queue, "spans_exported_total") == ["": 3])
        #expect(values(queue, "spans_lost_total")["refused"] == 1)
        add(4, to: &buffer)
        queue.submit(&buffer)
        #expect(queue.take().count == 4)
    }

    @Test func `what is never exported is lost, once`() {
        let queue = SpanQueue()
        var spans = buffer(3)
        queue.submit(&spans)
        _ = queue.take()
        add(2, to: &spans)
        queue.submit(&spans)
        queue.abandon()
        #expect(values(queue, "spans_lost_total")["stopped"] == 5)
        #expect(values(queue, "spans_waiting") == ["": 0] && queue.take().bytes.isEmpty)
        queue.abandon()
        #expect(queue.lost == 5)
    }

    @Test func `the exporter is told of the first span, and of a full batch, once each`() {
        let queue = SpanQueue(batch: 10)
        let told = Mutex<[Bool]>([])
        queue.onWaiting { isMany in told.withLock { $0.append(isMany) } }
        var spans = SpanBuffer()
        for _ in 0..<6 {
            add(3, to: &spans)
            queue.submit(&spans)
        }
        #expect(told.withLock { $0 } == [false, true])
        _ = queue.take()
        add(1, to: &spans)
        queue.submit(&spans)
        #expect(told.withLock { $0 } == [false, true, false])
    }

    @Test func `the exporter is told of few long spans as of many short ones`() {
        let queue = SpanQueue()
        let told = Mutex<[Bool]>([])
        queue.onWaiting { isMany in told.withLock { $0.append(isMany) } }
        var spans = SpanBuffer()
        for _ in 0..<5 {
            add(5, textLength: 100_000, to: &spans)
            queue.submit(&spans)
        }
        #expect(told.withLock { $0 } == [false, true])
        #expect(queue.lost == 0)
    }

    @Test func `results of exports are counted by their word`() {
        let queue = SpanQueue()
        for result in [SpanExportResult.retry, .success, .retry] { queue.count(result) }
        #expect(values(queue, "span_exports_total") == ["success": 1, "retry": 2, "failure": 0])
    }
}
