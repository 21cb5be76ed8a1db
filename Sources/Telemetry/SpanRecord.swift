// One span as OpenTelemetry's protocol has it in JSON: what an exchange, or one of its attempts, leaves in a trace.

/// The facts of one span; times in nanoseconds.
///
/// The byte ranges are borrowed for as long as the span is being written. Names of attributes are those of OpenTelemetry's semantic
/// conventions for HTTP where there is one; the target's query stands in none of them, since it may hold secrets.
public struct SpanRecord {
    /// Whose work it is; the raw value is that of OTLP.
    public enum Kind: UInt64, Sendable {
        /// An exchange with a client.
        case server = 2
        /// An attempt at a backend.
        case client = 3
    }

    /// How an attempt ended.
    public enum Outcome: Sendable {
        case answered
        case failed
        case abandoned

        var word: StaticString {
            switch self {
            case .answered: "answered"
            case .failed: "failed"
            case .abandoned: "abandoned"
            }
        }
    }

    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    /// The longest `tracestate` that is told of (W3C trace context, section 3.3.1.5).
    private static let longestState = 512
    /// The most bytes of a target's path and of a host, which the client chooses: what is longer is cut, not left out.
    private static let longestPath = 512
    private static let longestHost = 255

    public var kind: Kind
    /// The trace, and whose child the span is; 0 for nobody's.
    public var context: TraceContext
    /// The span's identifier.
    public var identifier: UInt64
    /// The request's `tracestate`; empty for none.
    public var state = nothing
    /// Since 1970.
    public var start: UInt64 = 0
    public var end: UInt64 = 0

    public var method = nothing
    /// Whether the method is one of those that the conventions know.
    public var isMethodKnown = true
    /// The target without its query.
    public var path = nothing
    public var scheme: StaticString = "http"
    /// The host that the client asked for; empty when that is ``backendHost``, or unknown.
    public var host = nothing
    /// Where the backend is: a host, or the path of a socket.
    public var backendHost: String?
    /// The port beside either; 0 for none.
    public var port: UInt64 = 0
    /// The minor version of HTTP/1.
    public var minorVersion: UInt8 = 1
    /// The client's address, without its port.
    public var client = nothing
    /// The status of the response; 0 when there was none.
    public var status = 0
    /// Why it did not end well, from the failure table.
    public var reason: String?
    /// More about that.
    public var text: String?
    /// Body bytes; nil for an attempt.
    public var bytesIn: UInt64?
    public var bytesOut: UInt64?
    public var backend: String?
    /// How many attempts an exchange has made; which of them an attempt is, from 1 on.
    public var attempts = 0
    /// How long the exchange waited for a place at a backend.
    public var queued: UInt64 = 0
    public var requestID = nothing

    // Of an attempt.
    public var outcome: Outcome?
    public var isConnectionReused = false
    public var dns: UInt64?
    public var connect: UInt64?
    public var tls: UInt64?
    public var wait: UInt64?

    public init(_ kind: Kind, _ context: TraceContext, identifier: UInt64) {
        self.kind = kind
        self.context = context
        self.identifier = identifier
    }

    // MARK: JSON

    /// Appends the span as an object of OTLP's JSON.
    ///
    /// Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding": identifiers in hexadecimal, 64-bit numbers as text.
    func append(to line: inout LineBuffer) {
        line.append("{\"traceId\":\"")
        line.append(hexadecimal: context.traceHigh)
        line.append(hexadecimal: context.traceLow)
        line.append("\",\"spanId\":\"")
        line.append(hexadecimal: identifier)
        if context.parent != 0 {
            line.append("\",\"parentSpanId\":\"")
            line.append(hexadecimal: context.parent)
        }
        if !state.isEmpty, state.count <= Self.longestState {
            line.append("\",\"traceState\":\"")
            line.append(escapedForJSON: state)
        }
        line.append("\",\"name\":\"")
        if isMethodKnown { line.append(escapedForJSON: method) } else { line.append("HTTP") }
        line.append("\",\"kind\":")
        line.append(decimal: kind.rawValue)
        line.append(",\"startTimeUnixNano\":\"")
        line.append(decimal: start)
        line.append("\",\"endTimeUnixNano\":\"")
        line.append(decimal: end)
        line.append("\",\"attributes\":[")
        appendAttributes(to: &line)
        line.append("],\"status\":{")
        if isError {
            line.append("\"code\":2")
            if let text {
                line.append(",\"message\":\"")
                line.append(escapedForJSON: text)
                line.append("\"")
            }
        }
        line.append("}}")
    }

    /// A server's span is an error from 500 on, a client's from 400 on (semantic conventions for HTTP spans, "Status").
    private var isError: Bool { reason != nil || outcome == .failed || isErrorStatus }

    private var isErrorStatus: Bool { status >= (kind == .server ? 500 : 400) }

    private static func cut(_ text: UnsafeRawBufferPointer, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text.prefix(length))
    }

    private func appendAttributes(to line: inout LineBuffer) {
        var attributes = AttributeList()
        attributes.add("http.request.method", to: &line) {
            if isMethodKnown { $0.append(escapedForJSON: method) } else { $0.append("_OTHER") }
        }
        if !isMethodKnown {
            attributes.add("http.request.method_original", to: &line) { $0.append(escapedForJSON: method) }
        }
        attributes.add("url.scheme", to: &line) { $0.append(scheme) }
        attributes.add("url.path", to: &line) {
            if path.isEmpty { $0.append("/") } else { $0.append(escapedForJSON: Self.cut(path, Self.longestPath)) }
        }
        if let backendHost {
            attributes.add("server.address", to: &line) { $0.append(escapedForJSON: backendHost) }
        } else if !host.isEmpty {
            attributes.add("server.address", to: &line) { $0.append(escapedForJSON: Self.cut(host, Self.longestHost)) }
        }
        if port != 0 { attributes.add("server.port", port, to: &line) }
        if !client.isEmpty { attributes.add("client.address", to: &line) { $0.append(escapedForJSON: client) } }
        attributes.add("network.protocol.version", to: &line) {
            $0.append("1.")
            $0.append(decimal: UInt64(minorVersion))
        }
        if status != 0 { attributes.add("http.response.status_code", UInt64(status), to: &line) }
        if let reason {
            attributes.add("error.type", to: &line) { $0.append(escapedForJSON: reason) }
        } else if isErrorStatus {
            attributes.add("error.type", to: &line) { $0.append(decimal: UInt64(status)) }
        } else if outcome == .failed {
            attributes.add("error.type", to: &line) { $0.append("_OTHER") }
        }
        if let bytesIn { attributes.add("http.request.body.size", bytesIn, to: &line) }
        if let bytesOut { attributes.add("http.response.body.size", bytesOut, to: &line) }
        if let backend { attributes.add("curl_lb.backend", to: &line) { $0.append(escapedForJSON: backend) } }
        switch kind {
        case .server:
            attributes.add("curl_lb.attempts", UInt64(attempts), to: &line)
            if queued > 0 { attributes.add("curl_lb.queue_ms", milliseconds: queued, to: &line) }
            if !requestID.isEmpty {
                attributes.add("curl_lb.request_id", to: &line) { $0.append(escapedForJSON: requestID) }
            }
        case .client:
            if attempts > 1 { attributes.add("http.request.resend_count", UInt64(attempts - 1), to: &line) }
            if let outcome { attributes.add("curl_lb.outcome", to: &line) { $0.append(outcome.word) } }
            attributes.add("curl_lb.connection_reused", isConnectionReused, to: &line)
            if let dns { attributes.add("curl_lb.dns_ms", milliseconds: dns, to: &line) }
            if let connect { attributes.add("curl_lb.connect_ms", milliseconds: connect, to: &line) }
            if let tls { attributes.add("curl_lb.tls_ms", milliseconds: tls, to: &line) }
            if let wait { attributes.add("curl_lb.wait_ms", milliseconds: wait, to: &line) }
        }
    }
}

@available(*, unavailable)
extension SpanRecord: Sendable {}

/// Writes attributes one after the other.
private struct AttributeList {
    private var isFirst = true

    private mutating func begin(_ key: StaticString, to line: inout LineBuffer) {
        line.append(isFirst ? "{\"key\":\"" : ",{\"key\":\"")
        isFirst = false
        line.append(key)
        line.append("\",\"value\":{\"")
    }

    /// An attribute of text, which is appended by the closure.
    mutating func add(_ key: StaticString, to line: inout LineBuffer, _ value: (inout LineBuffer) -> Void) {
        begin(key, to: &line)
        line.append("stringValue\":\"")
        value(&line)
        line.append("\"}}")
    }

    mutating func add(_ key: StaticString, _ value: UInt64, to line: inout LineBuffer) {
        begin(key, to: &line)
        line.append("intValue\":\"")
        line.append(decimal: value)
        line.append("\"}}")
    }

    mutating func add(_ key: StaticString, _ value: Bool, to line: inout LineBuffer) {
        begin(key, to: &line)
        line.append(value ? "boolValue\":true}}" : "boolValue\":false}}")
    }

    mutating func add(_ key: StaticString, milliseconds: UInt64, to line: inout LineBuffer) {
        begin(key, to: &line)
        line.append("doubleValue\":")
        line.append(milliseconds: milliseconds)
        line.append("}}")
    }
}
