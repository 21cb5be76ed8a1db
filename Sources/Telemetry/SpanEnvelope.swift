// What stands around spans on their way to a collector: who tells of them.

/// Makes the bodies of OTLP's requests in JSON.
///
/// Source: opentelemetry.io/docs/specs/otlp, `ExportTraceServiceRequest`.
public struct SpanEnvelope: Sendable {
    private static let end: StaticString = "]}]}]}"
    private let start: [UInt8]

    /// - Parameters:
    ///   - name: this balancer's name (`service.name`).
    ///   - version: the program's version (`service.version`).
    ///   - host: the machine's name (`host.name`); left out when empty.
    public init(name: String, version: String, host: String) {
        var text = LineBuffer()
        text.append("{\"resourceSpans\":[{\"resource\":{\"attributes\":[")
        var isFirst = true
        for (key, value) in [("service.name", name), ("service.version", version), ("host.name", host)]
        where !value.isEmpty {
            if !isFirst { text.append(",") }
            isFirst = false
            text.append("{\"key\":\"")
            text.append(key)
            text.append("\",\"value\":{\"stringValue\":\"")
            text.append(escapedForJSON: value)
            text.append("\"}}")
        }
        text.append("]},\"scopeSpans\":[{\"scope\":{\"name\":\"curl-lb\",\"version\":\"")
        text.append(escapedForJSON: version)
        text.append("\"},\"spans\":[")
        start = Array(text.bytes)
    }

    /// A request's body with these spans.
    ///
    /// - Parameter spans: one a line, each with its line feed; at least one.
    public func body(of spans: ArraySlice<UInt8>) -> [UInt8] {
        precondition(spans.last == UInt8(ascii: "\n"), "whole lines")
        var body: [UInt8] = []
        body.reserveCapacity(start.count + spans.count + Self.end.utf8CodeUnitCount)
        body += start
        let first = body.count
        body += spans[..<(spans.endIndex - 1)]
        // Nothing in a span is a line feed: texts are escaped.
        body.withUnsafeMutableBufferPointer { bytes in
            for index in first..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
                bytes[index] = UInt8(ascii: ",")
            }
        }
        Self.end.withUTF8Buffer { body += $0 }
        return body
    }
}
