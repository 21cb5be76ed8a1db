// What the client gets in the table of cases.

/// A response as the client must get it.
struct Answer: Sendable {
    /// The whole head; nil for answers of the balancer's own, of which the members below are checked.
    var head: String?
    var body: String?
    var trailers = ""
    var status = 0
    /// The label on the page and in the log.
    var reason: String?
    /// The value of Proxy-Status.
    var proxyStatus: String?
    /// Words of the log line.
    var logged: [String] = []
    /// Whether Connection: close stands there.
    var closes = false
    var allow: String?
    var method = "GET"
    /// Whether another response to the same request follows.
    var isInterim = false

    static let ok = response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok")

    /// The same with the time at which it came, which a backend has not told.
    static let okWithDate = response("HTTP/1.1 200 OK", ["Date: *", "Content-Length: 2"], "ok")

    /// A response that a backend gave.
    static func response(_ line: String, _ fields: [String], _ body: String = "", trailers: String = "") -> Answer {
        Answer(head: "\(([line] + fields).joined(separator: "\r\n"))\r\n\r\n", body: body, trailers: trailers)
    }

    static func interim(_ line: String, _ fields: [String] = []) -> Answer {
        var answer = response(line, fields)
        answer.isInterim = true
        return answer
    }

    /// A refused request.
    static func refusal(_ status: Int, _ reason: String) -> Answer {
        Answer(
            status: status,
            reason: reason,
            proxyStatus: "curl-lb; error=http_request_error",
            closes: true,
            allow: status == 405 ? "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE" : nil
        )
    }

    /// A failed backend.
    ///
    /// - Parameter logged: what the log line says of it, where it matters.
    static func failure(
        _ error: String,
        _ logged: String? = nil,
        closes: Bool = false,
        answering method: String = "GET"
    ) -> Answer {
        Answer(
            status: 502,
            reason: error,
            proxyStatus: "curl-lb; error=\(error)",
            logged: [" \(error) "] + (logged.map { ["\"\($0)\""] } ?? []),
            closes: closes,
            method: method
        )
    }

    /// The end of the way that Max-Forwards sets.
    static func endOfWay(method: String) -> Answer {
        let allow = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE"
        return Answer(status: 200, reason: "max_forwards_reached", allow: allow, method: method)
    }

    /// What is wrong with a response that was received; nil when it is this one.
    func complaint(about message: Message) -> String? {
        if let head, message.head != head,
            isInterim || Self.withoutTime(message.head, isAdded: !head.contains("\r\nDate: ")) != head
        {
            return "answer \(message.head.debugDescription), expected \(head.debugDescription)"
        }
        if let body, message.body.text != body { return "body \(message.body.text.debugDescription)" }
        if message.trailers != trailers { return "trailers \(message.trailers.debugDescription)" }
        guard head == nil else { return nil }
        let start = message.head.debugDescription
        if message.status != status { return "expected \(status) \(reason ?? ""), got \(start) \(message.body.text)" }
        if message["Proxy-Status"] != proxyStatus { return "Proxy-Status in \(start)" }
        if message["Connection"] != (closes ? "close" : nil) { return "Connection in \(start)" }
        if message["Allow"] != allow { return "Allow in \(start)" }
        let page = message.body.text
        if let reason, method != "HEAD", !page.contains("\nReason: \(reason)\n") { return "page \(page)" }
        return nil
    }

    /// The head with `*` for a date as HTTP writes it (RFC 9110 section 5.6.7), or without one that was added.
    static func withoutTime(_ head: String, isAdded: Bool = true) -> String {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false).compactMap { line in
            let isTime = line.hasPrefix("Date: ") && line.hasSuffix(" GMT") && line.count == 35
            return isTime ? isAdded ? nil : "Date: *" : String(line)
        }
        return lines.joined(separator: "\r\n")
    }
}
