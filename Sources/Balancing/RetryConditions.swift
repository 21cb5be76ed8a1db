// After which outcomes of an attempt another one may follow.

/// A set of outcomes, in the vocabulary of HAProxy's `retry-on`.
///
/// It says what is worth another attempt; whether one may be made is for the rules of RFC 9110 section 9.2.2 to say.
/// `docs/retries.md` tells what each means.
public struct RetryConditions: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No byte of the request was sent: lookup, connecting or the TLS handshake failed.
    public static let connectionFailure = Self(rawValue: 1 << 0)
    /// The connection ended after request bytes were sent, and before a whole response head had come.
    public static let emptyResponse = Self(rawValue: 1 << 1)
    /// What came is no HTTP response, or one with a larger head than is allowed.
    public static let junkResponse = Self(rawValue: 1 << 2)
    /// No response head came in time.
    public static let responseTimeout = Self(rawValue: 1 << 3)

    /// The statuses that can be in the set, each with a bit of its own behind those above.
    public static let statuses = [401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504]

    /// The set of one status; nil for one that cannot be in any.
    public static func status(_ status: Int) -> Self? {
        statuses.firstIndex(of: status).map { Self(rawValue: 1 << (4 + UInt32($0))) }
    }

    /// Whether the set holds this status.
    public func contains(status: Int) -> Bool {
        guard hasStatuses, let condition = Self.status(status) else { return false }
        return contains(condition)
    }

    /// Whether the set holds any status.
    public var hasStatuses: Bool { rawValue >> 4 != 0 }

    // MARK: Presets

    /// What was not sent, or died unanswered.
    public static let safe: Self = [.connectionFailure, .emptyResponse]
    /// ``safe``, and what says that the backend is a gateway with nothing behind it, or does not serve: 502, 503 and 504.
    public static let gateway = [502, 503, 504].reduce(into: safe) { $0.formUnion(status($1) ?? []) }
    /// HAProxy's `all-retryable-errors`.
    public static let allErrors = [500].reduce(into: gateway.union([.junkResponse, .responseTimeout])) {
        $0.formUnion(status($1) ?? [])
    }
}
