// Spans in OTLP's JSON, to the letter, and what stands around them.

import Foundation
import Testing

@testable import Telemetry

@Suite("Span records")
struct SpanRecordTests {
    private static let context = TraceContext(
        traceHigh: 0x4bf9_2f35_77b3_4da6,
        traceLow: 0xa3ce_929d_0e0e_4736,
        parent: 0x00f0_67aa_0ba9_02b7,
        flags: 1
    )

    /// The JSON of a span; the closure gets it with memory for its texts.
    private func json(
        _ kind: SpanRecord.Kind,
        _ context: TraceContext = context,
        _ texts: [String] = [],
        _ fill: (inout SpanRecord, [UnsafeRawBufferPointer]) -> Void
    ) -> String {
        let memory = texts.map { text in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
            buffer.copyBytes(from: text.utf8)
            return buffer
        }
        defer { for buffer in memory { buffer.deallocate() } }
        var span = SpanRecord(kind, context, identifier: 0xABC)
        fill(&span, memory.map { UnsafeRawBufferPointer($0) })
        var line = LineBuffer()
        span.append(to: &line)
        return String(decoding: line.bytes, as: UTF8.self)
    }

    @Test func `an exchange, to the letter`() {
        let texts = ["GET", "/a", "x.example", "192.0.2.7", "id-1", "a=b,c=d"]
        let text = json(.server, Self.context, texts) { span, texts in
            (span.method, span.path, span.host, span.client) = (texts[0], texts[1], texts[2], texts[3])
            (span.requestID, span.state) = (texts[4], texts[5])
            span.port = 8080
            span.start = 1_700_000_000_000_000_001
            span.end = 1_700_000_000_002_000_000
            span.status = 200
            span.bytesIn = 0
            span.bytesOut = 12
            span.backend = "blue"
            span.attempts = 2
            span.queued = 1_500_000
        }
        #expect(
            text == """
                {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000abc",\
                "parentSpanId":"00f067aa0ba902b7","traceState":"a=b,c=d","name":"GET","kind":2,\
                "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000002000000","attributes":[\
                {"key":"http.request.method","value":{"stringValue":"GET"}},\
                {"key":"url.scheme","value":{"stringValue":"http"}},\
                {"key":"url.path","value":{"stringValue":"/a"}},\
                {"key":"server.address","value":{"stringValue":"x.example"}},\
                {"key":"server.port","value":{"intValue":"8080"}},\
                {"key":"client.address","value":{"stringValue":"192.0.2.7"}},\
                {"key":"network.protocol.version","value":{"stringValue":"1.1"}},\
                {"key":"http.response.status_code","value":{"intValue":"200"}},\
                {"key":"http.request.body.size","value":{"intValue":"0"}},\
                {"key":"http.response.body.size","value":{"intValue":"12"}},\
                {"key":"curl_lb.backend","value":{"stringValue":"blue"}},\
                {"key":"curl_lb.attempts","value":{"intValue":"2"}},\
                {"key":"curl_lb.queue_ms","value":{"doubleValue":1.500}},\
                {"key":"curl_lb.request_id","value":{"stringValue":"id-1"}}],"status":{}}
                """
        )
    }

    @Test func `a failed attempt, to the letter`() {
        let text = json(.client, Self.context, ["BREW", "/pot"]) { span, texts in
            (span.method, span.path) = (texts[0], texts[1])
            span.isMethodKnown = false
            span.minorVersion = 0
            span.backendHost = "10.0.0.1"
            span.port = 80
            span.end = 7
            span.reason = "connection_refused"
            span.text = "Failed: \"no\""
            span.backend = "blue"
            span.attempts = 2
            span.outcome = .failed
            span.connect = 250_000
        }
        #expect(
            text == #"""
                {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000abc",\#
                "parentSpanId":"00f067aa0ba902b7","name":"HTTP","kind":3,\#
                "startTimeUnixNano":"0","endTimeUnixNano":"7","attributes":[\#
                {"key":"http.request.method","value":{"stringValue":"_OTHER"}},\#
                {"key":"http.request.method_original","value":{"stringValue":"BREW"}},\#
                {"key":"url.scheme","value":{"stringValue":"http"}},\#
                {"key":"url.path","value":{"stringValue":"/pot"}},\#
                {"key":"server.address","value":{"stringValue":"10.0.0.1"}},\#
                {"key":"server.port","value":{"intValue":"80"}},\#
                {"key":"network.protocol.version","value":{"stringValue":"1.0"}},\#
                {"key":"error.type","value":{"stringValue":"connection_refused"}},\#
                {"key":"curl_lb.backend","value":{"stringValue":"blue"}},\#
                {"key":"http.request.resend_count","value":{"intValue":"1"}},\#
                {"key":"curl_lb.outcome","value":{"stringValue":"failed"}},\#
                {"key":"curl_lb.connection_reused","value":{"boolValue":false}},\#
                {"key":"curl_lb.connect_ms","value":{"doubleValue":0.250}}],\#
                "status":{"code":2,"message":"Failed: \"no\""}}
                """#
        )
    }

    @Test func `a trace that begins here has no parent, and hostile bytes stay within their texts`() throws {
        var context = Self.context
        context.parent = 0
        let text = json(.server, context, ["GET", "/\"\\\n\u{0}é", "x"]) { span, texts in
            (span.method, span.path, span.host) = (texts[0], texts[1], texts[2])
        }
        #expect(!text.contains("parentSpanId") && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let span = try #require(object as? [String: Any])
        let attributes = try #require(span["attributes"] as? [[String: Any]])
        let path = try #require(attributes.first { $0["key"] as? String == "url.path" }?["value"] as? [String: String])
        #expect(path["stringValue"] == "/\"\\\n\u{0}\u{C3}\u{A9}", "byte by byte")
    }

    @Test func `a path and a host are cut, since clients choose how long they are`() {
        let long = { (length: Int) in String(repeating: "x", count: length) }
        let text = json(.server, Self.context, ["/" + long(7900), long(300)]) { span, texts in
            (span.path, span.host) = (texts[0], texts[1])
        }
        #expect(text.contains("{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/\(long(511))\"}}"))
        #expect(text.contains("{\"key\":\"server.address\",\"value\":{\"stringValue\":\"\(long(255))\"}}"))
    }

    @Test(arguments: [
        (SpanRecord.Kind.server, 404, false), (.server, 500, true), (.client, 399, false), (.client, 404, true),
        (.client, 503, true),
    ])
    func `which statuses are errors`(kind: SpanRecord.Kind, status: Int, isError: Bool) {
        let text = json(kind) { span, _ in span.status = status }
        #expect(text.hasSuffix(isError ? "\"status\":{\"code\":2}}" : "\"status\":{}}"))
        #expect(text.contains("{\"key\":\"error.type\",\"value\":{\"stringValue\":\"\(status)\"}}") == isError)
    }

    @Test func `a request's body, to the letter`() {
        let envelope = SpanEnvelope(name: "edge \"1\"", version: "0.1.0", host: "")
        let body = envelope.body(of: Array("{1}\n{2}\n".utf8)[...])
        #expect(
            String(decoding: body, as: UTF8.self) == #"""
                {"resourceSpans":[{"resource":{"attributes":[\#
                {"key":"service.name","value":{"stringValue":"edge \"1\""}},\#
                {"key":"service.version","value":{"stringValue":"0.1.0"}}]},\#
                "scopeSpans":[{"scope":{"name":"curl-lb","version":"0.1.0"},"spans":[{1},{2}]}]}]}
                """#
        )
        let named = SpanEnvelope(name: "a", version: "1", host: "host-1").body(of: Array("{}\n".utf8)[...])
        #expect(
            String(decoding: named, as: UTF8.self).contains(#"{"key":"host.name","value":{"stringValue":"host-1"}}"#)
        )
    }
}
