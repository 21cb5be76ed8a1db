// From a stream's facts to a row of the failure table.

internal import Glibc
internal import Upstream

/// The CURLcodes that decide a row, by their documented numbers (libcurl-errors(3)).
private enum Code {
    static let resolve: ClosedRange<Int32> = 5...6
    static let connect: Int32 = 7
    static let timedOut: Int32 = 28
    static let tlsConnect: Int32 = 35
    /// The certificate, its issuer, its pin, the CA file or the CRL.
    static let certificate: Set<Int32> = [51, 58, 60, 77, 82, 83, 90, 91]
}

extension ExchangeFailure {
    /// The row for a stream's failure.
    init(_ failure: StreamFailure) {
        switch failure.cause {
        case .malformed(let rule):
            self = rule == "head_too_large" || rule == "too_many_fields" ? .responseHeadTooLarge : .protocolError
        case .closed:
            self = failure.phase == .responseBody ? .responseIncomplete : .connectionTerminated
        case .curl(let code):
            self = Self.row(code, failure)
        }
    }

    private static func row(_ code: Int32, _ failure: StreamFailure) -> Self {
        if Code.resolve.contains(code) { return .dnsError }
        if Code.certificate.contains(code) { return .tlsCertificateError }
        if code == Code.tlsConnect { return .tlsProtocolError }
        switch failure.phase {
        case .resolve:
            return code == Code.timedOut ? .dnsTimeout : .dnsError
        case .connect:
            return connectRow(code, failure.systemError)
        case .tls:
            return code == Code.timedOut ? .connectionTimeout : .tlsProtocolError
        case .send, .responseHead:
            return .connectionTerminated
        case .responseBody:
            return .responseIncomplete
        }
    }

    private static func connectRow(_ code: Int32, _ systemError: Int32) -> Self {
        if code == Code.timedOut { return .connectionTimeout }
        return switch systemError {
        case ECONNREFUSED, ENOENT: .connectionRefused
        case EHOSTUNREACH, ENETUNREACH: .destinationUnroutable
        case ETIMEDOUT: .connectionTimeout
        case EMFILE, ENFILE: .openFileLimit
        default: .connectionFailed
        }
    }
}
