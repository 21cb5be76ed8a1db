// The table of everything that can go wrong with an exchange: one row drives status, log, metric, header and page alike.

internal import HTTPWire

/// A reason for not passing a backend's response on, or not to its end.
///
/// Statuses follow the recommendations of RFC 9209 section 2.3, words its registry where it has one.
public struct ExchangeFailure: Sendable, Equatable {
    /// The word in the log line, in metrics and on the page.
    public let label: String
    /// The status of our answer; 499 stands for none, because the client has gone.
    public let status: Int
    /// The `error` parameter of the Proxy-Status field; nil where RFC 9209 has no word.
    public let proxyStatusError: String?
    /// A sentence for the person who sees the page.
    ///
    /// Never tells a backend's address.
    public let explanation: String

    init(_ label: String, _ status: Int, proxyStatus: String?, _ explanation: String) {
        self.label = label
        self.status = status
        proxyStatusError = proxyStatus
        self.explanation = explanation
    }

    /// A row whose label is the RFC 9209 word.
    private init(_ word: String, _ status: Int, _ explanation: String) {
        self.init(word, status, proxyStatus: word, explanation)
    }

    // MARK: Reaching a backend

    public static let dnsError = Self("dns_error", 502, "The name of the server behind this one could not be resolved.")
    public static let dnsTimeout = Self(
        "dns_timeout",
        504,
        "The name of the server behind this one was not resolved in time."
    )
    public static let connectionRefused = Self(
        "connection_refused",
        502,
        "The server behind this one refused the connection."
    )
    public static let destinationUnroutable = Self(
        "destination_ip_unroutable",
        502,
        "No network route leads to the server behind this one."
    )
    public static let connectionTimeout = Self(
        "connection_timeout",
        504,
        "The server behind this one did not accept the connection in time."
    )
    public static let connectionFailed = Self(
        "connection_failed",
        502,
        proxyStatus: "destination_unavailable",
        "The server behind this one could not be connected to."
    )
    public static let tlsProtocolError = Self(
        "tls_protocol_error",
        502,
        "The TLS handshake with the server behind this one failed."
    )
    public static let tlsCertificateError = Self(
        "tls_certificate_error",
        502,
        "The certificate of the server behind this one is not trusted."
    )

    // MARK: Its response

    public static let connectionTerminated = Self(
        "connection_terminated",
        502,
        "The server behind this one closed the connection without a complete answer."
    )
    public static let responseTimeout = Self(
        "http_response_timeout",
        504,
        "The server behind this one did not answer in time."
    )
    public static let protocolError = Self(
        "http_protocol_error",
        502,
        "The server behind this one sent an answer that is not valid HTTP."
    )
    public static let responseHeadTooLarge = Self(
        "http_response_header_section_size",
        502,
        "The server behind this one sent a larger head than is allowed here."
    )
    public static let responseIncomplete = Self(
        "http_response_incomplete",
        502,
        "The server behind this one broke off in the middle of its answer."
    )

    /// Of an attempt: a response that was set aside for another attempt, whose failure is then the answer's reason; unless that other
    /// one was under way already (``setAside(status:)``).
    public static let retriableStatus = Self(
        "retriable_status",
        502,
        proxyStatus: "destination_unavailable",
        "The server behind this one answered with an error, and another one was asked in its place."
    )

    /// A response that was set aside for another attempt that was under way, and has failed: our answer has its status.
    static func setAside(status: Int) -> Self {
        Self(retriableStatus.label, status, proxyStatus: retriableStatus.proxyStatusError, retriableStatus.explanation)
    }

    // MARK: Ourselves

    public static let noBackend = Self("destination_unavailable", 503, "No server is available to answer the request.")
    public static let backendsFull = Self(
        "connection_limit_reached",
        503,
        "Each server behind this one has as many requests as it may have."
    )
    public static let queueFull = Self(
        "queue_full",
        503,
        proxyStatus: "connection_limit_reached",
        "Each server behind this one has as many requests as it may have, and too many wait already."
    )
    public static let queueTimeout = Self(
        "queue_timeout",
        503,
        proxyStatus: "connection_limit_reached",
        "Each server behind this one had as many requests as it may have for too long."
    )
    public static let requestDeadline = Self(
        "request_deadline",
        504,
        proxyStatus: "http_response_timeout",
        "No answer came in the time that a request may take here."
    )
    /// Noted and counted beside the reason of the attempt that was not followed by another.
    public static let retryBudgetExhausted = Self(
        "retry_budget_exhausted",
        503,
        proxyStatus: "proxy_internal_response",
        "Too many requests are being repeated already."
    )
    public static let shuttingDown = Self(
        "shutting_down",
        503,
        proxyStatus: "proxy_internal_response",
        "This server is shutting down."
    )
    public static let stoppedInFlight = Self(
        "stopped_in_flight",
        502,
        proxyStatus: "connection_terminated",
        "This server shut down before the answer came. What was asked for may have been done."
    )

    public static let openFileLimit = Self(
        "open_file_limit",
        503,
        proxyStatus: "proxy_internal_error",
        "This server cannot open another connection."
    )
    public static let loopDetected = Self(
        "proxy_loop_detected",
        502,
        "The request has come by here before: the servers forward it in a circle."
    )

    // MARK: The client

    /// No answer of ours: the backend's went to the client, and the log tells that it was early.
    public static let requestNotTaken = Self(
        "request_not_taken",
        502,
        proxyStatus: "http_request_error",
        "The server behind this one answered before it had the whole request."
    )
    public static let clientGone = Self("client_gone", 499, proxyStatus: nil, "The client closed the connection.")
    public static let clientStalled = Self(
        "client_read_timeout",
        499,
        proxyStatus: nil,
        "The client took no more of the response."
    )
    public static let clientTooSlow = Self(
        "client_read_too_slow",
        499,
        proxyStatus: nil,
        "The client took the response more slowly than is allowed here."
    )
    public static let tunnelIdle = Self(
        "tunnel_idle_timeout",
        504,
        proxyStatus: nil,
        "Nothing was said on the connection for too long."
    )
    /// No failure, but answered like one: not in the table.
    static let noForwardsLeft = Self(
        "max_forwards_reached",
        200,
        proxyStatus: nil,
        "Max-Forwards was 0: the request ends here."
    )
    public static let requestHeadTimeout = Self(
        "request_head_timeout",
        408,
        proxyStatus: "http_request_error",
        "The request head did not arrive in time."
    )
    public static let requestBodyTimeout = Self(
        "request_body_timeout",
        408,
        proxyStatus: "http_request_error",
        "The request body stopped arriving."
    )

    public static let requestBodyTooSlow = Self(
        "request_body_too_slow",
        408,
        proxyStatus: "http_request_error",
        "The request body arrived more slowly than is allowed here."
    )
    public static let tooManyPipelined = Self(
        "pipelining_limit",
        429,
        proxyStatus: "http_request_denied",
        "More requests were sent without waiting for answers than is allowed here."
    )
    public static let tooManyConnections = Self(
        "connection_limit",
        503,
        proxyStatus: "connection_limit_reached",
        "This server has as many connections as it may have."
    )
    public static let tooManyClientConnections = Self(
        "client_connection_limit",
        429,
        proxyStatus: "http_request_denied",
        "There are as many connections from your address as are allowed here."
    )

    /// A request head that is refused: each refusal is a row of its own.
    static func refused(_ refusal: RequestRefusal) -> Self {
        Self(refusal.rawValue, refusal.status, proxyStatus: "http_request_error", refusal.explanation)
    }

    /// A request body whose framing is broken.
    static func refusedBody(_ refusal: ChunkedRefusal) -> Self {
        Self(refusal.rawValue, refusal.status, proxyStatus: "http_request_error", refusal.explanation)
    }

    /// Whether it is one: the end of a request's way (``noForwardsLeft``) only looks like it.
    var isFailure: Bool { status >= 400 }

    /// Whether an attempt at a backend has ended by it.
    var isOfAttempt: Bool { Self.labelsOfAttempts.contains(label) }

    /// Whether a place at another backend, or its answer, has been waited for in vain.
    var isOfWaiting: Bool { [.queueFull, .queueTimeout, .requestDeadline].contains(self) }

    private static let labelsOfAttempts = Set(ofAttempts.map(\.label))

    /// Whether nothing of the request has reached a backend.
    var isUnreached: Bool { Self.unreached.contains(label) }

    private static let unreached = Set(
        [
            dnsError, dnsTimeout, connectionRefused, destinationUnroutable, connectionTimeout, connectionFailed,
            tlsProtocolError, tlsCertificateError,
        ].map(\.label)
    )

    /// All rows but those of refused requests, which `RequestRefusal` and `ChunkedRefusal` enumerate.
    public static let table: [Self] = [
        dnsError, dnsTimeout, connectionRefused, destinationUnroutable, connectionTimeout, connectionFailed,
        tlsProtocolError, tlsCertificateError, connectionTerminated, responseTimeout, protocolError,
        responseHeadTooLarge, responseIncomplete, retriableStatus, noBackend, backendsFull, queueFull,
        queueTimeout, requestDeadline, retryBudgetExhausted, shuttingDown, stoppedInFlight, openFileLimit, loopDetected,
        requestNotTaken, clientGone,
        clientStalled, clientTooSlow, tunnelIdle, requestHeadTimeout, requestBodyTimeout, requestBodyTooSlow,
        tooManyPipelined, tooManyConnections, tooManyClientConnections,
    ]

    /// The rows that an attempt at a backend may end by.
    static let ofAttempts: [Self] = [
        dnsError, dnsTimeout, connectionRefused, destinationUnroutable, connectionTimeout, connectionFailed,
        tlsProtocolError, tlsCertificateError, connectionTerminated, responseTimeout, protocolError,
        responseHeadTooLarge, responseIncomplete, openFileLimit,
    ]

    /// The labels of all rows there are.
    public static var allLabels: [String] {
        table.map(\.label) + RequestRefusal.allCases.map(\.rawValue) + ChunkedRefusal.allCases.map(\.rawValue)
    }
}
