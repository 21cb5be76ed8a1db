// Rows about responses that end too early or too late, or break in the middle: no client takes them for whole ones.

extension Case {
    private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let lengthHead = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    private static let begun = "\(chunkedHead)3\r\nabc\r\n"

    // MARK: Heads

    private static func cutHead(_ label: String, _ head: String) -> Case {
        let logged = "the backend closed the connection in the middle of the response head"
        return unanswered("cut head: \(label)", "RFC 9112 8", head, logged)
    }

    static let cutHeads: [Case] = [
        unanswered(
            "cut head: no byte",
            "RFC 9112 8",
            "",
            "the backend closed the connection without an answer"
        ),
        Case(
            "bad head: the answer to a HEAD has no body",
            "RFC 9110 9.3.2",
            [
                .send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n"),
                .receive(.failure("http_protocol_error", answering: "HEAD")),
            ],
            origin: [Act.answerAndClose("HTTP/1.1 2\r\n\r\n")],
            seen: [Seen("HEAD / HTTP/1.1")],
            connections: 2
        ),
        Case(
            "cut head: a client of HTTP/1.0 is answered, and its connection closed",
            "RFC 9112 9.3",
            [
                .send("POST / HTTP/1.0\r\nHost: test\r\nContent-Length: 0\r\n\r\n"),
                .receive(.failure("connection_terminated", closes: true)),
            ],
            origin: [Act.answerAndClose("HTTP/1.1 200 OK\r\n")],
            seen: [Seen("POST / HTTP/1.1", framing: .length(0), version: "1.0")],
            ending: .closed
        ),
        cutHead("in the version", "HTTP/1."),
        cutHead("in the status", "HTTP/1.1 20"),
        cutHead("behind the status line", "HTTP/1.1 200 OK\r\n"),
        cutHead("in a name", "HTTP/1.1 200 OK\r\nContent-Le"),
        cutHead("behind the length", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
        cutHead("before the last byte", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r"),
        Case(
            "cut head: behind an interim response",
            "RFC 9112 8",
            [
                .send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.interim("HTTP/1.1 100 Continue")),
                .receive(.failure("connection_terminated")),
            ],
            origin: [Act.answerAndClose("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
    ]

    // MARK: Bodies cut short

    private static func cutBody(_ label: String, _ parts: [String], _ got: String, version: String = "HTTP/1.1") -> Case
    {
        broken("cut body: \(label)", "RFC 9112 8", parts, got, version: version)
    }

    static let cutBodies: [Case] = [
        cutBody("a length, before the first byte", [lengthHead], lengthHead),
        cutBody("a length, in the middle", ["\(lengthHead)ab"], "\(lengthHead)ab"),
        cutBody("a length, before the last byte", [lengthHead, "ab", "cd"], "\(lengthHead)abcd"),
        cutBody("chunks, before the first", [chunkedHead], chunkedHead),
        cutBody("chunks, in a size", [begun, "1"], begun),
        cutBody("chunks, behind a size", [begun, "5\r\n"], begun),
        cutBody("chunks, in the content", ["\(chunkedHead)5\r\nabc"], begun),
        cutBody("chunks, before the end of one", ["\(chunkedHead)3\r\nabc"], begun),
        cutBody("chunks, before the last", [begun], begun),
        cutBody("chunks, in the last", [begun, "0\r\n"], begun),
        cutBody("chunks, in the trailers", [begun, "0\r\nX-Sum: 1\r\n"], begun),
        cutBody("chunks, before the last byte", [begun, "0\r\nX-Sum: 1\r\n\r"], begun),
        cutBody(
            "chunks, for a client of HTTP/1.0",
            [begun],
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
            version: "HTTP/1.0"
        ),
        cutBody(
            "a length, for a client of HTTP/1.0",
            ["\(lengthHead)ab"],
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab",
            version: "HTTP/1.0"
        ),
    ]

    // MARK: Malformed chunks

    /// Two rows: with the response's first bytes a chunk is a 502, behind content that went on it is a reset.
    private static func badChunk(_ label: String, _ section: String, _ chunk: String, _ logged: String) -> [Case] {
        [
            bad("response chunk: \(label), at once", section, "\(chunkedHead)\(chunk)", logged),
            broken("response chunk: \(label), later", section, [begun, chunk], begun),
        ]
    }

    private static let noNumber = "A chunk size is not a hexadecimal number."
    private static let noSize = "A chunk has no size."
    private static let tooLarge = "A chunk size has more than 16 digits or is larger than any body can be."
    private static let blank = "White space stands before or behind a chunk size."
    private static let bareLineFeed = "A line ends with a line feed alone."
    private static let bareCarriageReturn = "A carriage return is not followed by a line feed."
    private static let noEnd = "The data of a chunk is not followed by the end of its line."

    static let brokenChunks: [Case] = [
        badChunk("no size", "RFC 9112 7.1", "\r\nabc\r\n0\r\n\r\n", noSize),
        badChunk("no number", "RFC 9112 7.1", "g\r\nabc\r\n0\r\n\r\n", noNumber),
        badChunk("a mark in front", "RFC 9112 7.1", "0x3\r\nabc\r\n0\r\n\r\n", noNumber),
        badChunk("a minus", "RFC 9112 7.1", "-3\r\nabc\r\n0\r\n\r\n", noNumber),
        badChunk("a comma", "RFC 9112 7.1", "3,3\r\nabc\r\n0\r\n\r\n", noNumber),
        badChunk("17 digits", "RFC 9112 7.1", "00000000000000003\r\nabc\r\n0\r\n\r\n", tooLarge),
        badChunk("beyond 63 bits", "RFC 9112 7.1", "8000000000000000\r\nabc", tooLarge),
        badChunk("beyond 64 bits", "RFC 9112 7.1", "10000000000000003\r\nabc\r\n0\r\n\r\n", tooLarge),
        badChunk("a space in front", "RFC 9112 7.1", " 3\r\nabc\r\n0\r\n\r\n", blank),
        badChunk("a space behind", "RFC 9112 7.1.1", "3 \r\nabc\r\n0\r\n\r\n", blank),
        badChunk("a line feed alone", "RFC 9112 2.2", "3\nabc\r\n0\r\n\r\n", bareLineFeed),
        badChunk("a carriage return alone", "RFC 9112 2.2", "3\rabc\r\n0\r\n\r\n", bareCarriageReturn),
        badChunk("a line feed in an extension", "RFC 9112 7.1.1", "3;a\n0\r\n\r\n", bareLineFeed),
        badChunk(
            "a NUL in an extension",
            "RFC 9112 7.1.1",
            "3;\u{0}\r\nabc\r\n",
            "A chunk extension holds a control byte."
        ),
        badChunk(
            "an extension beyond 4 KiB",
            "RFC 9112 7.1.1",
            "1;\(String(repeating: "a", count: 4097))\r\na\r\n0\r\n\r\n",
            "A chunk extension is too long."
        ),
        badChunk(
            "extensions out of proportion",
            "RFC 9112 7.1.1",
            String(repeating: "1;\(String(repeating: "a", count: 999))\r\nx\r\n", count: 17),
            "The chunk extensions are out of proportion to the data."
        ),
        badChunk("more content than said", "RFC 9112 7.1", "2\r\nabc\r\n0\r\n\r\n", noEnd),
        badChunk("content ended by a line feed", "RFC 9112 7.1", "2\r\nab\n0\r\n\r\n", bareLineFeed),
        badChunk(
            "a space before the colon of a trailer",
            "RFC 9112 7.1.2",
            "0\r\nA : b\r\n\r\n",
            "White space stands in the name of a trailer field or before its colon."
        ),
        badChunk(
            "a folded trailer",
            "RFC 9112 5.2",
            "0\r\nA: b\r\n c\r\n\r\n",
            "A trailer field line starts with white space."
        ),
        badChunk(
            "a response in place of trailers",
            "RFC 9112 7.1.2",
            "0\r\nHTTP/1.1 200 OK\r\n\r\n",
            "The name of a trailer field holds a byte that is not allowed in names."
        ),
        badChunk(
            "a NUL in a trailer",
            "RFC 9110 5.5",
            "0\r\nA: \u{0}\r\n\r\n",
            "A trailer field line holds a NUL byte."
        ),
        badChunk("a line feed for the end", "RFC 9112 2.2", "0\r\n\n", bareLineFeed),
        badChunk(
            "65 trailers",
            "RFC 9112 7.1.2",
            "0\r\n\((0..<65).map { "A: \($0)\r\n" }.joined())\r\n",
            "There are too many trailer field lines."
        ),
        badChunk(
            "trailers beyond 16 KiB",
            "RFC 9112 7.1.2",
            "0\r\nA: \(String(repeating: "a", count: 16_384))\r\n\r\n",
            "The trailer section is too large."
        ),
    ].flatMap { $0 }

    // MARK: Bytes behind a response

    /// A response with something behind it that would like to be an answer, in the same packet.
    private static func stray(_ label: String, _ response: String, _ answer: Answer) -> Case {
        let behind = "HTTP/1.1 200 Stray\r\nContent-Length: 5\r\n\r\nstray"
        return answered("stray bytes: \(label)", "RFC 9112 9.2", response + behind, answer, connections: 2)
    }

    static let strayBytes: [Case] = [
        stray("behind a length", "\(lengthHead)hello", .response("HTTP/1.1 200 OK", ["Content-Length: 5"], "hello")),
        stray(
            "behind the last chunk",
            "\(begun)0\r\n\r\n",
            .response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "abc")
        ),
        stray("behind a 304", "HTTP/1.1 304 N\r\n\r\n", .response("HTTP/1.1 304 N", [])),
        answered(
            "stray bytes: a line feed behind a length",
            "RFC 9112 9.2",
            "\(lengthHead)hello\r\n",
            .response("HTTP/1.1 200 OK", ["Content-Length: 5"], "hello"),
            connections: 2
        ),
        Case(
            "stray bytes: a response at rest answers nobody",
            "RFC 9112 9.2",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok)],
            origin: [
                [
                    .receiveBody, .send(Reply.ok("ok")), .waitUntilRead, .send(Reply.ok("stray")), .receiveEnd, .close,
                ]
            ],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
        Case(
            "stray bytes: one byte at rest",
            "RFC 9112 9.2",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok)],
            origin: [[.receiveBody, .send(Reply.ok("ok")), .waitUntilRead, .send("\n"), .receiveEnd, .close]],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
        Case(
            "stray bytes: a 408 at rest is not the next answer",
            "RFC 9110 15.5.9",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok)],
            origin: [
                [
                    .receiveBody, .send(Reply.ok("ok")), .waitUntilRead,
                    .send("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
                    .receiveEnd,
                    .close,
                ]
            ],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
        Case(
            "stray bytes: a connection that the backend ends at rest is not used again",
            "RFC 9112 9.5",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.ok)],
            origin: [[.receiveBody, .send(Reply.ok("ok")), .waitUntilRead, .finishSending, .receiveEnd, .close]],
            seen: [Seen("GET / HTTP/1.1")],
            connections: 2
        ),
    ]
}
