// Rows about what a request says for one connection only, and what it says about its way.

extension Case {
    private static func get(_ lines: [String], _ version: String = "HTTP/1.1") -> String {
        "GET / \(version)\r\nHost: test\r\n\(lines.map { "\($0)\r\n" }.joined())\r\n"
    }

    /// A GET whose field lines reach the backend as expected.
    private static func hop(
        _ label: String,
        _ section: String,
        _ lines: [String],
        leaves expected: [String] = [],
        adds added: [String] = [],
        keepsIdentifier: Bool = false
    ) -> Case {
        let seen = Seen("GET / HTTP/1.1", ["Host: test"] + expected, added: added, keepsIdentifier: keepsIdentifier)
        return forwarded("hop: \(label)", section, get(lines), seen)
    }

    // MARK: Connection

    static let connectionOptions: [Case] = [
        hop("a named field", "RFC 9110 7.6.1", ["X-A: 1", "Connection: X-Secret", "X-Secret: 1"], leaves: ["X-A: 1"]),
        hop("named in another case", "RFC 9110 7.6.1", ["x-SECRET: 1", "connection: X-secret"]),
        hop("named on two lines", "RFC 9110 7.6.1", ["Connection: X-A", "X-A: 1", "X-B: 1", "Connection: X-B"]),
        hop("empty members", "RFC 9110 5.6.1.2", ["Connection: ,,X-A, ,X-B,", "X-A: 1", "X-B: 1"]),
        hop("white space around members", "RFC 9110 5.6.1.1", ["Connection: \t X-A \t,\tX-B\t", "X-A: 1", "X-B: 1"]),
        hop("every line of a named field", "RFC 9110 7.6.1", ["X-A: 1", "x-a: 2", "Connection: X-A", "X-A: 3"]),
        hop(
            "a longer name is another",
            "RFC 9110 7.6.1",
            ["X-AB: 1", "Connection: X-A", "X: 2"],
            leaves: ["X-AB: 1", "X: 2"]
        ),
        hop("named, and nowhere to be found", "RFC 9110 7.6.1", ["Connection: X-A"]),
        hop(
            "members that are no tokens",
            "RFC 9110 7.6.1",
            ["Connection: \"X-A\", X B, @;a=b", "X-A: 1"],
            leaves: ["X-A: 1"]
        ),
        hop("an empty value", "RFC 9110 7.6.1", ["Connection:"]),
        hop("keep-alive", "RFC 9110 7.6.1", ["Connection: keep-alive"]),
        hop(
            "64 options",
            "RFC 9110 7.6.1",
            ["Connection: \((0..<64).map { "x\($0)" }.joined(separator: ","))", "X63: 1"]
        ),
        hop("names itself", "RFC 9110 7.6.1", ["Connection: Connection"]),
        hop("names Host", "RFC 9110 7.6.1", ["Connection: Host"]),
        hop("names X-Forwarded-For", "RFC 9110 7.6.1", ["Connection: X-Forwarded-For", "X-Forwarded-For: 10.0.0.1"]),
        hop(
            "names our other fields",
            "RFC 9110 7.6.1",
            ["Connection: X-Forwarded-Proto, X-Forwarded-Host, X-Request-Id"]
        ),
        hop("names Via", "RFC 9110 7.6.1", ["Via: 1.1 a", "Connection: via"], leaves: ["Via: 1.1 a"]),
        hop(
            "names an identifier",
            "RFC 9110 7.6.1",
            ["X-Request-Id: mine", "Connection: X-Request-Id"],
            leaves: ["X-Request-Id: mine"],
            keepsIdentifier: true
        ),
        hop(
            "names what a trace goes by",
            "RFC 9110 7.6.1",
            ["Connection: traceparent, Early-Data", "Traceparent: 00-1-1-00", "Early-Data: 1"],
            leaves: ["Traceparent: 00-1-1-00", "Early-Data: 1"]
        ),
        hop(
            "names credentials",
            "RFC 9110 7.6.1",
            ["Cookie: a=b", "Authorization: x", "Connection: Cookie, Authorization"],
            leaves: ["Cookie: a=b", "Authorization: x"]
        ),
        forwarded(
            "hop: names Content-Length",
            "RFC 9110 7.6.1",
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: Content-Length\r\nContent-Length: 3\r\n\r\nabc",
            Seen("POST / HTTP/1.1", framing: .length(3), body: "abc")
        ),
        forwarded(
            "hop: names Transfer-Encoding",
            "RFC 9110 7.6.1",
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            Seen("POST / HTTP/1.1", framing: .chunked, body: "a")
        ),
        forwarded(
            "hop: names Trailer",
            "RFC 9110 7.6.1",
            """
            POST / HTTP/1.1\r\nHost: test\r\nConnection: Trailer\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
            0\r\nX-Sum: 1\r\n\r\n
            """,
            Seen("POST / HTTP/1.1", framing: .chunked, trailers: "X-Sum: 1\r\n")
        ),
        hop("Keep-Alive", "RFC 9110 7.6.1", ["Keep-Alive: timeout=5, max=9"]),
        hop("Proxy-Connection does not close", "RFC 9110 7.6.1", ["Proxy-Connection: close"]),
        hop("credentials for a proxy", "RFC 9110 11.7.2", ["Proxy-Authorization: Basic YTpi"]),
        hop("a proxy's challenge in a request", "RFC 9110 11.7.1", ["Proxy-Authenticate: Basic"]),
    ]

    // MARK: How long the connection lasts

    private static func persistence(_ label: String, _ lines: [String], _ version: String, said: String?) -> Case {
        let closes = said != "keep-alive" && (said == "close" || version == "HTTP/1.0")
        let connection = said.map { ["Connection: \($0)"] } ?? []
        return Case(
            "persistence: \(label)",
            "RFC 9112 9.3",
            [
                .send(get(lines, version)),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 2"] + connection, "ok")),
            ],
            seen: [Seen("GET / HTTP/1.1", version: String(version.dropFirst(5)))],
            ending: closes ? .closed : .usable
        )
    }

    static let persistence: [Case] = [
        persistence("1.1", [], "HTTP/1.1", said: nil),
        persistence("1.1 with keep-alive", ["Connection: keep-alive"], "HTTP/1.1", said: nil),
        persistence("1.1 with close", ["Connection: close"], "HTTP/1.1", said: "close"),
        persistence("close in capitals, in a list", ["Connection: x, CLOSE"], "HTTP/1.1", said: "close"),
        persistence("close on the second line", ["Connection: x", "Connection: close"], "HTTP/1.1", said: "close"),
        persistence("close wins", ["Connection: close, keep-alive"], "HTTP/1.1", said: "close"),
        persistence("closed is another word", ["Connection: closed"], "HTTP/1.1", said: nil),
        persistence("1.0", [], "HTTP/1.0", said: "close"),
        persistence("1.0 with keep-alive", ["Connection: Keep-Alive"], "HTTP/1.0", said: "keep-alive"),
        persistence("1.0 with both", ["Connection: keep-alive", "Connection: close"], "HTTP/1.0", said: "close"),
        persistence("1.0 with Keep-Alive alone", ["Keep-Alive: 300"], "HTTP/1.0", said: "close"),
        persistence("1.0 with Proxy-Connection", ["Proxy-Connection: keep-alive"], "HTTP/1.0", said: "close"),
    ]

    // MARK: TE

    private static let takesTrailers = ["Connection: TE", "TE: trailers"]

    static let transferCodings: [Case] = [
        hop("TE: trailers", "RFC 9110 10.1.4", ["Connection: TE", "TE: trailers"], adds: takesTrailers),
        hop("TE: trailers in capitals", "RFC 9110 10.1.4", ["Connection: te", "te: TRAILERS"], adds: takesTrailers),
        hop(
            "TE: trailers in a list",
            "RFC 9110 10.1.4",
            ["Connection: TE", "TE: gzip;q=0.5, trailers"],
            adds: takesTrailers
        ),
        hop(
            "TE: trailers on two lines",
            "RFC 9110 10.1.4",
            ["Connection: TE", "TE: gzip", "TE: trailers"],
            adds: takesTrailers
        ),
        hop("TE without trailers", "RFC 9110 10.1.4", ["Connection: TE", "TE: gzip, deflate;q=0.5"]),
        hop("TE that is empty", "RFC 9110 10.1.4", ["Connection: TE", "TE:"]),
        hop("TE with a longer word", "RFC 9110 10.1.4", ["Connection: TE", "TE: trailersx"]),
    ]

    // MARK: Upgrade

    private static let upgrades = ["Connection: Upgrade", "Upgrade: websocket"]
    private static let key = "Sec-WebSocket-Key: x"

    static let upgradeFields: [Case] = [
        hop("Upgrade", "RFC 9110 7.8", upgrades + [key], leaves: [key], adds: upgrades),
        hop(
            "Upgrade among other options",
            "RFC 9110 7.8",
            ["Upgrade: websocket", "Connection: keep-alive, upgrade"],
            adds: upgrades
        ),
        hop(
            "Upgrade to one of several protocols",
            "RFC 9110 7.8",
            ["Connection: Upgrade", "Upgrade: a/1, websocket", "Upgrade: b"],
            adds: ["Connection: Upgrade", "Upgrade: a/1, websocket", "Upgrade: b"]
        ),
        hop(
            "Upgrade and TE",
            "RFC 9110 7.8",
            ["Connection: TE, Upgrade", "TE: trailers", "Upgrade: websocket"],
            adds: ["Connection: Upgrade, TE", "TE: trailers", "Upgrade: websocket"]
        ),
        hop("Upgrade that Connection does not name", "RFC 9110 7.8", ["Upgrade: websocket"]),
        hop("Upgrade that is only named", "RFC 9110 7.8", ["Connection: Upgrade"]),
        hop(
            "Upgrade to h2c",
            "RFC 9113 3.1",
            ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]
        ),
        hop("Upgrade to h2c among others", "RFC 9113 3.1", ["Connection: Upgrade", "Upgrade: websocket, H2C"]),
        hop("HTTP2-Settings alone", "RFC 9113 3.1", ["HTTP2-Settings: AAMAAABk"]),
        forwarded(
            "hop: Upgrade with a body",
            "RFC 9110 7.8",
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
            Seen("POST / HTTP/1.1", framing: .length(1), body: "x")
        ),
        Case(
            "hop: Upgrade in HTTP/1.0",
            "RFC 9110 7.8",
            [
                .send(get(upgrades, "HTTP/1.0")),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 2", "Connection: close"], "ok")),
            ],
            seen: [Seen("GET / HTTP/1.1", version: "1.0")],
            ending: .closed
        ),
    ]

    // MARK: The way

    private static func forwards(_ label: String, _ method: String, _ value: String, _ left: Int?) -> Case {
        let bytes = "\(method) / HTTP/1.1\r\nHost: test\r\nMax-Forwards: \(value)\r\n\r\n"
        let fields = ["Host: test"] + (left == nil ? ["Max-Forwards: \(value)"] : [])
        let seen = Seen("\(method) / HTTP/1.1", fields, maxForwards: left)
        return forwarded("Max-Forwards: \(label)", "RFC 9110 7.6.2", bytes, seen)
    }

    private static func forwardsEnd(_ label: String, _ line: String) -> Case {
        let method = String(line.prefix { $0 != " " })
        return Case(
            "Max-Forwards: \(label)",
            "RFC 9110 7.6.2",
            [.send("\(line) HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n\r\n"), .receive(.endOfWay(method: method))],
            seen: []
        )
    }

    private static let trace = "TRACE /a HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n"

    static let forwardLimits: [Case] = [
        forwards("OPTIONS with 1", "OPTIONS", "1", 0),
        forwards("OPTIONS with leading zeros", "OPTIONS", "007", 6),
        forwards("TRACE with 10", "TRACE", "10", 9),
        forwards("beyond 64 bits becomes the most we know", "OPTIONS", "99999999999999999999", .max - 1),
        forwards("no number", "OPTIONS", "x", nil),
        forwards("GET with 0", "GET", "0", nil),
        forwards("POST with 5", "POST", "5", nil),
        forwardsEnd("OPTIONS with 0", "OPTIONS /"),
        forwardsEnd("OPTIONS of a whole server with 0", "OPTIONS *"),
        Case(
            "Max-Forwards: TRACE with 0",
            "RFC 9110 9.3.8",
            [
                .send("\(trace)Cookie: a=b\r\n\r\n"),
                .receive(Answer(body: "\(trace)\r\n", status: 200, method: "TRACE")),
            ],
            seen: []
        ),
    ]

    static let ways: [Case] = [
        hop(
            "what an untrusted client tells of its way is replaced",
            "RFC 7239 8.1",
            [
                "X-Forwarded-For: 10.1.1.1, 10.1.1.2", "x-forwarded-for: 10.1.1.3", "X-FORWARDED-PROTO: https",
                "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "X-Real-IP: 10.1.1.1", "Forwarded: for=10.1.1.1",
                "X-A: 1",
            ],
            leaves: ["X-A: 1"]
        ),
        hop(
            "a Via of others stays, ours follows",
            "RFC 9110 7.6.3",
            ["Via: 1.0 a, 1.1 b (c)", "X-A: 1", "Via: 1.1 d"],
            leaves: ["Via: 1.0 a, 1.1 b (c)", "X-A: 1", "Via: 1.1 d"]
        ),
        hop(
            "a plain identifier is kept",
            "RFC 9110 7.7",
            ["X-Request-Id: a-B_9.:/+=@"],
            leaves: ["X-Request-Id: a-B_9.:/+=@"],
            keepsIdentifier: true
        ),
        hop("an identifier with a space is replaced", "RFC 9110 7.7", ["X-Request-Id: a b"]),
        hop("two identifiers are replaced", "RFC 9110 7.7", ["X-Request-Id: a", "X-Request-Id: b"]),
        hop("an announcement of trailers goes on", "RFC 9110 6.6.2", ["Trailer: X-Sum"], leaves: ["Trailer: X-Sum"]),
    ]
}
