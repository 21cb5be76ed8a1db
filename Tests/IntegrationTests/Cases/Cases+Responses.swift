// Rows about the heads of responses: status lines, the syntax of field lines, what goes on and what stays behind.

extension Case {
    // MARK: Status lines

    private static let notHTTP = "The backend's answer does not start with an HTTP version."
    private static let badVersion = "The backend's answer has an HTTP version that is not 1.0 or 1.1."
    private static let badLine = "The status line is not a version, a status and a reason with one space between."
    private static let badStatus = "The status is not a number of three digits from 100 on."
    private static let bareLineFeed = "A line ends with a line feed alone."
    private static let bareCarriageReturn = "A carriage return is not followed by a line feed."
    private static let nul = "The head of the response holds a NUL byte."
    private static let control = "The head of the response holds a control byte."

    private static func badLine(_ label: String, _ line: String, _ logged: String) -> Case {
        bad("status line: \(label)", "RFC 9112 4", "\(line)\r\nContent-Length: 0\r\n\r\n", logged)
    }

    private static func line(_ label: String, _ line: String, as expected: String? = nil, _ section: String) -> Case {
        let answer = Answer.response(expected ?? line, ["Content-Length: 2"], "ok")
        return answered("status line: \(label)", section, "\(line)\r\nContent-Length: 2\r\n\r\nok", answer)
    }

    static let statusLines: [Case] = [
        line("no reason", "HTTP/1.1 200 ", "RFC 9112 4"),
        line("no reason and no space", "HTTP/1.1 200", as: "HTTP/1.1 200 ", "RFC 9112 4"),
        line("a reason beyond ASCII", "HTTP/1.1 200 caf\u{E9} \u{80}\u{FF}", "RFC 9112 4"),
        line("tabs and spaces in a reason", "HTTP/1.1 200  a\t b  ", "RFC 9112 4"),
        line("a reason that looks like a status", "HTTP/1.1 200 404 HTTP/1.1", "RFC 9112 4"),
        line("a reason of 8000 bytes", "HTTP/1.1 200 \(String(repeating: "r", count: 8000))", "RFC 9112 4"),
        line("a success nobody knows", "HTTP/1.1 299 Odd", "RFC 9110 15"),
        line("an error nobody knows", "HTTP/1.1 599 Odd", "RFC 9110 15"),
        line("a status beyond all classes", "HTTP/1.1 999 Odd", "RFC 9110 15"),
        line("a later minor version", "HTTP/1.9 200 OK", as: "HTTP/1.1 200 OK", "RFC 9110 2.5"),
        badLine("small letters", "http/1.1 200 OK", notHTTP),
        badLine("version 0.9", "HTTP/0.9 200 OK", badVersion),
        badLine("version 2.0", "HTTP/2.0 200 OK", badVersion),
        badLine("version 1.10", "HTTP/1.10 200 OK", badLine),
        badLine("version 1", "HTTP/1 200 OK", notHTTP),
        badLine("another protocol", "ICY 200 OK", notHTTP),
        badLine("a line of text", "hello", notHTTP),
        badLine("a TLS alert", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}", notHTTP),
        badLine("an empty line in front", "\r\nHTTP/1.1 200 OK", notHTTP),
        badLine("a space in front", " HTTP/1.1 200 OK", notHTTP),
        badLine("two spaces behind the version", "HTTP/1.1  200 OK", badStatus),
        badLine("a tab behind the version", "HTTP/1.1\t200 OK", badLine),
        badLine("a tab behind the status", "HTTP/1.1 200\tOK", badLine),
        badLine("nothing between", "HTTP/1.1200 OK", badLine),
        badLine("no status", "HTTP/1.1", badLine),
        badLine("no status behind the space", "HTTP/1.1 ", badStatus),
        badLine("two digits", "HTTP/1.1 20 OK", badStatus),
        badLine("four digits", "HTTP/1.1 2000 OK", badStatus),
        badLine("below 100", "HTTP/1.1 099 OK", badStatus),
        badLine("a sign", "HTTP/1.1 +20 OK", badStatus),
        badLine("a letter", "HTTP/1.1 2O0 OK", badStatus),
        badLine("a digit of another script", "HTTP/1.1 20\u{B2} OK", badStatus),
        badLine("a line feed alone", "HTTP/1.1 200 OK\nX-A: 1", bareLineFeed),
        badLine("a line feed alone behind the status", "HTTP/1.1 200\nX-A: 1", bareLineFeed),
        badLine("a carriage return alone", "HTTP/1.1 200 OK\rX-A: 1", bareCarriageReturn),
        badLine("a NUL", "HTTP/1.1 200 O\u{0}K", nul),
        badLine("an escape", "HTTP/1.1 200 \u{1B}[2J", control),
    ]

    // MARK: The syntax of field lines

    private static func badField(
        _ label: String,
        _ line: String,
        _ logged: String,
        _ section: String = "RFC 9112 5",
        error: String = "http_protocol_error"
    ) -> Case {
        let response = "HTTP/1.1 200 OK\r\n\(line)\r\nContent-Length: 0\r\n\r\n"
        return bad("response field: \(label)", section, response, logged, error: error)
    }

    private static let whitespace = "White space stands in a field name or before its colon."
    private static let folded = "A field line starts with white space."
    private static let badName = "A field name holds a byte that is not allowed in names."

    static let responseFieldSyntax: [Case] = [
        badField("a space before the colon", "X-A : 1", whitespace, "RFC 9112 5.1"),
        badField("a tab before the colon", "X-A\t: 1", whitespace, "RFC 9112 5.1"),
        badField("a space before the colon of the length", "Content-Length : 5", whitespace, "RFC 9112 5.1"),
        badField("folded with a space", "X-A: 1\r\n 2", folded, "RFC 9112 5.2"),
        badField("folded with a tab", "X-A: 1\r\n\t2", folded, "RFC 9112 5.2"),
        badField("white space before the first", " X-A: 1", folded, "RFC 9112 2.2"),
        badField("no colon", "X-A", "A field line has no colon."),
        badField("no name", ": 1", "A field line has no name."),
        badField("parentheses in a name", "X(A): 1", badName, "RFC 9110 5.1"),
        badField("a byte beyond ASCII in a name", "X-\u{C4}: 1", badName, "RFC 9110 5.1"),
        badField("a NUL in a name", "X\u{0}A: 1", nul, "RFC 9110 5.5"),
        badField("a NUL in a value", "X-A: a\u{0}b", nul, "RFC 9110 5.5"),
        badField("an escape in a value", "X-A: \u{1B}[1m", control, "RFC 9110 5.5"),
        badField("DEL in a value", "X-A: \u{7F}", control, "RFC 9110 5.5"),
        badField("a carriage return in a value", "X-A: a\rX-B: b", bareCarriageReturn, "RFC 9112 2.2"),
        badField("a carriage return behind a value", "X-A: a\r", bareCarriageReturn, "RFC 9112 2.2"),
        badField("a line feed in a value", "X-A: a\nX-B: b", bareLineFeed, "RFC 9112 2.2"),
        badField("a line feed for the empty line", "X-A: a\r\n\nok", bareLineFeed, "RFC 9112 2.2"),
        badField(
            "300 lines",
            (0..<300).map { "A: \($0)" }.joined(separator: "\r\n"),
            "The response has too many field lines.",
            "RFC 9110 5.4",
            error: "http_response_header_section_size"
        ),
        badField(
            "a head beyond 64 KiB",
            "A: \(String(repeating: "a", count: 65_536))",
            "The response head is too large.",
            "RFC 9110 5.4",
            error: "http_response_header_section_size"
        ),
        badField(
            "65 connection options",
            "Connection: \((0..<65).map { "x\($0)" }.joined(separator: ", "))",
            "The Connection field has too many options.",
            "RFC 9110 5.4"
        ),
    ]

    // MARK: Fields that go on

    private static func kept(_ label: String, _ lines: [String], as expected: [String]? = nil) -> Case {
        answered(
            "response field: \(label)",
            "RFC 9110 7.7",
            "HTTP/1.1 200 OK\r\n\(lines.joined(separator: "\r\n"))\r\nContent-Length: 2\r\n\r\nok",
            .response("HTTP/1.1 200 OK", (expected ?? lines) + ["Content-Length: 2"], "ok")
        )
    }

    static let responseFields: [Case] = [
        kept("order, case and repetition", ["b: 1", "A: 2", "B: 3", "b: 1", "a: 4"]),
        kept("no space behind the colon", ["X-A:1"]),
        kept("more white space around the value", ["X-A: \t 1 \t "]),
        kept("an empty value", ["X-A:", "X-B: "]),
        kept("bytes beyond ASCII", ["Server: caf\u{E9}", "X-A: \u{80}\u{FF}"]),
        kept("every mark a name may have", ["!#$%&'*+-.^_`|~09aZ: 1"]),
        kept("several cookies", ["Set-Cookie: a=b; Path=/", "Set-Cookie: c=d, e", "set-cookie: a=b; Path=/"]),
        kept("challenges", ["WWW-Authenticate: Basic realm=\"a, b\"", "WWW-Authenticate: Bearer"]),
        kept("links", ["Link: </a>; rel=\"next, x\", </b>", "Link: </c>"]),
        kept("a date", ["Date: Sun, 06 Nov 1994 08:49:37 GMT"]),
        kept("what caches need", ["Age: 5", "Cache-Control: max-age=1", "ETag: W/\"x\"", "Vary: *", "Expires: 0"]),
        kept("a coding of the content", ["Content-Encoding: gzip", "Content-Type: text/html;charset=x"]),
        kept("a Via of others", ["Via: 1.0 a, 1.1 b (c)"]),
        kept("the status of other proxies", ["Proxy-Status: other; error=dns_error"]),
        kept("an identifier of the backend's", ["X-Request-Id: mine", "X-Request-Id: mine too"]),
        kept("a way of the backend's telling", ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=x"]),
        kept("an underscore in a name", ["Transfer_Encoding: chunked", "Content_Length: 9"]),
        kept("200 lines", (0..<200).map { "X-\($0): \($0)" }),
        kept("a value of 60000 bytes", ["X-A: \(String(repeating: "a", count: 60_000))"]),
        answered(
            "response field: a part of a representation",
            "RFC 9110 15.3.7",
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
            .response("HTTP/1.1 206 Partial Content", ["Content-Range: bytes 0-1/9", "Content-Length: 2"], "ok")
        ),
        answered(
            "response field: a redirection is not followed",
            "RFC 9110 15.4",
            "HTTP/1.1 302 Found\r\nLocation: http://other/\u{E9}?a=b#c\r\nContent-Length: 0\r\n\r\n",
            .response("HTTP/1.1 302 Found", ["Location: http://other/\u{E9}?a=b#c", "Content-Length: 0"])
        ),
        answered(
            "response field: a time to retry after, and an error's body",
            "RFC 9110 10.2.3",
            "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy",
            .response("HTTP/1.1 503 Busy", ["Retry-After: 7", "Content-Length: 4"], "busy")
        ),
        Case(
            "response field: a date is added where there is none",
            "RFC 9110 6.6.1",
            [.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), .receive(.okWithDate)],
            seen: [Seen("GET / HTTP/1.1")]
        ),
    ]

    // MARK: Fields that stay behind

    private static func removed(
        _ label: String,
        _ section: String,
        _ lines: [String],
        leaves expected: [String] = ["X-Kept: 1"],
        connections: Int? = 1
    ) -> Case {
        let lines = ["X-Kept: 1"] + lines + ["Content-Length: 2"]
        return answered(
            "response: \(label)",
            section,
            "HTTP/1.1 200 OK\r\n\(lines.joined(separator: "\r\n"))\r\n\r\nok",
            .response("HTTP/1.1 200 OK", expected + ["Content-Length: 2"], "ok"),
            connections: connections
        )
    }

    static let responseHopByHop: [Case] = [
        removed("a field that Connection names", "RFC 9110 7.6.1", ["Connection: X-Secret", "X-Secret: 1"]),
        removed("named in another case", "RFC 9110 7.6.1", ["x-SECRET: 1", "connection: X-secret"]),
        removed(
            "every line of a named field",
            "RFC 9110 7.6.1",
            ["X-A: 1", "Connection: X-A", "X-B: 1", "x-a: 2"],
            leaves: ["X-Kept: 1", "X-B: 1"]
        ),
        removed("named on two lines", "RFC 9110 7.6.1", ["Connection: X-A", "X-A: 1", "X-B: 1", "Connection: X-B"]),
        removed(
            "named between empty members",
            "RFC 9110 5.6.1.2",
            ["Connection: ,, X-A ,\t,X-B,", "X-A: 1", "X-B: 1"]
        ),
        removed("named, and nowhere to be found", "RFC 9110 7.6.1", ["Connection: X-A, \"x y\", @"]),
        removed(
            "a known field that Connection names",
            "RFC 9110 7.6.1",
            ["Connection: Server, ETag", "Server: s", "ETag: \"e\""]
        ),
        removed("Connection names the length", "RFC 9110 7.6.1", ["Connection: Content-Length"]),
        removed("an empty Connection", "RFC 9110 7.6.1", ["Connection:"]),
        removed("Connection: keep-alive", "RFC 9110 7.6.1", ["Connection: keep-alive"]),
        removed("Keep-Alive", "RFC 9110 7.6.1", ["Connection: Keep-Alive", "Keep-Alive: timeout=5, max=9"]),
        removed("Keep-Alive that Connection does not name", "RFC 9110 7.6.1", ["Keep-Alive: timeout=5"]),
        removed("Proxy-Connection", "RFC 9110 7.6.1", ["Proxy-Connection: close"]),
        removed("TE", "RFC 9110 7.6.1", ["TE: trailers"]),
        removed("Upgrade that is only offered", "RFC 9110 7.8", ["Connection: Upgrade", "Upgrade: h2c"]),
        removed("Upgrade that Connection does not name", "RFC 9110 7.8", ["Upgrade: websocket"]),
        removed("a challenge of a proxy", "RFC 9110 11.7.1", ["Proxy-Authenticate: Basic realm=\"a\""]),
        removed("what a proxy tells of credentials", "RFC 9110 11.7.3", ["Proxy-Authentication-Info: x"]),
        removed("Connection: close", "RFC 9112 9.6", ["Connection: close"], connections: 2),
        removed("Connection: close in a list", "RFC 9112 9.6", ["Connection: X-A, CLOSE", "X-A: 1"], connections: 2),
        removed("close wins", "RFC 9112 9.3", ["Connection: keep-alive", "Connection: close"], connections: 2),
        answered(
            "response: 407 without its challenge",
            "RFC 9110 11.7.1",
            "HTTP/1.1 407 P\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n",
            .response("HTTP/1.1 407 P", ["Content-Length: 0"])
        ),
        answered(
            "response: 426 says which protocol is required",
            "RFC 9110 15.5.22",
            "HTTP/1.1 426 U\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno",
            .response("HTTP/1.1 426 U", ["Content-Length: 2", "Upgrade: TLS/1.0", "Connection: Upgrade"], "no")
        ),
    ]
}
