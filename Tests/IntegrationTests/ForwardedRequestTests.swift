// Tests of the request as the backend gets it, byte for byte.

import Testing

@Suite(.timeLimit(.minutes(5))) struct ForwardedRequestTests {
    /// What the backend gets for these bytes of a client.
    private func forwarded(_ request: String) throws -> Message {
        var message: Message?
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(request)
            #expect(try client.receiveResponse().status == 200)
            client.close()
            message = origin.requests.first
        }
        return try #require(message)
    }

    @Test(
        "the target goes on byte for byte",
        arguments: [
            "/", "//", "/a//b/../c/./d", "/%2e%2E/%00%ff", "/?", "/?a=b&a=b", "/a?b?c", "/'()*!$,;:@=+~|{}[]^`\"<>\\",
            "/a;v=1/b,c", "/" + String(repeating: "x", count: 15_000),
        ]
    )
    func target(_ target: String) throws {
        let request = try forwarded("GET \(target) HTTP/1.1\r\nHost: test\r\n\r\n")
        #expect(request.startLine == "GET \(target) HTTP/1.1")
    }

    @Test(
        "any method goes on as it is",
        arguments: [
            "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "get", "M-SEARCH",
        ]
    )
    func method(_ method: String) throws {
        #expect(try forwarded("\(method) /a HTTP/1.1\r\nHost: test\r\n\r\n").startLine == "\(method) /a HTTP/1.1")
    }

    @Test func `field lines keep order, case, repetition and bytes`() throws {
        let lines = [
            "hOSt: Test:8080", "X-B: 1", "x-a: 2", "X-B: 3", "Accept:", "Cookie: a=b; c=d", "X-B: 1",
            "X-Latin: caf\u{E9} \u{FF}",
            "X-Inner:  two  spaces\tand a tab", "1!#$%&'*+-.^_`|~: odd name", "Authorization: Basic eDp5",
            "Cookie: e=f",
        ]
        let request = try forwarded("GET / HTTP/1.1\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n")
        let expected = lines.map { $0 == "X-Inner:  two  spaces\tand a tab" ? "X-Inner: two  spaces\tand a tab" : $0 }
        let sent = request.ownFields.map { $0.value.isEmpty ? "\($0.name):" : $0.description }
        #expect(sent == expected)
    }

    @Test func `fields for this connection only stay behind, also those that Connection names`() throws {
        let request = try forwarded(
            """
            GET / HTTP/1.1\r
            Host: test\r
            Connection: keep-alive, X-Secret, x-other\r
            X-Secret: 1\r
            X-OTHER: 2\r
            Keep-Alive: timeout=5\r
            Proxy-Connection: keep-alive\r
            X-Kept: 3\r
            \r

            """
        )
        #expect(request.ownFields.map(\.description) == ["Host: test", "X-Kept: 3"])
    }

    @Test func `Upgrade and TE that Connection does not name stay behind`() throws {
        let request = try forwarded("GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nTE: gzip\r\n\r\n")
        #expect(request.ownFields.map(\.description) == ["Host: test"])
    }

    @Test func `Connection can remove neither Host nor the length`() throws {
        let request = try forwarded(
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: host, content-length\r\nContent-Length: 3\r\n\r\nabc"
        )
        #expect(request["Host"] == "test")
        #expect(request.body.text == "abc")
    }

    @Test func `what a client claims about its way is replaced by what was seen`() throws {
        let request = try forwarded(
            """
            GET / HTTP/1.1\r
            Host: shop.example:8080\r
            X-Forwarded-For: 10.1.1.1\r
            x-forwarded-for: 10.2.2.2\r
            X-Forwarded-Proto: https\r
            X-Forwarded-Host: evil.example\r
            X-Forwarded-Port: 1\r
            Forwarded: for=10.3.3.3\r
            Connection: X-Forwarded-For\r
            \r

            """
        )
        #expect(request.values("X-Forwarded-For") == ["127.0.0.1"])
        #expect(request.values("X-Forwarded-Proto") == ["http"])
        #expect(request.values("X-Forwarded-Host") == ["shop.example:8080"])
        #expect(request.values("X-Forwarded-Port").isEmpty)
        #expect(request.values("Forwarded").isEmpty)
        #expect(request.values("Via") == ["1.1 curl-lb"])
        #expect(request.values("Host") == ["shop.example:8080"])
    }

    @Test func `Via is added to what stands there`() throws {
        let request = try forwarded("GET / HTTP/1.1\r\nHost: test\r\nVia: 1.0 first, 1.1 second\r\n\r\n")
        #expect(request.values("Via") == ["1.0 first, 1.1 second", "1.1 curl-lb"])
    }

    @Test func `a request identifier is made`() throws {
        let identifier = try #require(try forwarded("GET / HTTP/1.1\r\nHost: test\r\n\r\n")["X-Request-Id"])
        #expect(identifier.count == 32 && identifier.allSatisfy { $0.isHexDigit })
    }

    @Test func `a plain request identifier is kept`() throws {
        let request = try forwarded("GET / HTTP/1.1\r\nHost: test\r\nX-Request-ID: abc-123_X.y\r\n\r\n")
        #expect(request.values("X-Request-Id") == ["abc-123_X.y"])
    }

    @Test("any other request identifier goes on with ours behind it", arguments: ["", "a b", "a\"b", "caf\u{E9}"])
    func oddIdentifier(_ identifier: String) throws {
        let request = try forwarded("GET / HTTP/1.1\r\nHost: test\r\nX-Request-Id: \(identifier)\r\n\r\n")
        #expect(request.values("X-Request-Id").contains { $0.count == 32 })
    }

    @Test(
        "an absolute target becomes a path, and its authority the host",
        arguments: [
            ("GET http://shop.example:81/a?b HTTP/1.1", "GET /a?b HTTP/1.1"),
            ("GET http://shop.example:81 HTTP/1.1", "GET / HTTP/1.1"),
            ("GET HTTP://shop.example:81?b HTTP/1.1", "GET /?b HTTP/1.1"),
            ("OPTIONS http://shop.example:81 HTTP/1.1", "OPTIONS * HTTP/1.1"),
        ]
    )
    func absolute(line: String, expected: String) throws {
        let request = try forwarded("\(line)\r\nHost: other.example\r\n\r\n")
        #expect(request.startLine == expected)
        #expect(request.values("Host") == ["shop.example:81"])
        #expect(request.values("X-Forwarded-Host") == ["shop.example:81"])
    }

    @Test func `OPTIONS with an asterisk goes on`() throws {
        #expect(try forwarded("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n").startLine == "OPTIONS * HTTP/1.1")
    }

    @Test("Max-Forwards counts down where it means something", arguments: ["TRACE", "OPTIONS"])
    func maxForwards(method: String) throws {
        let request = try forwarded("\(method) / HTTP/1.1\r\nHost: test\r\nMax-Forwards: 5\r\n\r\n")
        #expect(request.values("Max-Forwards") == ["4"])
    }

    @Test func `Max-Forwards says nothing about other methods`() throws {
        let request = try forwarded("GET / HTTP/1.1\r\nHost: test\r\nMax-Forwards: 5\r\n\r\n")
        #expect(request.values("Max-Forwards") == ["5"])
    }

    @Test func `a client of HTTP 1.0 is spoken for in HTTP 1.1`() throws {
        let request = try forwarded("GET /a HTTP/1.0\r\nX-A: 1\r\n\r\n")
        #expect(request.startLine == "GET /a HTTP/1.1")
        #expect(request.values("Host") == ["curl-lb"])
        #expect(request.values("Via") == ["1.0 curl-lb"])
        #expect(request.values("X-A") == ["1"])
        #expect(request.values("Connection").isEmpty)
    }

    @Test func `an empty line in front of a request is skipped`() throws {
        #expect(try forwarded("\r\nGET /a HTTP/1.1\r\nHost: test\r\n\r\n").startLine == "GET /a HTTP/1.1")
    }

    @Test func `a request in single bytes is the same request`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            let text =
                "POST /a?b HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n"
            for byte in text.bytes { try client.send([byte]) }
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(origin.requests.map(\.startLine) == ["POST /a?b HTTP/1.1"])
            #expect(origin.requests.map(\.body.text) == ["hello"])
        }
    }
}
