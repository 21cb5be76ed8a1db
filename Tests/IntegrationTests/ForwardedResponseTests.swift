// Tests of the response as the client gets it.

import Testing

@Suite(.timeLimit(.minutes(5))) struct ForwardedResponseTests {
    /// What the client gets for these bytes of a backend, and how the connection ended, if it did.
    private func forwarded(
        _ response: String,
        to request: String = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    ) throws -> Message {
        var message: Message?
        try Scene.play { scene in
            let origin = try scene.origin(answering: response)
            let balancer = try scene.curlLB([origin])
            message = try balancer.response(to: request)
        }
        return try #require(message)
    }

    @Test func `field lines keep order, case, repetition and bytes`() throws {
        let lines = [
            "dAte: today", "Set-Cookie: a=b", "X-B: 1", "set-cookie: c=d", "X-Empty:", "Server: caf\u{E9}", "X-B: 2",
            "Via: 1.1 inner", "ETag: \"x\"", "Content-Encoding: gzip", "Trailing: x",
        ]
        let response = try forwarded(
            "HTTP/1.1 200 OK\r\n\(lines.joined(separator: "\r\n"))\r\nContent-Length: 2\r\n\r\nok"
        )
        let sent = response.fields.filter { $0.name != "Content-Length" }
        #expect(sent.map { $0.value.isEmpty ? "\($0.name):" : $0.description } == lines)
        #expect(response.body.text == "ok")
    }

    @Test(
        "the status line goes on, whatever its phrase",
        arguments: [
            "200 OK", "200 ", "404 Nope, sorry", "299 Odd", "503 caf\u{E9}", "999 Far out", "500 Internal Server Error",
        ]
    )
    func status(_ status: String) throws {
        #expect(try forwarded("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n").startLine == "HTTP/1.1 \(status)")
    }

    @Test func `a status line without a phrase gets the space that belongs there`() throws {
        #expect(try forwarded("HTTP/1.1 204\r\n\r\n").startLine == "HTTP/1.1 204 ")
    }

    @Test func `fields for this connection only stay behind, also those that Connection names`() throws {
        let response = try forwarded(
            """
            HTTP/1.1 200 OK\r
            Connection: X-Secret, keep-alive\r
            X-Secret: 1\r
            Keep-Alive: timeout=5\r
            Proxy-Connection: close\r
            Upgrade: h2c\r
            Date: Mon, 01 Jan 2024 00:00:00 GMT\r
            X-Kept: 1\r
            Content-Length: 0\r
            \r

            """
        )
        #expect(
            response.fields.map(\.description) == [
                "Date: Mon, 01 Jan 2024 00:00:00 GMT", "X-Kept: 1", "Content-Length: 0",
            ]
        )
    }

    @Test func `the same length twice becomes one`() throws {
        let response = try forwarded("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok")
        #expect(response.values("Content-Length") == ["2"])
        #expect(response.body.text == "ok")
    }

    @Test func `early hints go on before the response, though not to HTTP 1.0`() throws {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        try Scene.play { scene in
            let origin = try scene.origin(answering: hints + hints + Reply.ok("ok"))
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            for _ in 0..<2 { #expect(try client.receiveHead().head == hints) }
            #expect(try client.receiveResponse().body.text == "ok")
            client.close()
            let old = try balancer.response(to: "GET / HTTP/1.0\r\n\r\n")
            #expect(old.status == 200)
            #expect(old.body.text == "ok")
        }
    }

    @Test func `a 100 that nobody asked for goes on: it was not ours to ask for`() throws {
        #expect(try forwarded("HTTP/1.1 100 Continue\r\n\r\n" + Reply.ok("ok")).status == 100)
    }

    @Test func `a client of HTTP 1.0 gets its connection kept when it asks`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let response = try client.receiveResponse()
                #expect(response["Connection"] == "keep-alive")
                #expect(response.body.text == "ok")
            }
            try client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try client.receiveResponse()["Connection"] == "close")
            #expect(try client.drainToEnd() == .closed)
            client.close()
        }
    }

    @Test func `Connection close from the client closes its connection after the response`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            let response = try client.receiveResponse()
            #expect(response["Connection"] == "close")
            #expect(try client.drainToEnd() == .closed)
            client.close()
            #expect(origin.requests.first?.values("Connection").isEmpty == true)
        }
    }

    @Test func `a backend's Connection close stays between it and us`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok", fields: "Connection: close\r\n"))
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<3 {
                try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                #expect(try client.receiveResponse().values("Connection").isEmpty)
            }
            client.close()
        }
    }
}
