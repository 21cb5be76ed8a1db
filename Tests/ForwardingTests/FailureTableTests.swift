// The table of failures, and the way from a stream's facts to its row.

import Glibc
import HTTPWire
import Testing
import Upstream

@testable import Forwarding

/// Whether a text has anything that looks like where a backend is: an IPv4 or IPv6 address, a port, a URL.
func holdsAddress(_ text: String) -> Bool {
    text.firstMatch(of: /\d+\.\d+\.\d+|[0-9a-f]*::[0-9a-f]*|:\d|:\/\/|\[/.ignoresCase()) != nil
}

@Suite("Failure table")
struct FailureTableTests {
    /// The registry of RFC 9209 section 2.3, as far as it is ours to use.
    private static let registry: Set<String> = [
        "dns_timeout", "dns_error", "destination_not_found", "destination_unavailable", "destination_ip_prohibited",
        "destination_ip_unroutable", "connection_refused", "connection_terminated", "connection_timeout",
        "connection_read_timeout", "connection_write_timeout", "connection_limit_reached", "tls_protocol_error",
        "tls_certificate_error", "tls_alert_received", "http_request_error", "http_request_denied",
        "http_response_incomplete", "http_response_header_section_size", "http_response_header_size",
        "http_response_body_size", "http_response_trailer_section_size", "http_response_trailer_size",
        "http_response_transfer_coding", "http_response_content_coding", "http_response_timeout",
        "http_upgrade_failed", "http_protocol_error", "proxy_internal_response", "proxy_internal_error",
        "proxy_configuration_error", "proxy_loop_detected",
    ]

    /// Label, status, and word for Proxy-Status.
    private static let expected: [(String, Int, String?)] = [
        ("dns_error", 502, "dns_error"),
        ("dns_timeout", 504, "dns_timeout"),
        ("connection_refused", 502, "connection_refused"),
        ("destination_ip_unroutable", 502, "destination_ip_unroutable"),
        ("connection_timeout", 504, "connection_timeout"),
        ("connection_failed", 502, "destination_unavailable"),
        ("tls_protocol_error", 502, "tls_protocol_error"),
        ("tls_certificate_error", 502, "tls_certificate_error"),
        ("connection_terminated", 502, "connection_terminated"),
        ("http_response_timeout", 504, "http_response_timeout"),
        ("http_protocol_error", 502, "http_protocol_error"),
        ("http_response_header_section_size", 502, "http_response_header_section_size"),
        ("http_response_incomplete", 502, "http_response_incomplete"),
        ("retriable_status", 502, "destination_unavailable"),
        ("destination_unavailable", 503, "destination_unavailable"),
        ("connection_limit_reached", 503, "connection_limit_reached"),
        ("queue_full", 503, "connection_limit_reached"),
        ("queue_timeout", 503, "connection_limit_reached"),
        ("request_deadline", 504, "http_response_timeout"),
        ("retry_budget_exhausted", 503, "proxy_internal_response"),
        ("shutting_down", 503, "proxy_internal_response"),
        ("stopped_in_flight", 502, "connection_terminated"),
        ("open_file_limit", 503, "proxy_internal_error"),
        ("proxy_loop_detected", 502, "proxy_loop_detected"),
        ("request_not_taken", 502, "http_request_error"),
        ("client_gone", 499, nil),
        ("client_read_timeout", 499, nil),
        ("client_read_too_slow", 499, nil),
        ("tunnel_idle_timeout", 504, nil),
        ("request_head_timeout", 408, "http_request_error"),
        ("request_body_timeout", 408, "http_request_error"),
        ("request_body_too_slow", 408, "http_request_error"),
        ("pipelining_limit", 429, "http_request_denied"),
        ("connection_limit", 503, "connection_limit_reached"),
        ("client_connection_limit", 429, "http_request_denied"),
    ]

    /// All rows, those of refused requests included.
    static let allRows: [ExchangeFailure] =
        ExchangeFailure.table + RequestRefusal.allCases.map { .refused($0) }
        + ChunkedRefusal.allCases.map { .refusedBody($0) }

    @Test func `every row has its label, its status and its word`() {
        #expect(ExchangeFailure.table.map(\.label) == Self.expected.map(\.0))
        #expect(ExchangeFailure.table.map(\.status) == Self.expected.map(\.1))
        #expect(ExchangeFailure.table.map(\.proxyStatusError) == Self.expected.map(\.2))
    }

    @Test func `no two rows have the same label`() {
        #expect(Set(ExchangeFailure.table.map(\.label)).count == ExchangeFailure.table.count)
    }

    @Test(arguments: allRows.indices)
    func `a row is fit for the log, the header and the page`(index: Int) throws {
        let row = Self.allRows[index]
        #expect(row.label.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
        #expect((400...599).contains(row.status))
        if let word = row.proxyStatusError {
            #expect(Self.registry.contains(word))
        } else {
            #expect(row.status == 499 || row == .tunnelIdle, "only where no answer can be sent there is no word")
        }
        #expect(row.explanation.wholeMatch(of: /[A-Z][^<>&"\\]*\./) != nil, "a sentence that needs no quoting")
        #expect(!holdsAddress(row.explanation))
    }

    @Test(arguments: RequestRefusal.allCases)
    func `a refused request is a row with the refusal's name, status and sentence`(_ refusal: RequestRefusal) {
        let row = ExchangeFailure.refused(refusal)
        #expect(row.label == refusal.rawValue)
        #expect(row.status == refusal.status)
        #expect(row.proxyStatusError == "http_request_error")
        #expect(row.explanation == refusal.explanation)
    }

    @Test(arguments: ChunkedRefusal.allCases)
    func `a refused body is a row with the refusal's name and sentence`(_ refusal: ChunkedRefusal) {
        let row = ExchangeFailure.refusedBody(refusal)
        #expect(row.label == refusal.rawValue)
        #expect(row.proxyStatusError == "http_request_error")
        #expect(row.explanation == refusal.explanation)
    }
}

@Suite("Failure classification")
struct FailureClassificationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let phase: StreamFailure.Phase
        let cause: StreamFailure.Cause
        let systemError: Int32
        let expected: ExchangeFailure

        init(
            _ label: String,
            _ phase: StreamFailure.Phase,
            _ cause: StreamFailure.Cause,
            errno: Int32 = 0,
            _ expected: ExchangeFailure
        ) {
            testDescription = label
            self.phase = phase
            self.cause = cause
            systemError = errno
            self.expected = expected
        }
    }

    private static func failure(
        _ phase: StreamFailure.Phase,
        _ cause: StreamFailure.Cause,
        _ systemError: Int32
    ) -> ExchangeFailure {
        ExchangeFailure(
            StreamFailure(
                phase: phase,
                cause: cause,
                text: "",
                systemError: systemError,
                wasRequestSent: false,
                wasResponseBegun: false,
                wasReused: false
            )
        )
    }

    static let table: [Row] = [
        Row("an unknown name", .resolve, .curl(6), .dnsError),
        Row("an unknown proxy name", .resolve, .curl(5), .dnsError),
        Row("a name not resolved in time", .resolve, .curl(28), .dnsTimeout),
        Row("any other failure while resolving", .resolve, .curl(27), .dnsError),
        Row("refused", .connect, .curl(7), errno: ECONNREFUSED, .connectionRefused),
        Row("a socket path that is not there", .connect, .curl(7), errno: ENOENT, .connectionRefused),
        Row("no host", .connect, .curl(7), errno: EHOSTUNREACH, .destinationUnroutable),
        Row("no network", .connect, .curl(7), errno: ENETUNREACH, .destinationUnroutable),
        Row("no address of our own", .connect, .curl(7), errno: EADDRNOTAVAIL, .connectionFailed),
        Row("the kernel's timeout", .connect, .curl(7), errno: ETIMEDOUT, .connectionTimeout),
        Row("libcurl's timeout", .connect, .curl(28), .connectionTimeout),
        Row("libcurl's timeout after a refusal", .connect, .curl(28), errno: ECONNREFUSED, .connectionTimeout),
        Row("no permission", .connect, .curl(7), errno: EACCES, .connectionFailed),
        Row("no descriptor left", .connect, .curl(7), errno: EMFILE, .openFileLimit),
        Row("reset while connecting", .connect, .curl(7), errno: ECONNRESET, .connectionFailed),
        Row("connecting failed without an errno", .connect, .curl(7), .connectionFailed),
        Row("a failed handshake", .tls, .curl(35), .tlsProtocolError),
        Row("reset in the handshake", .tls, .curl(35), errno: ECONNRESET, .tlsProtocolError),
        Row("a handshake that took too long", .tls, .curl(28), .connectionTimeout),
        Row("a certificate that does not verify", .tls, .curl(60), .tlsCertificateError),
        Row("a certificate's key that is not the pinned one", .tls, .curl(90), .tlsCertificateError),
        Row("a certificate's issuer", .tls, .curl(83), .tlsCertificateError),
        Row("a certificate that was revoked", .tls, .curl(91), .tlsCertificateError),
        Row("a CA file that cannot be read", .connect, .curl(77), .tlsCertificateError),
        Row("our own certificate", .tls, .curl(58), .tlsCertificateError),
        Row("a revocation list", .tls, .curl(82), .tlsCertificateError),
        Row("the older number for a bad certificate", .tls, .curl(51), .tlsCertificateError),
        Row("sending failed", .send, .curl(55), errno: EPIPE, .connectionTerminated),
        Row("an end before the head", .responseHead, .closed, .connectionTerminated),
        Row("a reset before the head", .responseHead, .curl(56), errno: ECONNRESET, .connectionTerminated),
        Row("an empty reply", .responseHead, .curl(52), .connectionTerminated),
        Row("an end in the body", .responseBody, .closed, .responseIncomplete),
        Row("a reset in the body", .responseBody, .curl(56), errno: ECONNRESET, .responseIncomplete),
        Row("a partial body", .responseBody, .curl(18), .responseIncomplete),
        Row("no HTTP", .responseHead, .malformed("not_http"), .protocolError),
        Row("broken chunks", .responseBody, .malformed("malformed_chunk_size"), .protocolError),
        Row("an upgrade that nobody asked for", .responseHead, .malformed("unasked_upgrade"), .protocolError),
        Row("a head too large", .responseHead, .malformed("head_too_large"), .responseHeadTooLarge),
        Row("a head with too many fields", .responseHead, .malformed("too_many_fields"), .responseHeadTooLarge),
    ]

    @Test(arguments: table)
    func `facts fall into their row`(_ row: Row) {
        #expect(Self.failure(row.phase, row.cause, row.systemError) == row.expected)
    }

    @Test(arguments: StreamFailure.Phase.allCases)
    func `every code with every errno falls into a row of the table`(phase: StreamFailure.Phase) {
        for code in Int32(1)...101 {
            for systemError in Int32(0)...133 {
                let row = Self.failure(phase, .curl(code), systemError)
                #expect(ExchangeFailure.table.contains(row))
                #expect((502...504).contains(row.status), "it is never the client's fault")
            }
        }
    }

    @Test func `every refusal of a response is the backend's error`() {
        for refusal in ResponseRefusal.allCases {
            let row = Self.failure(.responseHead, .malformed(refusal.rawValue), 0)
            let isSize = refusal == .headTooLarge || refusal == .tooManyFields
            #expect(row == (isSize ? .responseHeadTooLarge : .protocolError))
        }
    }
}
