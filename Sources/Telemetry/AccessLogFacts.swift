// What a line of the access log tells of every exchange.

/// How long something took, in nanoseconds; one word, as all of a line's facts are to lie close together.
public struct LoggedDuration: Sendable, Equatable {
    /// `UInt64.max` where nothing is known.
    @usableFromInline let word: UInt64

    /// - Parameter nanoseconds: nil where nothing is known.
    @inlinable @inline(__always)
    public init(_ nanoseconds: UInt64? = nil) { word = nanoseconds ?? .max }

    @inline(__always)
    var nanoseconds: UInt64? { word == .max ? nil : word }
}

/// The facts of one exchange that are bytes, numbers and durations.
///
/// Laid out so that a line's fields are found by their place (``AccessLogPart``), and so that those which few styles name come last:
/// what lies there is neither told nor looked at. The bytes are borrowed for as long as the line is being written; they are empty
/// where nothing is known.
public struct AccessLogFacts {
    /// The client's address and port in textual form: it stands in lines as it is.
    public var client: UnsafeRawBufferPointer = .empty

    // The exchange's own bytes, one after the other (exchangePieces).

    /// The client's word for the request, printable ASCII without quote and backslash: it stands in lines as it is.
    ///
    /// Empty when there is none: ``requestNumber`` stands in lines then.
    public var requestID: UnsafeRawBufferPointer = .empty
    /// Empty when no request line could be read.
    public var method: UnsafeRawBufferPointer = .empty
    public var target: UnsafeRawBufferPointer = .empty
    public var host: UnsafeRawBufferPointer = .empty
    /// The name of the backend whose response was used; empty when the answer is our own.
    public var backend: UnsafeRawBufferPointer = .empty

    /// The request's identifier in two halves; 0 when there is none, or ``requestID`` is it.
    public var requestNumber: (UInt64, UInt64) = (0, 0)
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
    public var duration = LoggedDuration()
    /// From the request head's end to the first response byte handed to the client; unknown when there was none.
    public var timeToFirstByte = LoggedDuration()
    /// How long the request waited for a place at a backend; unknown when it did not.
    public var queued = LoggedDuration()

    /// When the exchange ended, on the monotonic clock, in nanoseconds; see ``WallClock/compare()``.
    public var end: UInt64 = 0
    /// The minor version of HTTP/1 that the client spoke.
    public var minorVersion: UInt8 = 1

    // One after the other, too (programPieces).

    /// What the style names of the program that the client is; see ``AccessLogStyle/namesClientProgram``.
    public var referer: UnsafeRawBufferPointer = .empty
    public var userAgent: UnsafeRawBufferPointer = .empty

    /// What the connection took that the request made; unknown when it made none.
    ///
    /// From here on only if the style names an attempt's parts; see ``AccessLogStyle/namesPhases``.
    public var dns = LoggedDuration()
    public var connect = LoggedDuration()
    public var tls = LoggedDuration()
    /// From the request's last byte to the response head.
    public var wait = LoggedDuration()
    /// From the first response byte to the last.
    public var body = LoggedDuration()

    public init() {}

    /// Bytes among the facts, one after the other where they are.
    public typealias Pieces = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>

    /// The bytes that are the exchange's, as they lie in memory: from ``requestID`` to ``backend``.
    @inlinable @inline(__always)
    public static func exchangePieces(of facts: UnsafeMutablePointer<Self>) -> Pieces {
        Pieces(start: facts.pointer(to: \.requestID), count: 5)
    }

    /// What the client's program is, as it lies in memory: ``referer`` and ``userAgent``.
    @inlinable @inline(__always)
    public static func programPieces(of facts: UnsafeMutablePointer<Self>) -> Pieces {
        Pieces(start: facts.pointer(to: \.referer), count: 2)
    }

    /// How many bytes are borrowed in all, and may be written; so that room is made for them.
    ///
    /// - Parameter namesClientProgram: Whether ``referer`` and ``userAgent`` are among them.
    @inline(__always)
    func length(withProgram namesClientProgram: Bool) -> Int {
        let length =
            client.count &+ method.count &+ target.count &+ host.count &+ backend.count &+ requestID.count
            &+ traceID.count
        return namesClientProgram ? length &+ referer.count &+ userAgent.count : length
    }
}

@available(*, unavailable)
extension AccessLogFacts: Sendable {}

extension UnsafeRawBufferPointer {
    /// No bytes.
    @inlinable public static var empty: Self { Self(start: nil, count: 0) }
}
