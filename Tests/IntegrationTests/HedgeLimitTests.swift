// Tests of what is never hedged, and of how hedged requests end early.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct HedgeLimitTests {
    private static let silent: @Sendable (Message, Connection) throws -> Void = { _, connection in
        _ = try connection.isAtEnd()
    }

    private static let once = ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "1"]

    private func get(_ target: String, _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
    }

    // MARK: What is not hedged

    @Test(
        "what changes something, cannot be sent twice, or has begun to be answered, is asked of one backend",
        arguments: [
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
            "PATCH / HTTP/1.1\r\nHost: test\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello",
            "DELETE / HTTP/1.1\r\nHost: test\r\n\r\n",
            "QUERY / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhell",
            "QUERY / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000),
            "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "GET /begun HTTP/1.1\r\nHost: test\r\n\r\n",
            "GET /hinted HTTP/1.1\r\nHost: test\r\n\r\n",
        ]
    )
    func never(request: String) throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { connection, _ in
                let head = try connection.receiveHead()
                if head.startLine.contains("/begun") {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
                }
                if head.startLine.contains("/hinted") { try connection.send("HTTP/1.1 103 Early Hints\r\n\r\n") }
                if head.startLine.contains("/later") { _ = try connection.isAtEnd() }
                try gate.wait()
            }
            let second = try scene.origin(answering: Reply.ok("b"))
            let isBegun = request.contains("/begun") || request.contains("/hinted")
            // Here the first backend has to be the faster one, and has much time for it.
            let settings = Self.once.merging(isBegun ? ["LB_HEDGE": "1s"] : [:]) { $1 }
            let balancer = try scene.curlLB([slow, second], settings)
            let client = try balancer.connect()
            try client.send(request)
            try eventually("the first attempt") { slow.heads.count == 1 }
            if isBegun { _ = try client.receiveHead() }
            // Two that came later, one after the other, have been asked of the second by now.
            for _ in 0..<2 {
                #expect(try balancer.response(to: get("/later", "Connection: close\r\n")).body.text == "b")
            }
            #expect(second.requests.count == 2)
            client.close()
            try eventually("the client's line") { balancer.log.contains { $0.contains(" attempts=1 ") } }
            gate.open()
        }
    }

    @Test func `a client that is bound to the backend stays there, and another is bound to the winner`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let home = try scene.origin { request, connection in
                if request.startLine.contains("/silent") { _ = try connection.isAtEnd() }
                if request.startLine.contains("/held") { try gate.wait() }
                try connection.send(Reply.ok("a"))
            }
            let second = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB(
                [home, second],
                Self.once.merging(["LB_STICKY": "cookie", "LB_STICKY_SECRET": "a secret for tests"]) { $1 }
            )
            // Held first, so that it is not hedged by chance.
            let cookie = try #require(
                try balancer.response(to: "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")["Set-Cookie"]
            ).prefix { $0 != ";" }
            let bound = try balancer.connect()
            try bound.send(get("/held", "Cookie: \(cookie)\r\n"))
            try eventually("the bound client's request") { home.requests.count == 2 }
            var other = ""
            for _ in 0..<2 {
                let response = try balancer.get("/silent")
                #expect(response.body.text == "b")
                #expect(response.values("Set-Cookie").count == 1)
                other = String(try #require(response["Set-Cookie"]).prefix { $0 != ";" })
            }
            #expect(other != cookie)
            gate.open()
            let response = try bound.receiveResponse()
            #expect(response.body.text == "a" && response["Set-Cookie"] == nil)
            // The winner is home from then on.
            let again = try balancer.response(to: get("/", "Cookie: \(other)\r\nConnection: close\r\n"))
            #expect(again.body.text == "b")
            bound.close()
        }
    }

    @Test func `when the budget is used up nobody is asked beside`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { request, connection in
                if request.startLine.contains("/held") { _ = try connection.isAtEnd() }
                usleep(100_000)
                try connection.send(Reply.ok("a"))
            }
            let second = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB([slow, second], Self.once.merging(["LB_RETRY_BUDGET": "0"]) { $1 })
            let clients = try (0..<3).map { _ in try balancer.connect() }
            for (index, client) in clients.enumerated() {
                try client.send(get("/held"))
                try eventually("second attempt \(index)") { second.requests.count == index + 1 }
            }
            #expect(try balancer.get().body.text == "a")
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=1 ") && !line.contains("notes="))
            gate.open()
            for client in clients {
                #expect(try client.receiveResponse().body.text == "b")
                client.close()
            }
            // All places have come back.
            #expect(try balancer.get("/held").body.text == "b")
        }
    }

    @Test func `when no other backend has a place at once nobody is asked beside, and nobody waits for one`() throws {
        try Scene.play { scene in
            let (leaving, staying) = (Gate(), Gate())
            let script: @Sendable (Message, Connection) throws -> Void = { request, connection in
                if request.startLine.contains("/slow") { usleep(100_000) }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
                if request.startLine.contains("/leaving") { try leaving.wait() }
                if request.startLine.contains("/staying") { try staying.wait() }
                try connection.send("x")
            }
            let (a, b) = (try scene.origin(replying: script), try scene.origin(replying: script))
            let balancer = try scene.curlLB(["\(a.url);max_conns=2", "\(b.url);max_conns=1"], Self.once)
            let clients = try ["/leaving", "/staying", "/staying"].map { target in
                let client = try balancer.connect()
                try client.send("POST \(target) HTTP/1.1\r\nHost: test\r\n\r\n")
                _ = try client.receiveHead()
                return client
            }
            #expect(a.requests.count == 2 && b.requests.count == 1)
            leaving.open()
            _ = try clients[0].receive(1)
            #expect(try balancer.get("/slow").status == 200)
            try eventually("the line") { balancer.log.contains { $0.contains("/slow") && $0.contains(" attempts=1 ") } }
            #expect(b.requests.count == 1)
            staying.open()
            for client in clients.dropFirst() { _ = try client.receive(1) }
            for client in clients { client.close() }
        }
    }

    // MARK: Time

    @Test func `a second attempt that has ended does not shorten the first one's time`() throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            // The second one's time to connect would be over long before the first one's to answer, and that before the deadline.
            let times = ["LB_IDLE_TIMEOUT": "200ms", "LB_RESPONSE_TIMEOUT": "60s", "LB_DEADLINE": "1s"]
            let balancer = try scene.curlLB([slow.url, try scene.refusingURL()], Self.once.merging(times) { $1 })
            let response = try balancer.get()
            #expect(response.status == 504 && response.body.text.contains("Reason: request_deadline"))
            #expect(try !balancer.logLine().contains("http_response_timeout"))
        }
    }

    @Test(arguments: ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"])
    func `a client whose body is over is not told to go on`(body: String) throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let balancer = try scene.curlLB(
                [slow, try scene.origin(replying: Self.silent)],
                Self.once.merging(["LB_DEADLINE": "2s"]) { $1 }
            )
            for method in ["QUERY", "PUT"] {
                let client = try balancer.connect()
                try client.send(
                    "\(method) / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                try client.waitUntilRead()
                try client.send(body)
                // A 100 of ours would come before that.
                #expect(try client.receiveHead().status == 504)
                client.close()
            }
        }
    }

    // MARK: Turns

    @Test func `second attempts take nobody's turn`() throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let fast = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB(
                [slow, fast],
                Self.once.merging(["LB_POLICY": "round_robin", "LB_HEDGE": "300ms"]) { $1 }
            )
            for _ in 0..<6 { #expect(try balancer.get().body.text == "b") }
            _ = try balancer.logLine(5)
            // The slow one was asked first in every other turn.
            #expect(balancer.log.count { $0.contains("hedge_won") } == 3)
        }
    }

    // MARK: Ending early

    @Test func `at the deadline both are cancelled, and the log has both`() throws {
        try Scene.play { scene in
            let (a, b) = (try scene.origin(replying: Self.silent), try scene.origin(replying: Self.silent))
            let balancer = try scene.curlLB([a, b], Self.once.merging(["LB_DEADLINE": "1s"]) { $1 })
            let response = try balancer.get()
            #expect(response.status == 504 && response.body.text.contains("request_deadline"))
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=2 failed=[\(a.name) request_deadline "), "\(line)")
            #expect(
                line.contains(", \(b.name) request_deadline ")
                    && line.contains(" notes=hedged reason=request_deadline ")
            )
            try eventually("both to be cancelled") { a.openConnections == 0 && b.openConnections == 0 }
        }
    }

    @Test func `when both are silent for too long the answer is that, and the log has both`() throws {
        try Scene.play { scene in
            let (a, b) = (try scene.origin(replying: Self.silent), try scene.origin(replying: Self.silent))
            let third = try scene.origin()
            let balancer = try scene.curlLB(
                [a, b, third],
                Self.once.merging(["LB_RESPONSE_TIMEOUT": "300ms", "LB_RETRY_ON": "response-timeout"]) { $1 }
            )
            #expect(try balancer.get().status == 504)
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=2 failed=[\(a.name) http_response_timeout "), "\(line)")
            #expect(line.contains(", \(b.name) http_response_timeout "))
            #expect(third.connections == 0)
        }
    }

    @Test func `a client that leaves ends both`() throws {
        try Scene.play { scene in
            let (a, b) = (try scene.origin(replying: Self.silent), try scene.origin(replying: Self.silent))
            let balancer = try scene.curlLB([a, b], Self.once)
            let client = try balancer.connect()
            try client.send(get("/"))
            try eventually("both to be asked") { a.requests.count == 1 && b.requests.count == 1 }
            client.close()
            try eventually("both to be cancelled") { a.openConnections == 0 && b.openConnections == 0 }
            let line = try balancer.logLine()
            #expect(line.contains(" 499 ") && line.contains(" attempts=2 notes=hedged reason=client_gone "))
        }
    }

    @Test func `draining lets a hedged request end, and its limit cuts it`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let a = try scene.origin(replying: Self.silent)
            let b = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            for isCut in [false, true] {
                let settings = Self.once.merging(["LB_DRAIN_TIMEOUT": isCut ? "100ms" : "30s"]) { $1 }
                let (first, second) = isCut ? (a, a) : (a, b)
                let balancer = try scene.curlLB(
                    [first.url, isCut ? "\(second.url);name=again" : second.url],
                    settings
                )
                let client = try balancer.connect()
                try client.send(get("/"))
                let count = isCut ? 3 : 1
                try eventually("both to be asked") { a.requests.count == count && (isCut || b.requests.count == 1) }
                balancer.process.send(SIGTERM)
                gate.open()
                let response = try client.receiveResponse()
                #expect(response.status == (isCut ? 502 : 200))
                client.close()
                #expect(try balancer.process.waitForExit() == .code(0))
            }
        }
    }

    @Test func `the explanation is that of the attempt that has won`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let a = try scene.origin { request, connection in
                if request.startLine.contains("/silent") { _ = try connection.isAtEnd() }
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let b = try scene.origin { request, connection in
                if !request.startLine.contains("/silent") {
                    gate.open()
                    _ = try connection.isAtEnd()
                }
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB([a, b], Self.once.merging(["LB_TRUSTED": "127.0.0.1"]) { $1 })
            for (target, attempt, origin) in [("/silent", 2, b), ("/", 1, a)] {
                let response = try balancer.response(to: get(target, "X-LB-Explain: 1\r\nConnection: close\r\n"))
                let text = try #require(response["X-LB-Explain"])
                #expect(text.hasPrefix("attempt=\(attempt), ") && text.contains("chosen=\"\(origin.name)\""), "\(text)")
            }
        }
    }

    // MARK: All together

    @Test func `thousands of requests to backends of changing speed get their own answers, each once`() throws {
        try Scene.play { scene in
            let origins = try (0..<4).map { index in
                try scene.origin { request, connection in
                    let target = String(request.startLine.split(separator: " ")[1])
                    let number = Int(target.dropFirst()) ?? 0
                    // Some take long at the one, some at the other, some at both; some are broken off by one of them.
                    usleep(UInt32((number &* 7919 &+ index &* 31) % 5) * 1000)
                    if (number &+ index &* 3) % 17 == 0 { throw Disappointment("breaks off") }
                    try connection.send(Reply.ok(target))
                }
            }
            let balancer = try scene.curlLB(
                origins,
                ["LB_HEDGE": "1ms", "LB_RETRIES": "3", "LB_RETRY_BUDGET": "100", "LB_WORKERS": "4"]
            )
            let clients = try (0..<16).map { _ in try balancer.connect() }
            for round in 0..<100 {
                for (index, client) in clients.enumerated() { try client.send(get("/\(round * 16 + index)")) }
                for (index, client) in clients.enumerated() {
                    let response = try client.receiveResponse()
                    #expect(response.status == 502 || response.body.text == "/\(round * 16 + index)")
                }
            }
            for client in clients { client.close() }
            _ = try balancer.logLine(1599)
            #expect(balancer.log.count { $0.contains("notes=hedged") } > 100)
            #expect(balancer.log.allSatisfy { $0.contains("\" 200 ") || $0.contains("retry_budget_exhausted") })
            #expect(balancer.log.count { $0.contains("\" 200 ") } > 1580)
        }
    }
}
