// What we answer when it fails: a whole response of our own.

internal import EventLoop
internal import HTTPWire
internal import Telemetry

/// An answer made from a row of the failure table, in the form that the client prefers.
struct FailureResponse {
    /// More than any answer takes.
    static let maximumSize = 16384

    let failure: ExchangeFailure
    let format: PageFormat
    let requestID: String
    /// Our name in `Proxy-Status`.
    let proxyName: String
    /// The Date field's value.
    let date: [UInt8]
    let clientMinorVersion: UInt8
    /// Whether the request was HEAD: the same head, no body.
    let isHeadOnly: Bool
    let keepAlive: Bool
    /// When to come again, in seconds: for a 503 or a 429.
    var retryAfter: UInt64 = 1
    /// The failed attempts, for a client that may know where the backends are; none for all others.
    var attempts: [AccessLogAttempt] = []
    /// Why the last attempt went where it went, for a client that has asked and may know.
    var explanation: String?

    /// Appends head and body; returns the body's length.
    func write(to buffer: Buffer) -> Int {
        let body = page
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(failure.status))
        buffer.append(byte: UInt8(ascii: " "))
        buffer.append(text: reasonPhrase)
        buffer.append("\r\nDate: ")
        buffer.append(date)
        buffer.append("\r\nContent-Type: ")
        buffer.append(contentType)
        buffer.append("\r\nContent-Length: ")
        buffer.append(decimal: UInt64(body.utf8.count))
        buffer.append("\r\nCache-Control: no-store\r\n")
        if let error = failure.proxyStatusError {
            buffer.append(text: "Proxy-Status: \(proxyName); error=\(error)\r\n")
        }
        // CONNECT is the one method that is refused (RFC 9110 section 15.5.6); the answer to an OPTIONS that ends here tells
        // the same.
        if failure.status == 405 || failure.status == 200 {
            buffer.append("Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE\r\n")
        }
        if failure.status == 503 || failure.status == 429 {
            buffer.append("Retry-After: ")
            buffer.append(decimal: retryAfter)
            buffer.append("\r\n")
        }
        buffer.append("X-Request-Id: ")
        buffer.append(text: requestID)
        buffer.append("\r\n")
        if let explanation {
            buffer.append(Exchange.explanationField)
            buffer.append(": ")
            buffer.append(text: explanation)
            buffer.append("\r\n")
        }
        ClientResponse.appendConnection(
            keepAlive: keepAlive,
            clientMinorVersion: clientMinorVersion,
            to: buffer
        )
        buffer.append("\r\n")
        guard !isHeadOnly else { return 0 }
        buffer.append(text: body)
        return body.utf8.count
    }

    private var contentType: StaticString {
        switch format {
        case .html: "text/html; charset=utf-8"
        case .json: "application/problem+json"
        case .text: "text/plain; charset=utf-8"
        }
    }

    private var page: String {
        switch format {
        case .html: html
        case .json: json
        case .text:
            "\(failure.status) \(reasonPhrase)\n\(failure.explanation)\nReason: \(failure.label)\nRequest: \(requestID)\n"
                + AttemptReport(attempts: attempts).text
        }
    }

    /// Problem details (RFC 9457).
    private var json: String {
        """
        {"type":"about:blank","title":"\(reasonPhrase)","status":\(failure.status),\
        "detail":"\(failure.explanation)","reason":"\(failure.label)","request_id":"\(requestID)"\(jsonAttempts)}

        """
    }

    private var jsonAttempts: String {
        attempts.isEmpty ? "" : ",\"attempts\":[\(AttemptReport(attempts: attempts).json)]"
    }

    private var htmlAttempts: String {
        attempts.isEmpty ? "" : "<ol>\n\(AttemptReport(attempts: attempts).html)\n</ol>\n"
    }

    private var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(failure.status) \(reasonPhrase)</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; }
        h1 { font-size: 1.75rem; margin: 0 0 .5rem; }
        dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin-top: 2rem; font-size: .875rem; }
        dt { opacity: .65; } dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
        </style>
        </head>
        <body>
        <h1>\(failure.status) \(reasonPhrase)</h1>
        <p>\(failure.explanation)</p>
        <dl><dt>Reason</dt><dd>\(failure.label)</dd><dt>Request</dt><dd>\(requestID)</dd></dl>
        \(htmlAttempts)</body>
        </html>

        """
    }

    /// The registered phrase for the statuses that the failure table uses (RFC 9110 section 15).
    private var reasonPhrase: String {
        switch failure.status {
        case 200: "OK"
        case 400: "Bad Request"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}
