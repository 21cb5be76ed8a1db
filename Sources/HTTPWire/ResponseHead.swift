// The head of a response, as offsets into the bytes it was parsed from.

/// A status line and its field section.
///
/// Ranges count from the start of the span that was parsed. Meant to be reused: the parser resets it and keeps its storage.
public struct ResponseHead: Sendable {
    /// The status, 100 to 999.
    public internal(set) var status = 0
    /// 0 for HTTP/1.0, 1 for HTTP/1.1 and any later minor version (RFC 9110 section 2.5).
    public internal(set) var minorVersion: UInt8 = 1
    /// Whether the backend keeps the connection and the end of the body can be told without it (RFC 9112 section 9.3).
    ///
    /// Also false after 101 and after 2xx to CONNECT, and when a response that has no body by its status, other than 304,
    /// announces one.
    public internal(set) var isPersistent = false
    /// The reason phrase; often empty.
    public internal(set) var reasonRange = 0..<0
    /// How the body ends, the request method considered.
    public internal(set) var framing = MessageFraming.none
    /// The `Content-Length`, also where ``framing`` is none: with HEAD and 304 it speaks of another response.
    public internal(set) var declaredLength: Int?
    /// The field lines.
    public var fields = FieldSection()
    /// The bytes of the head with its empty line.
    public internal(set) var length = 0

    public init() {}

    /// Whether the response is an interim one, and another head follows for the same request; 101 is none.
    @inlinable
    public var isInterim: Bool { status < 200 && status != 101 }

    /// Whether the connection now speaks another protocol (101).
    @inlinable
    public var switchesProtocols: Bool { status == 101 }

    /// Forgets everything and keeps the storage.
    public mutating func reset() {
        status = 0
        minorVersion = 1
        isPersistent = false
        reasonRange = 0..<0
        framing = .none
        declaredLength = nil
        fields.reset()
        length = 0
    }

    /// Finds the framing (RFC 9112 section 6.3), once all fields are there.
    mutating func readFields(_ bytes: Span<UInt8>, answering method: Method) -> ResponseRefusal? {
        guard fields.readConnectionOptions(bytes) else { return .tooManyConnectionOptions }
        switch fields.declaredFraming(bytes, minorVersion: minorVersion, toleratesRepeatedLength: true) {
        case .nothing: framing = .untilClose
        case .length(let length):
            framing = .length(length)
            declaredLength = length
        case .chunked: framing = .chunked
        case .refused(let refusal): return ResponseRefusal(refusal)
        }
        let options = fields.connectionOptions
        isPersistent = !options.contains(.close) && (minorVersion > 0 || options.contains(.keepAlive))
        if method == .connect, (200..<300).contains(status) {
            // Any of these makes the connection a tunnel, also 204 (RFC 9110 section 9.3.6).
            isPersistent = false
            framing = .none
        } else if status < 200 || status == 204 {
            // What announces a body where there is none may be followed by one: do not read an answer after it.
            let announcesBody = framing == .chunked || (declaredLength ?? 0) > 0
            isPersistent = isPersistent && !announcesBody && !switchesProtocols
            framing = .none
        } else if status == 304 || method == .head {
            framing = .none
        } else if framing == .untilClose {
            isPersistent = false
        }
        return nil
    }
}
