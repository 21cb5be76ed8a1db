// What a line of the access log tells of every exchange.

/// The facts of one exchange that are bytes, numbers and durations; durations in nanoseconds.
///
/// Laid out so that a line's fields are found by their place (``AccessLogPart``). The bytes are borrowed for as long as the line is
/// being written; they are empty where nothing is known.
public struct AccessLogFacts {
    /// The client's address and port in textual form: it stands in lines as it is.
    public var client: UnsafeRawBufferPointer = .empty
    /// Empty when no request line could be read.
    public var method: UnsafeRawBufferPointer = .empty
    public var target: UnsafeRawBufferPointer = .empty
    public var host: UnsafeRawBufferPointer = .empty
    public var referer: UnsafeRawBufferPointer = .empty
    public var userAgent: UnsafeRawBufferPointer = .empty
    /// The name of the backend whose response was used; empty when the answer is our own.
    public var backend: UnsafeRawBufferPointer = .empty
    /// Printable ASCII without quote and backslash: it stands in lines as it is.
    public var requestID: UnsafeRawBufferPointer = .empty
    /// Hexadecimal digits; empty when the request belongs to no trace.
    public var traceID: UnsafeRawBufferPointer = .empty

    /// The status sent to the client; 499 when the client left before one was sent.
    public var status: UInt64 = 0
    /// Body bytes received from the client, without framing.
    public var bytesIn: UInt64 = 0
    /// Body bytes sent to the client, without framing.
    public var bytesOut: UInt64 = 0
    /// How often a backend was asked, the successful attempt included.
    public var attempts: UInt64 = 0
    /// How many requests the line stands for.
    public var sample: UInt64 = 1

    /// From the request head's end to the response's end.
    public var duration: UInt64?
    /// From the request head's end to the first response byte handed to the client; nil when there was none.
    public var timeToFirstByte: UInt64?
    /// How long the request waited for a place at a backend; nil when it did not.
    public var queued: UInt64?
    /// What the connection took that the request made; nil when it made none.
    public var dns: UInt64?
    public var connect: UInt64?
    public var tls: UInt64?
    /// From the request's last byte to the response head.
    public var wait: UInt64?
    /// From the first response byte to the last.
    public var body: UInt64?

    /// The minor version of HTTP/1 that the client spoke.
    public var minorVersion: UInt8 = 1
    /// What is the same for all exchanges that ended in one turn of the loop, whose lines have one time; without it each has its own.
    public var turn: UInt64?

    public init() {}

    /// How many bytes are borrowed in all.
    @inlinable @inline(__always)
    public var length: Int {
        client.count &+ method.count &+ target.count &+ host.count &+ referer.count &+ userAgent.count &+ backend.count
            &+ requestID.count &+ traceID.count
    }
}

@available(*, unavailable)
extension AccessLogFacts: Sendable {}

extension UnsafeRawBufferPointer {
    /// No bytes.
    @inlinable public static var empty: Self { Self(start: nil, count: 0) }
}
