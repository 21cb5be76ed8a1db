// Rows about several requests on one connection that are all answered, in order.

extension Case {
    /// Requests in one packet, answered with their numbers.
    private static func pipeline(
        _ label: String,
        _ requests: [String],
        _ seen: [Seen],
        _ section: String = "RFC 9112 9.3.2"
    ) -> Case {
        let numbers = Array(1...seen.count)
        return Case(
            "pipeline: \(label)",
            section,
            [.send(requests.joined())] + numbers.map { Numbered.answer($0) },
            origin: numbers.map { Numbered.acts($0) },
            seen: seen,
            connections: 1
        )
    }

    static let pipelines: [Case] = [
        pipeline("two", [Numbered.get(1), Numbered.get(2)], [Numbered.seen(1), Numbered.seen(2)]),
        pipeline("five", (1...5).map { Numbered.get($0) }, (1...5).map { Numbered.seen($0) }),
        pipeline(
            "a length between",
            [Numbered.get(1), Numbered.post(2, "body"), Numbered.get(3)],
            [Numbered.seen(1), Numbered.posted(2, "body"), Numbered.seen(3)]
        ),
        pipeline(
            "bodies one behind the other",
            [Numbered.post(1, "a"), Numbered.post(2, "bc"), Numbered.post(3, "")],
            [Numbered.posted(1, "a"), Numbered.posted(2, "bc"), Numbered.posted(3, "")]
        ),
        pipeline(
            "a body that looks like the next request",
            [Numbered.post(1, Numbered.get(9)), Numbered.get(2)],
            [Numbered.posted(1, Numbered.get(9)), Numbered.seen(2)],
            "RFC 9112 11.2"
        ),
        pipeline(
            "chunks between",
            [Numbered.get(1), Numbered.chunks(2, "2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n"), Numbered.get(3)],
            [Numbered.seen(1), Seen("POST /2 HTTP/1.1", framing: .chunked, body: "abc"), Numbered.seen(3)]
        ),
        pipeline(
            "trailers between",
            [Numbered.chunks(1, "1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), Numbered.get(2)],
            [Seen("POST /1 HTTP/1.1", framing: .chunked, body: "a", trailers: "X-Sum: 1\r\n"), Numbered.seen(2)]
        ),
        pipeline(
            "an empty line between",
            [Numbered.post(1, "a"), "\r\n", Numbered.get(2)],
            [Numbered.posted(1, "a"), Numbered.seen(2)],
            "RFC 9112 2.2"
        ),
        pipeline(
            "an absolute target between",
            [Numbered.get(1), "GET http://shop/2 HTTP/1.1\r\nHost: x\r\n\r\n", Numbered.get(3)],
            [Numbered.seen(1), Seen("GET /2 HTTP/1.1", ["Host: shop"], host: "shop"), Numbered.seen(3)],
            "RFC 9112 3.2.2"
        ),
        pipeline(
            "an asterisk between",
            [Numbered.get(1), "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", Numbered.get(3)],
            [Numbered.seen(1), Seen("OPTIONS * HTTP/1.1"), Numbered.seen(3)],
            "RFC 9112 3.2.4"
        ),
        pipeline(
            "HTTP/1.1 behind HTTP/1.1 of a later minor version",
            ["GET /1 HTTP/1.5\r\nHost: test\r\n\r\n", Numbered.get(2)],
            [Numbered.seen(1), Numbered.seen(2)],
            "RFC 9110 2.5"
        ),
        Case(
            "pipeline: a head in two parts",
            "RFC 9112 9.3.2",
            [
                .send("\(Numbered.get(1))GET /2 HT"), Numbered.answer(1), .waitUntilRead,
                .send("TP/1.1\r\nHost: test\r\n\r\n\(Numbered.get(3))"),
                Numbered.answer(2), Numbered.answer(3),
            ],
            origin: [Numbered.acts(1), Numbered.acts(2), Numbered.acts(3)],
            seen: [Numbered.seen(1), Numbered.seen(2), Numbered.seen(3)],
            connections: 1
        ),
        Case(
            "pipeline: a body in two parts",
            "RFC 9112 9.3.2",
            [
                .send("\(Numbered.get(1))\(Numbered.post(2, "body").dropLast(3))"), Numbered.answer(1), .waitUntilRead,
                .send("ody\(Numbered.get(3))"),
                Numbered.answer(2), Numbered.answer(3),
            ],
            origin: [Numbered.acts(1), Numbered.acts(2), Numbered.acts(3)],
            seen: [Numbered.seen(1), Numbered.posted(2, "body"), Numbered.seen(3)]
        ),
        Case(
            "pipeline: a HEAD, then a GET",
            "RFC 9112 6.3",
            [
                .send("HEAD /1 HTTP/1.1\r\nHost: test\r\n\r\n\(Numbered.get(2))"),
                .receive(Answer(head: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method: "HEAD")),
                Numbered.answer(2),
            ],
            origin: [Act.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Numbered.acts(2)],
            seen: [Seen("HEAD /1 HTTP/1.1"), Numbered.seen(2)],
            connections: 1
        ),
        Case(
            "pipeline: a HEAD that was answered with a body, then a GET",
            "RFC 9112 6.3",
            [
                .send("HEAD /1 HTTP/1.1\r\nHost: test\r\n\r\n\(Numbered.get(2))"),
                .receive(Answer(head: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method: "HEAD")),
                Numbered.answer(2),
            ],
            origin: [Act.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome body"), Numbered.acts(2)],
            seen: [Seen("HEAD /1 HTTP/1.1"), Numbered.seen(2)],
            connections: 2
        ),
        Case(
            "pipeline: 304 and 204 between",
            "RFC 9112 6.3",
            [
                .send(Numbered.get(1) + Numbered.get(2) + Numbered.get(3)),
                .receive(.response("HTTP/1.1 304 N", ["Content-Length: 5"])),
                .receive(.response("HTTP/1.1 204 N", [])), Numbered.answer(3),
            ],
            origin: [
                Act.answer("HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"), Act.answer("HTTP/1.1 204 N\r\n\r\n"),
                Numbered.acts(3),
            ],
            seen: [Numbered.seen(1), Numbered.seen(2), Numbered.seen(3)],
            connections: 1
        ),
        pipeline(
            "bodies where none is usual",
            [
                "GET /1 HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\na",
                "DELETE /2 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n",
                "OPTIONS /3 HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nc", Numbered.get(4),
            ],
            [
                Seen("GET /1 HTTP/1.1", framing: .length(1), body: "a"),
                Seen("DELETE /2 HTTP/1.1", framing: .chunked, body: "b"),
                Seen("OPTIONS /3 HTTP/1.1", framing: .length(1), body: "c"), Numbered.seen(4),
            ],
            "RFC 9110 9.3"
        ),
        Case(
            "pipeline: HTTP/1.0 with keep-alive, and without Host",
            "RFC 9112 9.3",
            [
                .send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + Numbered.get(2)),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 1", "Connection: keep-alive"], "1")),
                Numbered.answer(2),
            ],
            origin: [Numbered.acts(1), Numbered.acts(2)],
            seen: [Seen("GET /1 HTTP/1.1", [], version: "1.0"), Numbered.seen(2)],
            connections: 1
        ),
        Case(
            "pipeline: a backend that closes each time",
            "RFC 9112 9.6",
            [.send(Numbered.get(1) + Numbered.get(2)), Numbered.answer(1), Numbered.answer(2)],
            origin: (1...2).map {
                Act.answerAndClose("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\($0)")
            },
            seen: [Numbered.seen(1), Numbered.seen(2)],
            connections: 3
        ),
    ]
}
