// Rows about what a trusted proxy in front of the balancer says: run with the client's address in LB_TRUSTED.

extension Case {
    private static func get(_ lines: [String]) -> String {
        "GET / HTTP/1.1\r\nHost: test\r\n\(lines.map { "\($0)\r\n" }.joined())\r\n"
    }

    /// A GET whose claims reach the backend as expected.
    private static func claim(
        _ label: String,
        _ lines: [String],
        leaves kept: [String] = [],
        forwardedFor: String = "127.0.0.1",
        host: String? = "test",
        proto: String? = "http"
    ) -> Case {
        let fields = ["Host: test"] + kept
        let seen = Seen("GET / HTTP/1.1", fields, host: host, proto: proto, forwardedFor: forwardedFor)
        return forwarded("trusted: \(label)", "RFC 7239 8.1", get(lines), seen)
    }

    static let trustedProxies: [Case] = [
        claim("says nothing", []),
        claim("one address", ["X-Forwarded-For: 192.0.2.1"], forwardedFor: "192.0.2.1, 127.0.0.1"),
        claim(
            "two lines, with white space",
            ["X-Forwarded-For: 192.0.2.1,10.0.0.1", "X-A: 1", "x-forwarded-for:\t10.0.0.2 "],
            leaves: ["X-A: 1"],
            forwardedFor: "192.0.2.1,10.0.0.1, 10.0.0.2, 127.0.0.1"
        ),
        claim("an empty value", ["X-Forwarded-For:"]),
        claim("commas alone", ["X-Forwarded-For: ,, ,"], forwardedFor: ",, ,, 127.0.0.1"),
        claim("no address", ["X-Forwarded-For: unknown, _x"], forwardedFor: "unknown, _x, 127.0.0.1"),
        claim("bytes beyond ASCII", ["X-Forwarded-For: \u{E9}\u{FF}"], forwardedFor: "\u{E9}\u{FF}, 127.0.0.1"),
        claim(
            "an IPv6 address with a port",
            ["X-Forwarded-For: [2001:db8::1]:443"],
            forwardedFor: "[2001:db8::1]:443, 127.0.0.1"
        ),
        claim(
            "a thousand addresses",
            ["X-Forwarded-For: " + String(repeating: "10.0.0.1,", count: 1000)],
            forwardedFor: String(repeating: "10.0.0.1,", count: 1000) + ", 127.0.0.1"
        ),
        claim(
            "scheme and host",
            ["X-Forwarded-Proto: https", "X-Forwarded-Host: www.example", "X-Forwarded-For: 192.0.2.1"],
            leaves: ["X-Forwarded-Proto: https", "X-Forwarded-Host: www.example"],
            forwardedFor: "192.0.2.1, 127.0.0.1",
            host: nil,
            proto: nil
        ),
        claim(
            "port and prefix",
            ["X-Forwarded-Port: 443", "X-Forwarded-Prefix: /shop"],
            leaves: ["X-Forwarded-Port: 443", "X-Forwarded-Prefix: /shop"]
        ),
        claim(
            "what it has let through from its client",
            ["X_Forwarded_For: 6.6.6.6", "X-Forwarded_Host: evil", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6"]
        ),
        claim(
            "what its client would name away",
            [
                "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix",
                "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example",
                "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /shop",
            ],
            leaves: [
                "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example", "X-Forwarded-Port: 443",
                "X-Forwarded-Prefix: /shop",
            ],
            forwardedFor: "192.0.2.1, 127.0.0.1",
            host: nil,
            proto: nil
        ),
        Case(
            "trusted: a field line that is no field line",
            "RFC 9112 5",
            [.send(get(["X-Forwarded-For : 192.0.2.1"])), .receive(.refusal(400, "whitespace_before_colon"))],
            seen: [],
            ending: .closed
        ),
        Case(
            "trusted: two requests by one connection, each for its client",
            "RFC 7239 8.1",
            [
                .send(get(["X-Forwarded-For: 192.0.2.1"])), .receive(.ok),
                .send(get(["X-Forwarded-For: 192.0.2.2"])), .receive(.ok),
            ],
            seen: ["192.0.2.1", "192.0.2.2"].map { Seen("GET / HTTP/1.1", forwardedFor: "\($0), 127.0.0.1") }
        ),
    ]
}
