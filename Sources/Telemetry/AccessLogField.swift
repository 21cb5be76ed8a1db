// The parts of an access log line, by their names in LB_ACCESS_LOG_FIELDS.

/// One part of an access log line; the raw value is its name in settings and in JSON.
public enum AccessLogField: String, Sendable, CaseIterable {
    case time
    /// Address and port.
    case client
    /// Method and target, in quotes; in JSON a string of both.
    case request
    case method
    case target
    /// The protocol's version: `HTTP/1.1`.
    case `protocol`
    /// The host that was asked for.
    case host
    case referer
    case userAgent = "user_agent"
    case status
    /// Body bytes received from the client, without framing.
    case bytesIn = "bytes_in"
    /// Body bytes sent to the client, without framing.
    case bytesOut = "bytes_out"
    /// From the request head's end to the response's end.
    case duration = "duration_ms"
    /// From the request head's end to the first response byte.
    case firstByte = "ttfb_ms"
    /// How long the request waited for a place at a backend, if it did.
    case queue = "queue_ms"
    /// Name lookup, if the request made a connection; and so the next two.
    case dns = "dns_ms"
    case connect = "connect_ms"
    case tls = "tls_ms"
    /// From the request's last byte to the response head.
    case wait = "wait_ms"
    /// From the first response byte to the last.
    case body = "body_ms"
    case backend
    /// How often a backend was asked.
    case attempts
    /// What became of each failed attempt, if there are any.
    case failedAttempts = "failed_attempts"
    /// What else there is to say.
    case notes
    /// Why the exchange did not end well.
    case reason
    /// How many requests the line stands for, because of sampling.
    case sample
    /// The request's identifier.
    case id
    /// The identifier of the trace that the request belongs to.
    case traceID = "trace_id"

    /// What a text line has unless it is told otherwise.
    public static let textDefault: [Self] = [
        .time, .client, .request, .status, .bytesIn, .bytesOut, .duration, .firstByte, .backend, .queue, .attempts,
        .failedAttempts, .notes, .reason, .id, .traceID,
    ]
    /// What a JSON line has unless it is told otherwise.
    public static let jsonDefault: [Self] = [
        .time, .client, .method, .target, .host, .status, .bytesIn, .bytesOut, .duration, .firstByte, .backend, .queue,
        .attempts, .failedAttempts, .notes, .reason, .id, .traceID,
    ]

    /// What a text line can have, each fact once.
    static let textAll = allCases.filter { ![.method, .target].contains($0) }
    /// What a JSON line can have, each fact once.
    static let jsonAll = allCases.filter { $0 != .request }

    /// What stands in front of the value in a text line: nothing, or a name that may be shorter than in JSON.
    var textKey: String {
        switch self {
        case .time, .client, .request, .status: ""
        case .bytesIn: "in="
        case .bytesOut: "out="
        case .duration: "ms="
        case .firstByte: "ttfb="
        case .failedAttempts: "failed="
        default: "\(rawValue)="
        }
    }

    /// How many columns the field takes on a terminal, so that lines stand under one another.
    var columns: Int {
        switch self {
        case .time: 24
        case .client: 21
        case .request: 40
        case .status: 3
        case .bytesIn, .bytesOut: 9
        case .duration, .firstByte: 11
        case .backend: 24
        default: 0
        }
    }
}
