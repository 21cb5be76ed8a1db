// A response of the admin API, and the bytes of its head.

internal import FoundationEssentials
internal import HTTPWire

/// A whole response.
struct AdminResponse: Sendable {
    var status: Int
    var contentType: String?
    /// Further fields, names and values; no value comes from a client unencoded.
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    var framing = Framing.length

    init(
        status: Int = 200,
        contentType: String? = nil,
        fields: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }

    /// Plain text.
    static func text(_ text: String, contentType: String = "text/plain; charset=utf-8") -> AdminResponse {
        AdminResponse(contentType: contentType, body: Array(text.utf8))
    }

    /// The head of an event stream.
    static var events: AdminResponse {
        var response = AdminResponse(contentType: EventHub.contentType)
        response.framing = .untilClose
        return response
    }

    /// A value as JSON.
    static func json(
        _ value: some Encodable,
        status: Int = 200,
        contentType: String = "application/json",
        fields: [(name: String, value: String)] = []
    ) -> AdminResponse {
        guard let body = AdminJSON.line(value) else { return Problem(.internalError, "not representable").response }
        return AdminResponse(status: status, contentType: contentType, fields: fields, body: body)
    }

    /// How the end of the body is found.
    enum Framing: Sendable {
        case length
        /// It ends with the connection.
        case untilClose
    }

    /// The head with its empty line.
    func head(date: [UInt8], keepAlive: Bool, clientMinorVersion: UInt8) -> [UInt8] {
        var text =
            "HTTP/1.1 \(status) \(Self.reasonPhrase(status))\r\nDate: \(String(decoding: date, as: UTF8.self))\r\n"
        if let contentType { text += "Content-Type: \(contentType)\r\n" }
        if framing == .length, status != 204 { text += "Content-Length: \(body.count)\r\n" }
        text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
        // A page elsewhere cannot have it embedded either.
        text += "Cross-Origin-Resource-Policy: same-origin\r\n"
        for field in fields { text += "\(field.name): \(field.value)\r\n" }
        switch (keepAlive, clientMinorVersion) {
        case (false, _): text += "Connection: close\r\n"
        case (true, 0): text += "Connection: keep-alive\r\n"
        case (true, _): break
        }
        return Array((text + "\r\n").utf8)
    }

    /// The registered phrase (RFC 9110 section 15) of a status that the API or the request parser uses.
    static func reasonPhrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}

/// JSON as the admin API writes it: names in snake_case, and nothing of it by hand.
enum AdminJSON {
    /// A body: a line, as terminals want it.
    static func line(_ value: some Encodable) -> [UInt8]? { encode(value).map { $0 + [0x0A] } }

    static func encode(_ value: some Encodable) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) }
    }
}
