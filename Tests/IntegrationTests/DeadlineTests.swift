// Tests of LB_DEADLINE: the time that a request may take, whatever is tried for it.

import Testing

@Suite(.timeLimit(.minutes(5))) struct DeadlineTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    private static let silent: @Sendable (Message, Connection) throws -> Void = { _, connection in
        _ = try connection.isAtEnd()
    }

    private func expectDeadline(_ response: Message) {
        #expect(response.status == 504)
        #expect(response["Proxy-Status"] == "curl-lb; error=http_response_timeout")
        #expect(response.body.text.contains("request_deadline"))
    }

    @Test func `a backend that does not answer is given up at the deadline, not at its own limit`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(replying: Self.silent)
            let other = try scene.origin()
            let balancer = try scene.curlLB(
                [origin, other],
                ["LB_DEADLINE": "150ms", "LB_RETRY_ON": "all-retryable-errors", "LB_POLICY": "first"]
            )
            let client = try balancer.connect()
            try client.send(get)
            expectDeadline(try client.receiveResponse())
            try eventually("the attempt to be cancelled") { origin.openConnections == 0 }
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=1 failed=[\(origin.name) request_deadline "))
            #expect(line.contains(" reason=request_deadline "))
            #expect(other.connections == 0)
            client.close()
        }
    }

    @Test func `all attempts together have that time`() throws {
        try Scene.play { scene in
            let origins = try (0..<3).map { _ in try scene.origin(replying: Self.silent) }
            let balancer = try scene.curlLB(
                origins,
                [
                    "LB_DEADLINE": "400ms", "LB_RESPONSE_TIMEOUT": "250ms", "LB_RETRY_ON": "response-timeout",
                    "LB_POLICY": "first",
                ]
            )
            expectDeadline(try balancer.get())
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=2 failed=[\(origins[0].name) http_response_timeout "))
            #expect(line.contains("\(origins[1].name) request_deadline "))
            #expect(origins[2].connections == 0)
        }
    }

    @Test func `the time in the queue counts`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                if request.startLine.contains("/held") { _ = try connection.isAtEnd() }
            }
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_DEADLINE": "300ms"])
            let first = try balancer.connect()
            try first.send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
            try first.waitUntilRead()
            // Asked a moment later, it is still waiting when the first one's time is over, and then its own ends at the backend.
            let waiting = try balancer.connect()
            try waiting.send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
            try waiting.waitUntilRead()
            expectDeadline(try first.receiveResponse())
            expectDeadline(try waiting.receiveResponse())
            for client in [first, waiting] { client.close() }
            _ = try balancer.logLine(1)
            #expect(balancer.log.count { $0.contains(" queue_ms=") && $0.contains(" reason=request_deadline ") } == 1)
        }
    }

    @Test func `who waits longer than that is told so`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\n\r\n")
                try gate.wait()
            }
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_DEADLINE": "200ms"])
            let first = try balancer.connect()
            try first.send(get)
            #expect(try first.receiveHead().status == 200)
            expectDeadline(try balancer.get())
            let line = try balancer.logLine()
            #expect(line.contains(" queue_ms=") && line.contains(" attempts=0 reason=request_deadline "))
            gate.open()
            _ = try first.receive(through: "0\r\n\r\n")
            first.close()
        }
    }

    @Test func `a response that has begun is not cut, nor is a tunnel`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                let head = try connection.receiveHead()
                if head.startLine.contains("/silent") {
                    _ = try connection.isAtEnd()
                    return
                }
                if head["Upgrade"] != nil {
                    try connection.send(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                    )
                } else {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
                }
                try gate.wait()
                try connection.send("late")
            }
            let balancer = try scene.curlLB([origin], ["LB_DEADLINE": "150ms"])
            let stream = try balancer.connect()
            try stream.send(get)
            #expect(try stream.receiveHead().status == 200)
            let tunnel = try balancer.connect()
            try tunnel.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            #expect(try tunnel.receiveHead().status == 101)
            // One that began later and is not answered: when its time is over, theirs would be, too.
            expectDeadline(try balancer.get("/silent"))
            #expect(!stream.isLeft && !tunnel.isLeft)
            gate.open()
            #expect(try stream.receive(4).text == "late")
            #expect(try tunnel.receive(4).text == "late")
            for client in [stream, tunnel] { client.close() }
        }
    }
}
