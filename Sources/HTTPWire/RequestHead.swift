// The head of a request, as offsets into the bytes it was parsed from.

/// The form of a request target (RFC 9112 section 3.2).
@frozen
public enum TargetForm: UInt8, Sendable {
    /// A path with or without a query: `/index?x=1`.
    case origin
    /// A whole URL: `http://example.com/index`.
    case absolute
    /// A host and port, for CONNECT; only in heads that are refused.
    case authority
    /// `*`, for OPTIONS.
    case asterisk
}

/// What has to be written in front of ``RequestHead/pathRange`` to make a target in origin-form or asterisk-form.
@frozen
public enum PathPrefix: UInt8, Sendable {
    case nothing
    /// `/`: an absolute target had no path.
    case slash
    /// `*`: an absolute target of OPTIONS had neither path nor query (RFC 9112 section 3.2.4).
    case asterisk
}

/// A request line and its field section.
///
/// Ranges count from the start of the span that was parsed. Meant to be reused: the parser resets it and keeps its storage.
/// After a refusal, the parts parsed so far are set, for the log line.
public struct RequestHead: Sendable {
    /// The method, if known by name.
    public internal(set) var method = Method.other
    /// The form of the target.
    public internal(set) var targetForm = TargetForm.origin
    /// What is missing in front of ``pathRange``.
    public internal(set) var pathPrefix = PathPrefix.nothing
    /// 0 for HTTP/1.0, 1 for HTTP/1.1 and any later minor version (RFC 9110 section 2.5).
    public internal(set) var minorVersion: UInt8 = 1
    /// Whether the client wants the connection kept (RFC 9112 section 9.3).
    ///
    /// HTTP/1.0 clients have to ask for it with `Connection: keep-alive`. `close` wins over `keep-alive`.
    public internal(set) var isPersistent = false
    /// Whether the client waits for `100 Continue` (RFC 9110 section 10.1.1); never with HTTP/1.0.
    public internal(set) var expectsContinue = false
    /// Whether the client takes trailers: `TE: trailers`, with or without the `te` connection option.
    public internal(set) var acceptsTrailers = false
    /// Whether the client asks for another protocol: `Upgrade` with the `upgrade` option, and not with HTTP/1.0.
    ///
    /// False when `h2c` is among the protocols: RFC 9113 section 3.1 has given it up, and it serves to smuggle requests.
    public internal(set) var wantsUpgrade = false

    /// The method's bytes.
    public internal(set) var methodRange = 0..<0
    /// The target as received.
    public internal(set) var targetRange = 0..<0
    /// The part of the target to forward: path and query, or `*`; preceded by ``pathPrefix``.
    public internal(set) var pathRange = 0..<0
    /// Host and port inside an absolute target, which take the place of `Host` (RFC 9112 section 3.2.2).
    public internal(set) var authorityRange: Range<Int>?
    /// The value of `Host`; nil without one (HTTP/1.0 only), empty if the client sent it empty.
    public internal(set) var hostValueRange: Range<Int>?
    /// The value of `Max-Forwards` if it is a number (RFC 9110 section 7.6.2); means something to TRACE and OPTIONS.
    public internal(set) var maxForwards: Int?
    /// How the body ends: ``MessageFraming/none``, a length, or chunks.
    public internal(set) var framing = MessageFraming.none
    /// The field lines.
    public var fields = FieldSection()
    /// The bytes of the head: from the start of the span, skipped empty line included, to behind its empty line.
    public internal(set) var length = 0

    public init() {}

    /// The authority the request is for: that of the target, else the value of `Host`.
    @inlinable
    public var effectiveAuthorityRange: Range<Int>? { authorityRange ?? hostValueRange }

    /// Forgets everything and keeps the storage.
    public mutating func reset() {
        method = .other
        targetForm = .origin
        pathPrefix = .nothing
        minorVersion = 1
        isPersistent = false
        expectsContinue = false
        acceptsTrailers = false
        wantsUpgrade = false
        methodRange = 0..<0
        targetRange = 0..<0
        pathRange = 0..<0
        authorityRange = nil
        hostValueRange = nil
        maxForwards = nil
        framing = .none
        fields.reset()
        length = 0
    }
}
