// Tests of backends that answer wrongly, partly, or not at all.

import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct BackendFaultTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    // MARK: Not HTTP

    static let invalid: [(String, String)] = [
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        ("two lengths in one field", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!"),
        ("a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello"),
        ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"),
        ("an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        ("chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
        ("one bare line feed", "HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 2\r\n\r\nok"),
        ("a bare carriage return", "HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\nok"),
        ("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        ("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
        ("status 000", "HTTP/1.1 000 OK\r\n\r\n"),
        ("no status", "HTTP/1.1 OK\r\n\r\n"),
        ("space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
        ("a folded field", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok"),
        ("a field without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
        ("a NUL", "HTTP/1.1 200 OK\r\nX-A: \u{0}\r\n\r\n"),
        ("HTTP/0.9", "<html>hello</html>"),
        ("HTTP/2", "HTTP/2 200\r\n\r\n"),
        ("HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"),
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
        (
            "an upgrade that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        ),
    ]

    @Test("an answer that is no clear HTTP is a 502, and not asked for again", arguments: invalid)
    func notHTTP(what: String, answer: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: answer)
            let other = try scene.origin()
            let balancer = try scene.curlLB([origin, other])
            let response = try balancer.response(to: get)
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=http_protocol_error")
            #expect(other.connections == 0)
            #expect(try balancer.logLine().contains("failed=[\(origin.name) http_protocol_error "))
            #expect(try balancer.logLine().contains(" reason=http_protocol_error "))
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test(
        "a head beyond the limit is a 502 with its own word",
        arguments: [
            "HTTP/1.1 200 OK\r\nX-A: \(String(repeating: "a", count: 5000))\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n" + (0..<300).map { "A: \($0)\r\n" }.joined() + "Content-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 \(String(repeating: "a", count: 70_000))",
        ]
    )
    func headTooLarge(answer: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: answer)
            let balancer = try scene.curlLB([origin], ["LB_MAX_HEADER": "4KiB"])
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=http_response_header_section_size")
        }
    }

    @Test("a head within the limit passes", arguments: [("64KiB", 60_000), ("1MiB", 900_000), ("1KiB", 700)])
    func largeHead(limit: String, size: Int) throws {
        try Scene.play { scene in
            let value = String(repeating: "a", count: size)
            let origin = try scene.origin(answering: Reply.ok("ok", fields: "X-A: \(value)\r\n"))
            let balancer = try scene.curlLB([origin], ["LB_MAX_HEADER": limit])
            let response = try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\nX-A: \(value)\r\n\r\n")
            #expect(response["X-A"] == value)
            #expect(response.body.text == "ok")
            #expect(origin.requests.first?["X-A"] == value)
        }
    }

    // MARK: Broken off

    @Test func `a reset that sending meets first is no end of the response`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                // Its end would be the connection's.
                try connection.send("HTTP/1.1 200 OK\r\n\r\npart")
                try gate.wait()
                connection.reset()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n")
            _ = try client.receive(through: "part\r\n")
            // As much as goes in: then the balancer waits to send, and hears of the reset in that way.
            let piece = [UInt8](repeating: 0x78, count: 1 << 20)
            var pauses = 0
            while pauses < 100 {
                if client.sendSome(piece) > 0 {
                    pauses = 0
                } else {
                    pauses += 1
                    usleep(2000)
                }
            }
            gate.open()
            #expect(try client.drainToEnd() == .reset)
            #expect(try balancer.logLine().contains(" reason=http_response_incomplete "))
        }
    }

    @Test(
        "a head cut short goes to the next backend",
        arguments: ["H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nX: 1\r\n"]
    )
    func headCutShort(part: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send(part)
            }
            let other = try scene.origin()
            let balancer = try scene.curlLB([origin, other])
            #expect(try balancer.response(to: get).status == 200)
            let response = try balancer.response(to: "POST / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(
                [response.status, try balancer.response(to: "POST / HTTP/1.1\r\nHost: test\r\n\r\n").status].contains(
                    502
                )
            )
            #expect(try balancer.logLine().contains("\(origin.name) connection_terminated "))
        }
    }

    static let cut: [(String, String)] = [
        ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
        ("a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhello"),
        ("the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        ("the end of the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
    ]

    @Test("a response cut in its body never looks complete", arguments: cut, ["HTTP/1.1", "HTTP/1.0"])
    func cutInBody(cut: (what: String, answer: String), version: String) throws {
        try Scene.play { scene in
            let goesOn = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send(cut.answer)
                try goesOn.wait()
            }
            let other = try scene.origin()
            let balancer = try scene.curlLB([origin, other])
            let client = try balancer.connect()
            try client.send("GET / \(version)\r\nHost: test\r\n\r\n")
            let head = try client.receiveHead()
            #expect(head.status == 200)
            _ = try client.receive(through: "hello")
            goesOn.open()
            // Without chunks and without a length only a reset can say it; with them, the missing rest says it as well.
            let rest = try client.receiveToEnd()
            #expect(!rest.text.contains("0\r\n\r\n"))
            if !head.isChunked, head["Content-Length"] == nil { #expect(client.ending == .reset) }
            client.close()
            #expect(other.connections == 0)
            let line = try balancer.logLine()
            #expect(line.contains(" 200 ") && line.contains(" reason=http_"))
            #expect(line.contains(" backend=\(origin.name) attempts=1 "))
        }
    }

    @Test func `a body that turns malformed is cut like one that ends`() throws {
        try Scene.play { scene in
            let goesOn = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                try goesOn.wait()
                try connection.send("xyz\r\n")
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            _ = try client.receive(through: "hello\r\n")
            goesOn.open()
            #expect(try client.receiveToEnd().isEmpty)
            #expect(client.ending == .reset)
            client.close()
            #expect(try balancer.logLine().contains(" reason=http_protocol_error "))
        }
    }

    @Test func `a body that is malformed before any byte went to the client is a 502`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            let response = try client.receiveResponse()
            client.close()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=http_protocol_error")
            #expect(try balancer.logLine().contains(" 502 "))
        }
    }

    @Test func `a backend's reset in the body is a reset for the client`() throws {
        try Scene.play { scene in
            let goesOn = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\n\r\nhello")
                try goesOn.wait()
                connection.reset()
            }
            let balancer = try scene.curlLB([origin])
            for version in ["HTTP/1.0", "HTTP/1.1"] {
                let client = try balancer.connect()
                try client.send("GET / \(version)\r\nHost: test\r\n\r\n")
                _ = try client.receive(through: "hello")
                goesOn.open()
                let rest = try client.receiveToEnd()
                #expect(!rest.text.contains("0\r\n\r\n"))
                #expect(client.ending == .reset)
                client.close()
            }
        }
    }

    // MARK: Silent

    @Test func `a backend that does not answer in time is a 504, and not asked again`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                _ = try connection.isAtEnd()
            }
            let other = try scene.origin()
            let balancer = try scene.curlLB([origin, other], ["LB_RESPONSE_TIMEOUT": "100ms"])
            let response = try balancer.response(to: get)
            #expect(response.status == 504)
            #expect(response["Proxy-Status"] == "curl-lb; error=http_response_timeout")
            #expect(other.connections == 0)
            #expect(try balancer.logLine().contains(" reason=http_response_timeout "))
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test func `a backend that stops in the middle of a body is given up`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin], ["LB_IDLE_TIMEOUT": "200ms"])
            let client = try balancer.connect()
            try client.send(get)
            #expect(try client.receiveToEnd().text.hasSuffix("\r\n\r\nhello"))
            #expect(client.ending == .reset)
            client.close()
            #expect(try balancer.logLine().contains(" reason=http_response_incomplete "))
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }
}
