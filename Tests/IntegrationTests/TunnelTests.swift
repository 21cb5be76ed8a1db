// Tests of upgrades, which turn an exchange into a tunnel, and of trailers.

import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct TunnelTests {
    private static let upgrade =
        "GET /chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    private static let switched =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    @Test func `after a 101 bytes go both ways as they come, and each side ends for itself`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                let head = try connection.receive(through: "\r\n\r\n").text
                #expect(head.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"))
                try connection.send(Self.switched + "hello")
                #expect(try connection.receive(5).text == "early")
                try connection.send("seen")
                #expect(try connection.receiveToEnd().text == "bye")
                try connection.send("late")
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            // What follows the head belongs to the new protocol already.
            try client.send(Self.upgrade + "early")
            #expect(try client.receive(through: "\r\n\r\n").text == Self.switched)
            #expect(try client.receive(9).text == "helloseen")
            try client.send("bye")
            client.finishSending()
            #expect(try client.receiveToEnd().text == "late")
            #expect(try balancer.logLine().contains("\" 101 in=8 out=13 "))
        }
    }

    @Test func `a tunnel's end at the backend reaches the client with the last bytes`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receive(through: "\r\n\r\n")
                try connection.send(Self.switched + "last")
            }
            let client = try scene.curlLB([origin]).connect()
            try client.send(Self.upgrade)
            #expect(try client.receiveToEnd().text == Self.switched + "last")
        }
    }

    @Test func `a refused upgrade is an ordinary response, and the connection serves on`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("no"))
            let client = try scene.curlLB([origin]).connect()
            for _ in 0..<3 {
                try client.send(Self.upgrade)
                #expect(try client.receiveResponse().body.text == "no")
            }
            client.close()
        }
    }

    @Test(
        "a wish that is not passed on",
        arguments: [
            "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
        ]
    )
    func notPassedOn(request: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                let head = try connection.receive(through: "\r\n\r\n").text.lowercased()
                #expect(!head.contains("upgrade") && !head.contains("http2-settings"))
                // So that a 101 is no answer to it.
                try connection.send(Self.switched)
            }
            let client = try scene.curlLB([origin], ["LB_RETRIES": "0"]).connect()
            try client.send(request)
            let response = try client.receiveHead()
            #expect(response.status == 502)
            client.close()
        }
    }

    @Test(
        "trailers go to a client that asks for them, but for those that have no place there",
        arguments: [("TE: trailers\r\n", "0\r\nX-Sum: 1\r\n\r\n"), ("", "0\r\n\r\n")]
    )
    func responseTrailers(te: String, end: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receive(through: "\r\n\r\n")
                try connection.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                        + "0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n"
                )
            }
            let client = try scene.curlLB([origin]).connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\(te)\r\n")
            _ = try client.receive(through: "\r\n\r\n")
            #expect(try client.receive(through: end).text == "3\r\nabc\r\n" + end)
            client.close()
        }
    }

    @Test func `a request's trailers go on, and leave the next request whole`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receive(through: "\r\n\r\n")
                #expect(try connection.receive(through: "\r\n\r\n").text == "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n")
                try connection.send(Reply.ok("one"))
                #expect(try connection.receive(through: "\r\n\r\n").text.hasPrefix("GET /next HTTP/1.1\r\n"))
                try connection.send(Reply.ok("two"))
            }
            let client = try scene.curlLB([origin]).connect()
            try client.send(
                "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n"
                    + "GET /next HTTP/1.1\r\nHost: test\r\n\r\n"
            )
            #expect(try client.receiveResponse().body.text == "one")
            #expect(try client.receiveResponse().body.text == "two")
            client.close()
        }
    }
}
