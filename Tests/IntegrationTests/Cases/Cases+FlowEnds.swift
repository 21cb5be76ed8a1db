// Rows about what ends a row of requests on one connection: what came before is answered, what comes behind is not.

extension Case {
    /// Requests in one packet of which one is refused: what came before is answered, what comes behind is not looked at.
    private static func refusal(
        _ label: String,
        _ section: String,
        _ requests: [String],
        _ seen: [Seen],
        _ status: Int,
        _ reason: String
    ) -> Case {
        let numbers = Array(1...seen.count)
        return Case(
            "pipeline: \(label)",
            section,
            [.send(requests.joined())] + numbers.map { Numbered.answer($0) } + [.receive(.refusal(status, reason))],
            origin: numbers.map { Numbered.acts($0) },
            seen: seen,
            ending: .closed
        )
    }

    static let pipelineEnds: [Case] = [
        Case(
            "pipeline: a malformed response between",
            "RFC 9112 9.3.2",
            [
                .send(Numbered.get(1) + Numbered.get(2) + Numbered.get(3)), Numbered.answer(1),
                .receive(.failure("http_protocol_error", "The backend's answer does not start with an HTTP version.")),
                Numbered.answer(3),
            ],
            origin: [Numbered.acts(1), Act.answerAndClose("hello\r\n"), Numbered.acts(3)],
            seen: [Numbered.seen(1), Numbered.seen(2), Numbered.seen(3)],
            connections: 2
        ),
        Case(
            "pipeline: a response that breaks off ends it all",
            "RFC 9112 8",
            [
                .send(Numbered.get(1) + Numbered.get(2) + Numbered.get(3)), Numbered.answer(1),
                .receiveBroken("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
            ],
            origin: [
                Numbered.acts(1),
                [.receiveBody, .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), .waitUntilRead, .close],
            ],
            seen: [Numbered.seen(1), Numbered.seen(2)],
            ending: .done
        ),
        Case(
            "pipeline: behind Connection: close nothing is looked at",
            "RFC 9112 9.6",
            [
                .send(Numbered.get(1) + Numbered.get(2, "Connection: close\r\n") + Numbered.get(3)), Numbered.answer(1),
                Numbered.answer(2, closes: true),
            ],
            origin: [Numbered.acts(1), Numbered.acts(2)],
            seen: [Numbered.seen(1), Numbered.seen(2)],
            ending: .closed
        ),
        Case(
            "pipeline: behind HTTP/1.0 nothing is looked at",
            "RFC 9112 9.3",
            [
                .send(Numbered.get(1) + "GET /2 HTTP/1.0\r\n\r\n" + Numbered.get(3)), Numbered.answer(1),
                Numbered.answer(2, closes: true),
            ],
            origin: [Numbered.acts(1), Numbered.acts(2)],
            seen: [Numbered.seen(1), Seen("GET /2 HTTP/1.1", [], version: "1.0")],
            ending: .closed
        ),
        refusal(
            "a request line in the middle",
            "RFC 9112 3",
            [Numbered.get(1), "GET  /2 HTTP/1.1\r\n\r\n", Numbered.get(3)],
            [Numbered.seen(1)],
            400,
            "malformed_request_line"
        ),
        refusal(
            "CONNECT in the middle",
            "RFC 9110 9.3.6",
            [Numbered.get(1), Numbered.get(2), "CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n", Numbered.get(4)],
            [Numbered.seen(1), Numbered.seen(2)],
            405,
            "connect_refused"
        ),
        refusal(
            "a missing Host in the middle",
            "RFC 9112 3.2",
            [Numbered.get(1), "GET /2 HTTP/1.1\r\n\r\n", Numbered.get(3)],
            [Numbered.seen(1)],
            400,
            "missing_host"
        ),
        refusal(
            "two lengths in the middle",
            "RFC 9112 6.3",
            [
                Numbered.post(1, "a"),
                "POST /2 HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
                Numbered.get(3),
            ],
            [Numbered.posted(1, "a")],
            400,
            "conflicting_content_length"
        ),
        refusal(
            "chunks in the middle",
            "RFC 9112 7.1",
            [Numbered.get(1), Numbered.chunks(2, "x\r\n"), Numbered.get(3)],
            [Numbered.seen(1)],
            400,
            "malformed_chunk_size"
        ),
        refusal(
            "two empty lines in the middle",
            "RFC 9112 2.2",
            [Numbered.post(1, "a"), "\r\n\r\n", Numbered.get(3)],
            [Numbered.posted(1, "a")],
            400,
            "extra_empty_line"
        ),
        refusal(
            "a body longer than said",
            "RFC 9112 6.3",
            [Numbered.post(1, "a"), "bc\r\n", Numbered.get(3)],
            [Numbered.posted(1, "a")],
            400,
            "malformed_method"
        ),
        refusal(
            "a later protocol in the middle",
            "RFC 9113 3.4",
            [Numbered.get(1), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
            [Numbered.seen(1)],
            505,
            "unsupported_version"
        ),
        refusal(
            "a target for CONNECT with another method",
            "RFC 9112 3.2.3",
            [Numbered.get(1), "GET test:80 HTTP/1.1\r\nHost: test\r\n\r\n", Numbered.get(3)],
            [Numbered.seen(1)],
            400,
            "malformed_target"
        ),
    ]
}
