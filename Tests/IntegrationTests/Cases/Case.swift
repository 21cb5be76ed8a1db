// One row of the table of cases: bytes in, what the backend sees, bytes out, and where that is written.

/// A conversation of one client connection with the balancer and its backend.
struct Case: Sendable {
    /// What the client does, in order.
    enum Step: Sendable {
        case send(String)
        case receive(Answer)
        /// These bytes and no others so far.
        case receiveBytes(String)
        /// The balancer ends its sending, without a further byte.
        case receiveEnd
        /// The answer is broken off by a reset.
        case receiveReset
        case finishSending
        case close
    }

    /// What the backend does once it has a head, in order.
    enum Act: Sendable {
        case receiveBody
        case send(String)
        /// These bytes, whatever the message's framing.
        case receiveBytes(String)
        /// The balancer ends its sending, without a further byte.
        case receiveEnd
        case finishSending
        case close

        static let ok: [Act] = answer(Reply.ok("ok"))

        static func answer(_ response: String) -> [Act] { [.receiveBody, .send(response)] }

        static func answerAndClose(_ response: String) -> [Act] { [.receiveBody, .send(response), .close] }
    }

    /// What becomes of the client's connection.
    enum Ending: Sendable {
        /// Another request on it is answered.
        case usable
        /// The balancer closes it, without a further byte.
        case closed
        /// The steps have seen to it.
        case done
    }

    let label: String
    /// The RFC and section that asks for it.
    let section: String
    let steps: [Step]
    /// The backend's script for each request; ``Act/ok`` where there is none.
    let origin: [[Act]]
    /// The requests that the backend sees, all of them.
    let seen: [Seen]
    let ending: Ending
    /// How many connections to the backend the requests with the last, probing one take; nil when that is open.
    let connections: Int?

    init(
        _ label: String,
        _ section: String,
        _ steps: [Step],
        origin: [[Act]] = [],
        seen: [Seen],
        ending: Ending = .usable,
        connections: Int? = nil
    ) {
        self.label = label
        self.section = section
        self.steps = steps
        self.origin = origin
        self.seen = seen
        self.ending = ending
        self.connections = connections
    }

    /// Bytes that are refused, and never reach a backend.
    static func refused(_ label: String, _ section: String, _ bytes: String, _ status: Int, _ reason: String) -> Case {
        Case(label, section, [.send(bytes), .receive(.refusal(status, reason))], seen: [], ending: .closed)
    }

    /// Field lines of a POST that are refused, with something behind that would like to be a request.
    static func smuggles(_ label: String, _ section: String, _ lines: String, _ status: Int, _ reason: String) -> Case {
        let behind = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
        return refused(label, section, "POST / HTTP/1.1\r\nHost: test\r\n\(lines)\r\n\r\n\(behind)", status, reason)
    }

    /// A chunked body that is refused; the backend never sees a whole request.
    static func refusedBody(_ label: String, _ section: String, _ body: String, _ status: Int, _ reason: String) -> Case
    {
        let head = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        return refused(label, section, "\(head)\(body)", status, reason)
    }

    /// A request that goes on as it says, and is answered with 200.
    static func forwarded(_ label: String, _ section: String, _ bytes: String, _ seen: Seen) -> Case {
        Case(label, section, [.send(bytes), .receive(.ok)], seen: [seen])
    }

    /// A chunked body that goes on with its content.
    static func chunked(
        _ label: String,
        _ section: String,
        _ body: String,
        _ content: String,
        trailers: String = ""
    ) -> Case {
        let head = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        let seen = Seen("POST / HTTP/1.1", framing: .chunked, body: content, trailers: trailers)
        return forwarded(label, section, "\(head)\(body)", seen)
    }

    /// A backend's response that reaches the client as it says.
    static func answered(
        _ label: String,
        _ section: String,
        _ response: String,
        _ answer: Answer,
        to method: String = "GET",
        version: String = "HTTP/1.1",
        fields: [String] = ["Host: test"],
        added: [String] = [],
        closing: Bool = false,
        ending: Ending = .usable,
        connections: Int? = nil
    ) -> Case {
        let lines = fields.map { "\($0)\r\n" }.joined()
        let hopByHop = ["connection", "te", "upgrade"]
        let kept = fields.filter { !hopByHop.contains($0.prefix { $0 != ":" }.lowercased()) }
        var answer = answer
        answer.method = method
        return Case(
            label,
            section,
            [.send("\(method) / \(version)\r\n\(lines)\r\n"), .receive(answer)],
            origin: [closing ? Act.answerAndClose(response) : Act.answer(response)],
            seen: [Seen("\(method) / HTTP/1.1", kept, added: added, version: String(version.dropFirst(5)))],
            ending: ending,
            connections: connections
        )
    }

    /// A backend's response that is answered with 502, and named in the log.
    static func bad(
        _ label: String,
        _ section: String,
        _ response: String,
        _ logged: String,
        error: String = "http_protocol_error"
    ) -> Case {
        Case(
            label,
            section,
            [.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"), .receive(.failure(error, logged))],
            origin: [Act.answerAndClose(response)],
            seen: [Seen("POST / HTTP/1.1", framing: .length(0))],
            connections: 2
        )
    }
}

/// A request as the backend must have seen it, to the byte.
struct Seen: Sendable {
    enum Framing: Sendable {
        case none
        case length(Int)
        case chunked
    }

    /// The head, with `*` for an identifier of the balancer's making.
    let head: String
    let body: String
    let trailers: String
    /// Whether the request was to arrive to its end.
    let isWhole: Bool

    /// - Parameters:
    ///   - fields: The client's own field lines.
    ///   - added: Further lines behind those that each forwarded request gets.
    ///   - host: The value of X-Forwarded-Host.
    init(
        _ line: String,
        _ fields: [String] = ["Host: test"],
        added: [String] = [],
        framing: Framing = .none,
        body: String = "",
        trailers: String = "",
        host: String? = "test",
        version: String = "1.1",
        maxForwards: Int? = nil,
        keepsIdentifier: Bool = false,
        isWhole: Bool = true
    ) {
        var lines = [line]
        let hasHost = fields.contains { $0.lowercased().hasPrefix("host:") }
        if !hasHost { lines.append("Host: curl-lb") }
        lines += fields
        lines += ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http"]
        if let host, hasHost, !host.isEmpty { lines.append("X-Forwarded-Host: \(host)") }
        if !keepsIdentifier { lines.append("X-Request-Id: *") }
        if let maxForwards { lines.append("Max-Forwards: \(maxForwards)") }
        lines.append("Via: \(version) curl-lb")
        lines += added
        switch framing {
        case .none: break
        case .length(let length): lines.append("Content-Length: \(length)")
        case .chunked: lines.append("Transfer-Encoding: chunked")
        }
        head = "\(lines.joined(separator: "\r\n"))\r\n\r\n"
        self.body = body
        self.trailers = trailers
        self.isWhole = isWhole
    }

    /// What is wrong with a request that was seen; nil when it is this one.
    func complaint(about message: Message, isWhole: Bool) -> String? {
        let lines = message.head.split(separator: "\r\n", omittingEmptySubsequences: false).map { line in
            let isIdentifier = line.hasPrefix("X-Request-Id: ") && line.count == 46
            return isIdentifier ? "X-Request-Id: *" : String(line)
        }
        let head = lines.joined(separator: "\r\n")
        if head != self.head { return "head \(head.debugDescription), expected \(self.head.debugDescription)" }
        if isWhole != self.isWhole { return isWhole ? "arrived whole" : "did not arrive whole" }
        guard isWhole else { return nil }
        if message.body.text != body { return "body \(message.body.text.debugDescription)" }
        if message.trailers != trailers { return "trailers \(message.trailers.debugDescription)" }
        return nil
    }
}

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
    static func failure(_ error: String, _ logged: String, closes: Bool = false) -> Answer {
        let words = [" \(error) ", "\"\(logged)\""]
        return Answer(
            status: 502,
            reason: error,
            proxyStatus: "curl-lb; error=\(error)",
            logged: words,
            closes: closes
        )
    }

    /// The end of the way that Max-Forwards sets.
    static func endOfWay(method: String) -> Answer {
        let allow = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE"
        return Answer(status: 200, reason: "max_forwards_reached", allow: allow, method: method)
    }

    /// What is wrong with a response that was received; nil when it is this one.
    func complaint(about message: Message) -> String? {
        if let head, message.head != head {
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
}
