// Request methods and what a proxy may conclude from them.

/// A request method; any not named here is ``other``, with its bytes in the head.
@frozen
public enum Method: UInt8, Sendable, CaseIterable {
    case get
    case head
    case post
    case put
    case delete
    case options
    case trace
    case patch
    case connect
    case query
    case other

    /// Whether the method asks for no change on the server (RFC 9110 section 9.2.1; QUERY: RFC 10008).
    @inlinable
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace, .query: true
        case .post, .put, .delete, .patch, .connect, .other: false
        }
    }

    /// Whether doing it twice is like doing it once, so that a request may be sent again (RFC 9110 section 9.2.2).
    @inlinable
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace, .query: true
        case .post, .patch, .connect, .other: false
        }
    }

    /// The method as it stands in a request line; empty for ``other``.
    public var spelling: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .query: "QUERY"
        case .other: ""
        }
    }

    /// Recognises a method; methods are case-sensitive.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 7 else {
            self = .other
            return
        }
        // The letters in reverse order: the lowest byte of the word is the first letter.
        switch bytes.word(at: range.lowerBound, length: range.count) {
        case 0x0054_4547: self = .get
        case 0x4441_4548: self = .head
        case 0x5453_4F50: self = .post
        case 0x0054_5550: self = .put
        case 0x4554_454C_4544: self = .delete
        case 0x0053_4E4F_4954_504F: self = .options
        case 0x0045_4341_5254: self = .trace
        case 0x0048_4354_4150: self = .patch
        case 0x0054_4345_4E4E_4F43: self = .connect
        case 0x0059_5245_5551: self = .query
        default: self = .other
        }
    }
}
