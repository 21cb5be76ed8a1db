// What goes wrong in the admin API: one row gives status, word and problem details.

internal import Front
internal import HTTPWire

/// A problem as RFC 9457 has it.
struct Problem: Error, Sendable {
    /// The reasons of the admin API's own; the request parser adds its.
    enum Kind: String, Sendable, CaseIterable {
        case unauthorized
        case hostNotAllowed = "host_not_allowed"
        case originNotAllowed = "origin_not_allowed"
        case notFound = "not_found"
        case unknownBackend = "unknown_backend"
        case methodNotAllowed = "method_not_allowed"
        case nameTaken = "name_taken"
        case noSettingsFile = "no_settings_file"
        case settingsNotWritten = "settings_not_written"
        case unsupportedMediaType = "unsupported_media_type"
        case bodyTooLarge = "body_too_large"
        case malformedBody = "malformed_body"
        case invalidValue = "invalid_value"
        case starting
        case draining
        case noBackend = "no_backend"
        case requestTimeout = "request_timeout"
        case tooManyRequests = "too_many_requests"
        case tooManyConnections = "too_many_connections"
        case internalError = "internal_error"

        var status: Int {
            switch self {
            case .unauthorized: 401
            case .hostNotAllowed, .originNotAllowed: 403
            case .notFound, .unknownBackend: 404
            case .methodNotAllowed: 405
            case .nameTaken, .noSettingsFile, .settingsNotWritten: 409
            case .unsupportedMediaType: 415
            case .bodyTooLarge: 413
            case .malformedBody: 400
            case .invalidValue: 422
            case .starting, .draining, .noBackend, .tooManyConnections: 503
            case .requestTimeout: 408
            case .tooManyRequests: 429
            case .internalError: 500
            }
        }
    }

    let status: Int
    let reason: String
    let detail: String
    var fields: [(name: String, value: String)] = []

    private init(_ status: Int, _ reason: String, _ detail: String, fields: [(name: String, value: String)] = []) {
        self.status = status
        self.reason = reason
        self.detail = detail
        self.fields = fields
    }

    /// - Parameter detail: a sentence; what a client has sent may stand in it.
    init(_ kind: Kind, _ detail: String, fields: [(name: String, value: String)] = []) {
        self.init(kind.status, kind.rawValue, detail, fields: fields)
    }

    /// Why a request could not be read.
    init(_ refusal: RequestRefused) {
        switch refusal {
        case .malformed(let reason):
            // CONNECT is the one method that the parser refuses.
            let fields = reason.status == 405 ? [(name: "Allow", value: AdminRoute.allMethods)] : []
            self.init(reason.status, reason.rawValue, reason.explanation, fields: fields)
        case .timedOut: self.init(.requestTimeout, "The request did not arrive in time.")
        case .tooManyPipelined: self.init(.tooManyRequests, "Too many requests came before the first was answered.")
        case .tooManyConnections: self.init(.tooManyConnections, "There are too many connections to the admin API.")
        }
    }

    private struct Details: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let reason: String
    }

    static let contentType = "application/problem+json"

    var response: AdminResponse {
        let details = Details(
            type: "about:blank",
            title: AdminResponse.reasonPhrase(status),
            status: status,
            detail: detail,
            reason: reason
        )
        return AdminResponse(
            status: status,
            contentType: Self.contentType,
            fields: fields + (status == 503 ? [("Retry-After", "1")] : []),
            body: AdminJSON.line(details) ?? []
        )
    }
}
