// Rows about trailers, both ways.

extension Case {
    private static let head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let take = ["Host: test", "Connection: TE", "TE: trailers"]
    private static let taken = ["Connection: TE", "TE: trailers"]

    /// A chunked response with trailers to a client that takes them.
    private static func trailing(_ label: String, _ section: String, _ trailers: String, as expected: String) -> Case {
        answered(
            "response trailers: \(label)",
            section,
            "\(head)2\r\nok\r\n0\r\n\(trailers)\r\n",
            .response("HTTP/1.1 200 OK", ["Trailer: X-Sum", "Transfer-Encoding: chunked"], "ok", trailers: expected),
            fields: take,
            added: taken,
            connections: 1
        )
    }

    static let trailers: [Case] = [
        trailing(
            "go to a client that takes them",
            "RFC 9110 6.5",
            "X-Sum: 1\r\nx-other:2\r\n",
            as: "X-Sum: 1\r\nx-other:2\r\n"
        ),
        trailing("none, although announced", "RFC 9110 6.6.2", "", as: ""),
        trailing("bytes beyond ASCII", "RFC 9110 6.5", "X-Sum: \u{E9}\r\n", as: "X-Sum: \u{E9}\r\n"),
        trailing(
            "that frame stay behind",
            "RFC 9110 6.5.1",
            "Content-Length: 9\r\nX-Sum: 1\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n",
            as: "X-Sum: 1\r\n"
        ),
        trailing(
            "that route or belong to the connection stay behind",
            "RFC 9110 6.5.1",
            "Host: evil\r\nConnection: close\r\nKeep-Alive: x\r\nUpgrade: x\r\nX-Sum: 1\r\nVia: 1.1 x\r\nTE: x\r\n",
            as: "X-Sum: 1\r\n"
        ),
        trailing(
            "that identify, describe or redirect stay behind",
            "RFC 9110 6.5.1",
            "Set-Cookie: a=b\r\nContent-Type: x\r\nContent-Encoding: gzip\r\nLocation: /\r\nCache-Control: x\r\nX-Sum: 1\r\n",
            as: "X-Sum: 1\r\n"
        ),
        answered(
            "response trailers: dropped for a client that does not take them",
            "RFC 9110 6.5.1",
            "\(head)2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
            .response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "ok"),
            connections: 1
        ),
        answered(
            "response trailers: dropped for a client of HTTP/1.0",
            "RFC 9110 6.5.1",
            "\(head)2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
            .response("HTTP/1.1 200 OK", ["Connection: close"], "ok"),
            version: "HTTP/1.0",
            ending: .closed
        ),
        Case(
            "trailers: both ways",
            "RFC 9110 6.5",
            [
                .send(
                    """
                    POST / HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE\r\nTrailer: X-In\r\n\
                    Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-In: 1\r\n\r\n
                    """
                ),
                .receive(
                    .response(
                        "HTTP/1.1 200 OK",
                        ["Trailer: X-Sum", "Transfer-Encoding: chunked"],
                        "ok",
                        trailers: "X-Sum: 2\r\n"
                    )
                ),
            ],
            origin: [Act.answer("\(head)2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n")],
            seen: [
                Seen(
                    "POST / HTTP/1.1",
                    ["Host: test", "Trailer: X-In"],
                    added: taken,
                    framing: .chunked,
                    body: "hi",
                    trailers: "X-In: 1\r\n"
                )
            ],
            connections: 1
        ),
        Case(
            "trailers: of a request, cut by the reading",
            "RFC 9112 7.1.2",
            [
                .send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-In"),
                .waitUntilRead,
                .send(": 1\r\nX-Too: 2"), .waitUntilRead, .send("\r\n\r\n"), .receive(.ok),
            ],
            seen: [Seen("POST / HTTP/1.1", framing: .chunked, body: "a", trailers: "X-In: 1\r\nX-Too: 2\r\n")]
        ),
    ]
}
