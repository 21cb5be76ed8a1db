// Rows about the request line, Host and the syntax of field lines.

extension Case {
    private static func get(_ target: String, host: String = "test") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    }

    private static func target(_ label: String, _ target: String) -> Case {
        forwarded("target: \(label)", "RFC 9112 3.2.1", get(target), Seen("GET \(target) HTTP/1.1"))
    }

    private static func line(_ label: String, _ line: String, _ status: Int, _ reason: String) -> Case {
        refused("request line: \(label)", "RFC 9112 3", "\(line)\r\nHost: test\r\n\r\n", status, reason)
    }

    private static func method(_ method: String) -> Case {
        let bytes = "\(method) / HTTP/1.1\r\nHost: test\r\n\r\n"
        return forwarded("method \(method)", "RFC 9110 9.1", bytes, Seen("\(method) / HTTP/1.1"))
    }

    static let requestLines: [Case] = [
        target("a path", "/a/b.html"),
        target("an empty query", "/?"),
        target("dot segments stay", "/a/../b/./c"),
        target("doubled slashes stay", "//a//b"),
        target("encoded slash, dot and NUL stay encoded", "/%2F%2e%2E%00"),
        target("a percent sign alone", "/100%"),
        target("a semicolon and commas", "/a;v=1,2"),
        target("a backslash, quotes and braces", "/\\\"'{}|^`<>"),
        target("an at sign and a colon in a path", "/user:pw@host"),
        target("a URL as a query", "/?u=http://other/x?y"),
        target("8000 bytes", "/\(String(repeating: "x", count: 7999))"),
        method("HEADER"), method("post"), method("PURGE"), method("M-SEARCH"), method("!#$%&'*+.^_`|~"),
        line("two spaces", "GET  / HTTP/1.1", 400, "malformed_request_line"),
        line("a tab between", "GET\t/ HTTP/1.1", 400, "malformed_method"),
        line("two spaces before the version", "GET /  HTTP/1.1", 400, "malformed_request_line"),
        line("a space behind the version", "GET / HTTP/1.1 ", 400, "malformed_version"),
        line("a space in front", " GET / HTTP/1.1", 400, "malformed_method"),
        line("a space in the target", "GET /a b HTTP/1.1", 400, "malformed_version"),
        line("no version", "GET /", 400, "malformed_request_line"),
        line("a version in small letters", "GET / http/1.1", 400, "malformed_version"),
        line("version 1.10", "GET / HTTP/1.10", 400, "malformed_version"),
        line("version 1", "GET / HTTP/1", 400, "malformed_version"),
        line("version 0.9", "GET / HTTP/0.9", 505, "unsupported_version"),
        line("version 2.0", "GET / HTTP/2.0", 505, "unsupported_version"),
        line("version 3.0", "GET / HTTP/3.0", 505, "unsupported_version"),
        line("a fragment", "GET /a#b HTTP/1.1", 400, "fragment_in_target"),
        line("no slash", "GET a HTTP/1.1", 400, "malformed_target"),
        line("a byte beyond ASCII", "GET /\u{FC} HTTP/1.1", 400, "non_ascii_target"),
        line("a NUL in the target", "GET /\u{0} HTTP/1.1", 400, "malformed_target"),
        line("a tab in the target", "GET /a\tb HTTP/1.1", 400, "malformed_target"),
        line("DEL in the target", "GET /\u{7F} HTTP/1.1", 400, "malformed_target"),
        line("a colon in the method", "GE:T / HTTP/1.1", 400, "malformed_method"),
        line("a method of 33 bytes", "\(String(repeating: "M", count: 33)) / HTTP/1.1", 501, "method_too_long"),
        line("an asterisk with GET", "GET * HTTP/1.1", 400, "asterisk_without_options"),
        line("CONNECT", "CONNECT test:443 HTTP/1.1", 405, "connect_refused"),
        line("CONNECT with a path", "CONNECT / HTTP/1.1", 405, "connect_refused"),
        line("another scheme", "GET ftp://test/ HTTP/1.1", 400, "unsupported_scheme"),
        line("user information", "GET http://a:b@test/ HTTP/1.1", 400, "userinfo_in_target"),
        line("an absolute target without a host", "GET http:///a HTTP/1.1", 400, "malformed_authority"),
        line("an absolute target with a bad port", "GET http://test:x/ HTTP/1.1", 400, "malformed_authority"),
        line("a carriage return alone", "GET / HTTP/1.1\rX: 1", 400, "bare_carriage_return"),
        refused(
            "request line: a line feed alone",
            "RFC 9112 2.2",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            400,
            "bare_line_feed"
        ),
        refused("request line: two empty lines before", "RFC 9112 2.2", "\r\n\r\n\(get("/"))", 400, "extra_empty_line"),
        refused("request line: a line feed before", "RFC 9112 2.2", "\n\(get("/"))", 400, "bare_line_feed"),
        refused("request line: HTTP/0.9", "RFC 9112 3", "GET /\r\n", 400, "malformed_request_line"),
        refused("request line: TLS", "RFC 9112 3", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", 400, "tls_handshake"),
        refused("request line: PRI", "RFC 9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported_version"),
        refused(
            "request line: a target beyond 16 KiB",
            "RFC 9112 3",
            get("/\(String(repeating: "x", count: 16_384))"),
            414,
            "target_too_long"
        ),
        forwarded("request line: one empty line before", "RFC 9112 2.2", "\r\n\(get("/"))", Seen("GET / HTTP/1.1")),
        forwarded(
            "request line: a later minor version",
            "RFC 9110 2.5",
            "GET / HTTP/1.7\r\nHost: test\r\n\r\n",
            Seen("GET / HTTP/1.1")
        ),
        forwarded(
            "target: absolute, its authority is the host",
            "RFC 9112 3.2.2",
            "GET http://shop:81/a?b HTTP/1.1\r\nX-A: 1\r\nHost: other\r\n\r\n",
            Seen("GET /a?b HTTP/1.1", ["Host: shop:81", "X-A: 1"], host: "shop:81")
        ),
        forwarded(
            "target: absolute without a path",
            "RFC 9112 3.2.2",
            "GET HTTP://test HTTP/1.1\r\nHost: test\r\n\r\n",
            Seen("GET / HTTP/1.1")
        ),
        forwarded(
            "target: absolute with a query alone",
            "RFC 9112 3.2.2",
            "GET https://test?a HTTP/1.1\r\nHost: test\r\n\r\n",
            Seen("GET /?a HTTP/1.1")
        ),
        forwarded(
            "target: OPTIONS of a whole server, absolute",
            "RFC 9112 3.2.4",
            "OPTIONS http://test HTTP/1.1\r\nHost: test\r\n\r\n",
            Seen("OPTIONS * HTTP/1.1")
        ),
        forwarded(
            "target: OPTIONS of a whole server",
            "RFC 9112 3.2.4",
            "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n",
            Seen("OPTIONS * HTTP/1.1")
        ),
    ]

    private static func host(_ label: String, _ host: String) -> Case {
        let seen = Seen("GET / HTTP/1.1", ["Host: \(host)"], host: host)
        return forwarded("Host: \(label)", "RFC 9110 7.2", get("/", host: host), seen)
    }

    private static func badHost(_ label: String, _ lines: String, _ reason: String = "malformed_host") -> Case {
        refused("Host: \(label)", "RFC 9112 3.2", "GET / HTTP/1.1\r\n\(lines)\r\n", 400, reason)
    }

    static let hosts: [Case] = [
        host("a port", "test:8080"),
        host("no digits in the port", "test:"),
        host("an IPv6 address", "[::1]:80"),
        host("letter case", "TeSt"),
        host("percent-encoded", "t%41st"),
        host("an underscore", "a_b.test"),
        badHost("none", "X-A: 1\r\n", "missing_host"),
        badHost("two that are the same", "Host: test\r\nHost: test\r\n", "repeated_host"),
        badHost("two that differ", "Host: test\r\nX: 1\r\nhost: other\r\n", "repeated_host"),
        badHost("a path", "Host: test/a\r\n"),
        badHost("user information", "Host: a@test\r\n"),
        badHost("a space", "Host: a b\r\n"),
        badHost("a port that is no number", "Host: test:8o\r\n"),
        badHost("a port beyond 65535", "Host: test:65536\r\n"),
        badHost("an open bracket", "Host: [::1\r\n"),
        badHost("a byte beyond ASCII", "Host: t\u{E9}st\r\n"),
        badHost("a scheme", "Host: http://test\r\n"),
        badHost("a space before the colon", "Host : test\r\n", "whitespace_before_colon"),
        badHost("folded in", "Host: a\r\n Host: b\r\n", "obsolete_folding"),
        refused(
            "Host: missing beside an absolute target",
            "RFC 9112 3.2",
            "GET http://test/ HTTP/1.1\r\n\r\n",
            400,
            "missing_host"
        ),
        forwarded(
            "Host: empty",
            "RFC 9112 3.2",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            Seen("GET / HTTP/1.1", ["Host:"], host: nil)
        ),
        Case(
            "Host: none in HTTP/1.0",
            "RFC 9112 3.2",
            [
                .send("GET / HTTP/1.0\r\nX-A: 1\r\n\r\n"),
                .receive(.response("HTTP/1.1 200 OK", ["Content-Length: 2", "Connection: close"], "ok")),
            ],
            seen: [Seen("GET / HTTP/1.1", ["X-A: 1"], version: "1.0")],
            ending: .closed
        ),
    ]

    private static func fields(_ label: String, _ lines: [String], as expected: [String]? = nil) -> Case {
        let bytes = "GET / HTTP/1.1\r\nHost: test\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n"
        let seen = Seen("GET / HTTP/1.1", ["Host: test"] + (expected ?? lines))
        return forwarded("field: \(label)", "RFC 9110 5", bytes, seen)
    }

    private static func badField(_ label: String, _ line: String, _ reason: String, _ status: Int = 400) -> Case {
        let bytes = "GET / HTTP/1.1\r\nHost: test\r\n\(line)\r\n\r\n"
        return refused("field: \(label)", "RFC 9112 5", bytes, status, reason)
    }

    static let fieldLines: [Case] = [
        fields("order, case and repetition", ["b: 1", "A: 2", "B: 3", "b: 1", "a: 4"]),
        fields("no space behind the colon", ["X-A:1"]),
        fields("more white space around the value", ["X-A: \t 1 \t "]),
        fields("an empty value", ["X-A:", "X-B: "]),
        fields("bytes beyond ASCII", ["X-A: \u{80}\u{FF}"]),
        fields("every mark a name may have", ["!#$%&'*+-.^_`|~09aZ: 1"]),
        fields("colons, commas and quotes in a value", ["X-A: :,\"a, b\";x='"]),
        fields("several cookies", ["Cookie: a=b", "Cookie: c=d"]),
        fields("credentials", ["Authorization: Basic YTpi", "X-Api-Key: k"]),
        fields("a content type without a body", ["Content-Type: text/plain"]),
        fields("ranges and conditions", ["Range: bytes=0-1", "If-None-Match: W/\"a\"", "If-Match: *"]),
        fields("a date that is none", ["Date: yesterday"]),
        fields("a Via of others", ["Via: 1.0 a, 1.1 b (c)"]),
        fields("an underscore in a name", ["X_Mine: 1.2.3.4"]),
        fields("an underscore in a claim to another origin", ["X_Forwarded_For: 1.2.3.4"], as: []),
        fields("a claim of no standard", ["X-Forwarded-Prefix: /admin", "x-forwarded-tls-client-cert: x"], as: []),
        fields("credentials for a proxy stay behind", ["Proxy-Authorization: Basic x"], as: []),
        fields("200 lines", (0..<200).map { "X-\($0): \($0)" }),
        badField("a space before the colon", "X-A : 1", "whitespace_before_colon"),
        badField("a tab before the colon", "X-A\t: 1", "whitespace_before_colon"),
        badField("no colon", "X-A", "missing_colon"),
        badField("no name", ": 1", "empty_field_name"),
        badField("folded with a space", "X-A: 1\r\n 2", "obsolete_folding"),
        badField("folded with a tab", "X-A: 1\r\n\t2", "obsolete_folding"),
        badField("a NUL in a value", "X-A: a\u{0}b", "nul_byte"),
        badField("a NUL in a name", "X\u{0}A: b", "nul_byte"),
        badField("an escape in a value", "X-A: \u{1B}[1m", "control_byte"),
        badField("DEL in a value", "X-A: \u{7F}", "control_byte"),
        badField("a carriage return in a value", "X-A: a\rX-B: b", "bare_carriage_return"),
        badField("a line feed in a value", "X-A: a\nX-B: b", "bare_line_feed"),
        badField("parentheses in a name", "X(A): 1", "malformed_field_name"),
        badField("a byte beyond ASCII in a name", "X-\u{C4}: 1", "malformed_field_name"),
        badField("300 lines", (0..<300).map { "A: \($0)" }.joined(separator: "\r\n"), "too_many_fields", 431),
        badField("a head beyond 64 KiB", "A: \(String(repeating: "a", count: 65_536))", "head_too_large", 431),
        badField(
            "65 connection options",
            "Connection: \((0..<65).map { "x\($0)" }.joined(separator: ", "))",
            "too_many_connection_options",
            431
        ),
    ]
}
