// The shapes that rows have, so that each says no more than what is special about it.

extension Case {
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

    /// A backend's response that breaks after a good beginning: the client gets that, and then a reset.
    ///
    /// - Parameters:
    ///   - parts: What the backend sends, each part when the balancer has read the one before; then it closes.
    ///   - got: What the client gets.
    static func broken(
        _ label: String,
        _ section: String,
        _ parts: [String],
        _ got: String,
        version: String = "HTTP/1.1"
    ) -> Case {
        Case(
            label,
            section,
            [.send("GET / \(version)\r\nHost: test\r\n\r\n"), .receiveBroken(got)],
            origin: [[.receiveBody] + parts.flatMap { [Act.send($0), .waitUntilRead] } + [.close]],
            seen: [Seen("GET / HTTP/1.1", version: String(version.dropFirst(5)))],
            ending: .done
        )
    }

    /// A backend's response whose first bytes, or the lack of them, are answered with 502.
    static func unanswered(_ label: String, _ section: String, _ response: String, _ logged: String) -> Case {
        bad(label, section, response, logged, error: "connection_terminated")
    }
}
