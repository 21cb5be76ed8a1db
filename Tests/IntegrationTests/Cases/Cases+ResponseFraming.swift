// Rows about the length of responses: what is believed, what is not, and what a client gets of a broken body.

extension Case {
    private static let ok = "HTTP/1.1 200 OK"

    private static func badLength(_ label: String, _ lines: String, _ logged: String, _ line: String = ok) -> Case {
        bad("response length: \(label)", "RFC 9112 6.3", "\(line)\r\n\(lines)\r\n\r\n2\r\nok\r\n0\r\n\r\n", logged)
    }

    private static func badCoding(_ label: String, _ value: String, _ logged: String) -> Case {
        let lines = value.split(separator: "|", omittingEmptySubsequences: false).map { "Transfer-Encoding: \($0)\r\n" }
        let response = "\(ok)\r\n\(lines.joined())\r\n2\r\nok\r\n0\r\n\r\n"
        return bad("response coding: \(label)", "RFC 9112 6.1", response, logged)
    }

    private static func goodChunks(_ label: String, _ body: String, _ content: String) -> Case {
        answered(
            "response chunks: \(label)",
            "RFC 9112 7.1",
            "\(ok)\r\nTransfer-Encoding: chunked\r\n\r\n\(body)",
            .response(ok, ["Transfer-Encoding: chunked"], content),
            connections: 1
        )
    }

    private static let noNumber = "The Content-Length field is not a number."
    private static let tooLarge = "The Content-Length is larger than any body can be."
    private static let different = "Two different Content-Length values are given."
    private static let both = "Both Content-Length and Transfer-Encoding are given."
    private static let unknown = "The only transfer coding understood is chunked."
    private static let notLast = "The chunked transfer coding is not the last one."
    private static let twice = "The chunked transfer coding is given more than once."
    private static let badValue = "The Transfer-Encoding field is malformed."

    static let responseLengths: [Case] = [
        badLength("CL.TE", "Content-Length: 2\r\nTransfer-Encoding: chunked", both),
        badLength("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 2", both),
        badLength("CL.TE with an unknown coding", "Content-Length: 2\r\nTransfer-Encoding: identity", both),
        badLength("two that differ", "Content-Length: 2\r\nContent-Length: 3", different),
        badLength("a list that differs", "Content-Length: 2, 3", different),
        badLength("a plus", "Content-Length: +2", noNumber),
        badLength("a minus", "Content-Length: -2", noNumber),
        badLength("hexadecimal", "Content-Length: 0x2", noNumber),
        badLength("empty", "Content-Length:", noNumber),
        badLength("an empty member", "Content-Length: 2,", noNumber),
        badLength("a fraction", "Content-Length: 2.0", noNumber),
        badLength("a space inside", "Content-Length: 2 2", noNumber),
        badLength("beyond 63 bits", "Content-Length: 9223372036854775808", tooLarge),
        badLength("beyond 64 bits", "Content-Length: 18446744073709551618", tooLarge),
        badLength(
            "chunked in HTTP/1.0",
            "Transfer-Encoding: chunked",
            "An HTTP/1.0 response has a Transfer-Encoding field.",
            "HTTP/1.0 200 OK"
        ),
        badLength("malformed with 204", "Content-Length: x", noNumber, "HTTP/1.1 204 No Content"),
        badLength("malformed with 304", "Content-Length: 2, 3", different, "HTTP/1.1 304 Not Modified"),
        badCoding("gzip", "gzip", unknown),
        badCoding("identity", "identity", unknown),
        badCoding("gzip before chunked", "gzip, chunked", unknown),
        badCoding("gzip and chunked on two lines", "gzip|chunked", unknown),
        badCoding("chunked before gzip", "chunked, gzip", notLast),
        badCoding("chunked before gzip on two lines", "chunked|gzip", notLast),
        badCoding("a comma behind", "chunked,", notLast),
        badCoding("chunked twice", "chunked, chunked", twice),
        badCoding("chunked on two lines", "chunked|chunked", twice),
        badCoding("chunked with a parameter", "chunked;q=1", badValue),
        badCoding("quoted", "\"chunked\"", badValue),
        badCoding("empty", "", badValue),
        answered(
            "response length: the same in a list and on another line becomes one",
            "RFC 9112 6.3",
            "\(ok)\r\nContent-Length: 2, 2\r\nX-A: 1\r\nContent-Length: 02\r\n\r\nok",
            .response(ok, ["X-A: 1", "Content-Length: 2"], "ok"),
            connections: 1
        ),
        answered(
            "response coding: letter case and white space",
            "RFC 9112 7",
            "\(ok)\r\nTransfer-Encoding: \t ChUnKeD \t\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            .response(ok, ["Transfer-Encoding: chunked"], "ok"),
            connections: 1
        ),
        goodChunks("several become the same content", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"),
        goodChunks("none", "0\r\n\r\n", ""),
        goodChunks("leading zeros", "0000000000000003\r\nabc\r\n000\r\n\r\n", "abc"),
        goodChunks(
            "capital and small digits",
            "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
            "01234567890123456789a"
        ),
        goodChunks("extensions are dropped", "3;a;b=\"c d\"\r\nabc\r\n0;e\r\n\r\n", "abc"),
        goodChunks("content that looks like an end", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        answered(
            "response coding: to a client of HTTP/1.0 the end is the connection's",
            "RFC 9112 6.1",
            "\(ok)\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            .response(ok, ["Connection: close"], "ok"),
            version: "HTTP/1.0",
            ending: .closed
        ),
        answered(
            "response coding: also when that client would keep it",
            "RFC 9112 9.3",
            "\(ok)\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            .response(ok, ["Connection: close"], "ok"),
            version: "HTTP/1.0",
            fields: ["Host: test", "Connection: keep-alive"],
            ending: .closed
        ),
    ]

    // MARK: The connection's end

    static let responseEnds: [Case] = [
        answered(
            "until close: chunks for a client of HTTP/1.1",
            "RFC 9112 6.3",
            "\(ok)\r\nX-A: 1\r\n\r\nall of it",
            .response(ok, ["X-A: 1", "Transfer-Encoding: chunked"], "all of it"),
            closing: true,
            connections: 2
        ),
        answered(
            "until close: with nothing before it",
            "RFC 9112 6.3",
            "\(ok)\r\n\r\n",
            .response(ok, ["Transfer-Encoding: chunked"]),
            closing: true,
            connections: 2
        ),
        answered(
            "until close: for a client of HTTP/1.0",
            "RFC 9112 6.3",
            "\(ok)\r\n\r\nall of it",
            .response(ok, ["Connection: close"], "all of it"),
            version: "HTTP/1.0",
            closing: true,
            ending: .closed
        ),
        answered(
            "until close: keep-alive does not change it",
            "RFC 9112 6.3",
            "\(ok)\r\nConnection: keep-alive\r\n\r\nall of it",
            .response(ok, ["Transfer-Encoding: chunked"], "all of it"),
            closing: true,
            connections: 2
        ),
        answered(
            "HTTP/1.0 backend: until close",
            "RFC 9112 6.3",
            "HTTP/1.0 200 OK\r\n\r\nall of it",
            .response(ok, ["Transfer-Encoding: chunked"], "all of it"),
            closing: true,
            connections: 2
        ),
        answered(
            "HTTP/1.0 backend: a length without keep-alive",
            "RFC 9112 9.3",
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            .response(ok, ["Content-Length: 2"], "ok"),
            connections: 2
        ),
        answered(
            "HTTP/1.0 backend: a length with keep-alive",
            "RFC 9112 9.3",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            .response(ok, ["Content-Length: 2"], "ok"),
            connections: 1
        ),
        answered(
            "HTTP/1.0 backend: Keep-Alive without the option",
            "RFC 9112 9.3",
            "HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok",
            .response(ok, ["Content-Length: 2"], "ok"),
            connections: 2
        ),
        answered(
            "length: for a client of HTTP/1.0 that keeps its connection",
            "RFC 9112 9.3",
            "\(ok)\r\nContent-Length: 2\r\n\r\nok",
            .response(ok, ["Content-Length: 2", "Connection: keep-alive"], "ok"),
            version: "HTTP/1.0",
            fields: ["Host: test", "Connection: keep-alive"],
            connections: 1
        ),
    ]

    // MARK: No body

    private static func bodiless(
        _ label: String,
        _ line: String,
        _ lines: [String],
        leaves expected: [String],
        behind: String = "",
        to method: String = "GET",
        connections: Int
    ) -> Case {
        answered(
            "no body: \(label)",
            "RFC 9112 6.3",
            "\(line)\r\n\(lines.map { "\($0)\r\n" }.joined())\r\n\(behind)",
            .response(line, expected),
            to: method,
            connections: connections
        )
    }

    private static let none = "HTTP/1.1 204 No Content"
    private static let same = "HTTP/1.1 304 Not Modified"
    private static let coded = "Transfer-Encoding: chunked"

    static let bodilessResponses: [Case] = [
        bodiless("204", none, ["X-A: 1"], leaves: ["X-A: 1"], connections: 1),
        bodiless("204 with a length of zero", none, ["Content-Length: 0"], leaves: [], connections: 1),
        bodiless("204 that announces one", none, ["Content-Length: 5"], leaves: [], connections: 2),
        bodiless("204 with one", none, ["Content-Length: 5"], leaves: [], behind: "hello", connections: 2),
        bodiless("204 with chunks", none, [coded], leaves: [], behind: "0\r\n\r\n", connections: 2),
        bodiless("204 with stray bytes", none, [], leaves: [], behind: "hello", connections: 2),
        bodiless("304", same, ["ETag: \"a\""], leaves: ["ETag: \"a\""], connections: 1),
        bodiless("304 keeps the length", same, ["Content-Length: 5"], leaves: ["Content-Length: 5"], connections: 1),
        bodiless("304 with chunks announced", same, [coded], leaves: [], connections: 1),
        bodiless(
            "304 with one",
            same,
            ["Content-Length: 5"],
            leaves: ["Content-Length: 5"],
            behind: "hello",
            connections: 2
        ),
        bodiless(
            "HEAD keeps the length",
            ok,
            ["Content-Length: 5"],
            leaves: ["Content-Length: 5"],
            to: "HEAD",
            connections: 1
        ),
        bodiless("HEAD with chunks announced", ok, [coded], leaves: [], to: "HEAD", connections: 1),
        bodiless("HEAD without a length", ok, ["X-A: 1"], leaves: ["X-A: 1"], to: "HEAD", connections: 1),
        bodiless(
            "HEAD with one",
            ok,
            ["Content-Length: 5"],
            leaves: ["Content-Length: 5"],
            behind: "hello",
            to: "HEAD",
            connections: 2
        ),
        bodiless(
            "HEAD with an error",
            "HTTP/1.1 404 N",
            ["Content-Length: 9"],
            leaves: ["Content-Length: 9"],
            to: "HEAD",
            connections: 1
        ),
        answered(
            "no body: 205 with a length of zero",
            "RFC 9110 15.3.6",
            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
            .response("HTTP/1.1 205 Reset Content", ["Content-Length: 0"]),
            connections: 1
        ),
        answered(
            "no body: 205 with an empty chunked one",
            "RFC 9110 15.3.6",
            "HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .response("HTTP/1.1 205 Reset Content", ["Transfer-Encoding: chunked"]),
            connections: 1
        ),
        answered(
            "no body: a length of zero is said",
            "RFC 9110 8.6",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            .response("HTTP/1.1 404 Not Found", ["Content-Length: 0"]),
            connections: 1
        ),
    ]
}
