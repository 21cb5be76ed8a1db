// Tests of what another attempt follows, by LB_RETRY_ON and the retry budget: who is asked, how often, and what the client gets.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct RetryRulesTests {
    private static let readAndClose: ScriptedOrigin.Script = { connection, _ in _ = try connection.receiveRequest() }

    /// A whole error response with a body that says whose it is.
    private static func error(_ status: Int, _ name: String, fields: String = "") -> String {
        "HTTP/1.1 \(status) Sorry\r\n\(fields)Content-Length: \(name.utf8.count)\r\n\r\n\(name)"
    }

    private func request(_ method: String, fields: String = "") -> String {
        "\(method) / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(fields)\r\n"
    }

    // MARK: Statuses

    @Test(
        "a gateway's error gives way to another backend's answer",
        arguments: [502, 503, 504],
        ["GET", "HEAD", "PUT"]
    )
    func gateway(status: Int, method: String) throws {
        try Scene.play { scene in
            let failing = try scene.origin { request, connection in
                let isHead = request.startLine.hasPrefix("HEAD")
                try connection.send(
                    isHead ? "HTTP/1.1 \(status) Sorry\r\nContent-Length: 1\r\n\r\n" : Self.error(status, "a")
                )
            }
            let origin = try scene.origin { request, connection in
                let isHead = request.startLine.hasPrefix("HEAD")
                try connection.send(isHead ? "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" : Reply.ok("b"))
            }
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"])
            for _ in 0..<2 {
                let fields = method == "PUT" ? "Content-Length: 3\r\n\r\nabc" : ""
                let response = try balancer.response(to: request(method, fields: fields))
                #expect(response.status == 200)
                #expect(response.body.text == (method == "HEAD" ? "" : "b"))
            }
            #expect(failing.requests.count == 2 && origin.requests.count == 2)
            #expect(origin.requests.allSatisfy { $0.body.text == (method == "PUT" ? "abc" : "") })
            // The response that was set aside had come whole: its connection was kept.
            #expect(failing.connections == 1)
            let line = try balancer.logLine()
            #expect(line.contains(" 200 "))
            #expect(line.contains(" backend=\(origin.name) attempts=2 failed=[\(failing.name) retriable_status "))
            #expect(line.contains("\"\(status) Sorry\" "))
            #expect(!line.contains("reason="))
        }
    }

    @Test(
        "a response that may not be repeated is passed on, the backend's own",
        arguments: [
            ("POST", "gateway", 503, ""), ("PATCH", "gateway", 502, ""), ("GET", "safe", 503, ""),
            ("GET", "gateway", 500, ""), ("GET", "gateway", 503, "Retry-After: 7\r\n"), ("GET", "none", 503, ""),
            ("GET", "safe,429", 429, "Retry-After: 7\r\n"), ("GET", "404", 403, ""),
        ]
    )
    func passedOn(method: String, conditions: String, status: Int, fields: String) throws {
        try Scene.play { scene in
            let failing = try scene.origin(answering: Self.error(status, "mine", fields: fields))
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": conditions])
            let response = try balancer.response(to: request(method))
            #expect(response.startLine == "HTTP/1.1 \(status) Sorry")
            #expect(response.body.text == "mine")
            #expect(response["Retry-After"] == (fields.isEmpty ? nil : "7"))
            #expect(failing.requests.count == 1)
            #expect(origin.connections == 0)
            let line = try balancer.logLine()
            #expect(line.contains(" backend=\(failing.name) attempts=1 ") && !line.contains("failed="))
        }
    }

    @Test("any status of the list", arguments: [401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504])
    func anyStatus(status: Int) throws {
        try Scene.play { scene in
            let failing = try scene.origin(answering: Self.error(status, "a"))
            let origin = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "\(status)"])
            #expect(try balancer.get().body.text == "b")
        }
    }

    @Test("the last real response is passed on", arguments: [("0", 1), ("1", 2), ("2", 3), ("100", 4)])
    func last(retries: String, attempts: Int) throws {
        try Scene.play { scene in
            let origins = try (0..<4).map { try scene.origin(answering: Self.error(503, "\($0)")) }
            let balancer = try scene.curlLB(
                origins,
                ["LB_RETRY_ON": "gateway", "LB_RETRIES": retries, "LB_POLICY": "first"]
            )
            let response = try balancer.get()
            #expect(response.startLine == "HTTP/1.1 503 Sorry")
            #expect(response.body.text == "\(attempts - 1)")
            #expect(origins.map(\.requests.count) == (0..<4).map { $0 < attempts ? 1 : 0 })
            let line = try balancer.logLine()
            #expect(line.contains(" 503 ") && line.contains(" backend=\(origins[attempts - 1].name) "))
            #expect(line.contains(" attempts=\(attempts) "))
        }
    }

    @Test func `when the next backend cannot be reached, the answer is ours, and the log tells both`() throws {
        try Scene.play { scene in
            let failing = try scene.origin(answering: Self.error(503, "a"))
            let refusing = try scene.refusingURL()
            let balancer = try scene.curlLB(
                [failing.url, refusing],
                ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"]
            )
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_refused")
            let line = try balancer.logLine()
            #expect(line.contains("failed=[\(failing.name) retriable_status "))
            #expect(line.contains(", \(refusing.dropFirst(7)) connection_refused "))
            #expect(line.contains(" reason=connection_refused "))
        }
    }

    @Test func `without a place elsewhere the response that has come is the answer`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let failing = try scene.origin(answering: Self.error(503, "a"))
            let full = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB(
                ["\(failing.url);max_conns=9", "\(full.url);max_conns=1"],
                ["LB_RETRY_ON": "gateway", "LB_POLICY": "first", "LB_WORKERS": "4"]
            )
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the request at b") { full.requests.count == 1 }
            #expect(try balancer.get().body.text == "a")
            gate.open()
            #expect(try client.receiveResponse().body.text == "b")
            client.close()
        }
    }

    @Test(
        "a response is not held back",
        arguments: ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"]
    )
    func bodyThatGoesOn(framing: String) throws {
        try Scene.play { scene in
            let failing = try scene.origin { _, connection in
                try connection.send("HTTP/1.1 503 Sorry\r\n\(framing)")
                _ = try connection.isAtEnd()
            }
            let origin = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"])
            for _ in 0..<2 { #expect(try balancer.get().body.text == "b") }
            // What was not read to its end is closed.
            #expect(failing.connections == 2)
            try eventually("the first origin's connections to be closed") { failing.openConnections == 0 }
        }
    }

    @Test func `a broken body of a response that is set aside breaks nothing`() throws {
        try Scene.play { scene in
            let failing = try scene.origin(
                answering: "HTTP/1.1 503 Sorry\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
            )
            let origin = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"])
            #expect(try balancer.get().body.text == "b")
            #expect(try balancer.logLine().contains("attempts=2 failed=[\(failing.name) retriable_status "))
        }
    }

    @Test func `an interim response that was passed on ends all repeating`() throws {
        try Scene.play { scene in
            let failing = try scene.origin { _, connection in
                try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + Self.error(503, "a"))
            }
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"])
            let client = try balancer.connect()
            try client.send(request("GET"))
            #expect(try client.receiveHead().status == 103)
            #expect(try client.receiveResponse().status == 503)
            client.close()
            #expect(origin.connections == 0)
        }
    }

    @Test func `a body that waits for 100 goes to the backend that wants it`() throws {
        try Scene.play { scene in
            let failing = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send(Self.error(503, "a", fields: "Connection: close\r\n"))
            }
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
                let body = try connection.receive(5)
                try connection.send(Reply.ok(body.text))
            }
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"])
            let client = try balancer.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(try client.receiveHead().status == 100)
            try client.send("hello")
            let response = try client.receiveResponse()
            #expect(response.status == 200)
            #expect(response.body.text == "hello")
            client.close()
        }
    }

    // MARK: Other classes

    @Test("an answer that is no HTTP is repeated on demand only", arguments: [("safe", 502), ("junk-response", 200)])
    func junk(conditions: String, status: Int) throws {
        try Scene.play { scene in
            let failing = try scene.origin(answering: "220 mail.example ESMTP\r\n\r\n")
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin], ["LB_RETRY_ON": conditions, "LB_POLICY": "first"])
            #expect(try balancer.response(to: request("GET")).status == status)
            #expect(try balancer.response(to: request("POST")).status == 502)
            #expect(origin.requests.count == (status == 200 ? 1 : 0))
        }
    }

    @Test("a silence is repeated on demand only", arguments: [("safe", 504, 1), ("response-timeout", 200, 2)])
    func silence(conditions: String, status: Int, attempts: Int) throws {
        try Scene.play { scene in
            let silent = try scene.origin { _, connection in _ = try connection.isAtEnd() }
            let origin = try scene.origin()
            let balancer = try scene.curlLB(
                [silent, origin],
                ["LB_RETRY_ON": conditions, "LB_POLICY": "first", "LB_RESPONSE_TIMEOUT": "100ms"]
            )
            #expect(try balancer.response(to: request("GET")).status == status)
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=\(attempts) failed=[\(silent.name) http_response_timeout "))
            #expect(try balancer.response(to: request("POST")).status == 504)
            #expect(origin.requests.count == attempts - 1)
        }
    }

    @Test("with none, or without its class, a failure is final", arguments: ["none", "empty-response", "503"])
    func unwanted(conditions: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB(
                [try scene.refusingURL(), origin.url],
                ["LB_RETRY_ON": conditions, "LB_POLICY": "first"]
            )
            #expect(try balancer.get().status == 502)
            #expect(origin.connections == 0)
            #expect(try balancer.logLine().contains(" attempts=1 "))
        }
    }

    // MARK: The budget

    @Test func `what may have been received is sent again to three at a time when the budget is no more`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let failing = try scene.origin(Self.readAndClose)
            let holding = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB(
                [failing, holding],
                ["LB_RETRY_BUDGET": "0", "LB_POLICY": "first", "LB_WORKERS": "4"]
            )
            let clients = try (0..<3).map { _ in try balancer.connect() }
            for (index, client) in clients.enumerated() {
                try client.send(request("GET"))
                try eventually("a retry at b") { holding.requests.count == index + 1 }
            }
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_terminated")
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=1 failed=[\(failing.name) connection_terminated "))
            #expect(line.contains("] notes=retry_budget_exhausted reason=connection_terminated "))

            gate.open()
            for client in clients {
                #expect(try client.receiveResponse().body.text == "b")
                client.close()
            }
            // All places have come back.
            for _ in 0..<4 { #expect(try balancer.get().body.text == "b") }
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.process.standardError.text.contains("retry_budget_exhausted 1"))
        }
    }

    @Test func `a real response is better than a retry that the budget forbids`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let failing = try scene.origin(answering: Self.error(503, "a"))
            let holding = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB(
                [failing, holding],
                ["LB_RETRY_BUDGET": "0", "LB_RETRY_ON": "gateway", "LB_POLICY": "first"]
            )
            let clients = try (0..<3).map { _ in try balancer.connect() }
            for client in clients { try client.send(request("GET")) }
            try eventually("three retries at b") { holding.requests.count == 3 }
            #expect(try balancer.get().body.text == "a")
            #expect(try balancer.logLine().contains(" attempts=1 notes=retry_budget_exhausted id="))
            gate.open()
            for client in clients {
                #expect(try client.receiveResponse().body.text == "b")
                client.close()
            }
        }
    }

    @Test func `what was never sent goes on whatever the budget says`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let holding = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB(
                [try scene.refusingURL(), holding.url],
                ["LB_RETRY_BUDGET": "0", "LB_POLICY": "first"]
            )
            let clients = try (0..<8).map { _ in try balancer.connect() }
            for client in clients { try client.send(request("POST")) }
            try eventually("all at b") { holding.requests.count == 8 }
            gate.open()
            for client in clients {
                #expect(try client.receiveResponse().body.text == "b")
                client.close()
            }
        }
    }

    @Test("one dead backend of three loses no request of 64 at a time", arguments: ["GET", "POST"])
    func deadAmongThree(method: String) throws {
        try Scene.play { scene in
            let dead = try scene.refusingURL()
            let origins = try (0..<2).map { _ in try scene.origin() }
            let balancer = try scene.curlLB([origins[0].url, dead, origins[1].url], ["LB_WORKERS": "4"])
            let clients = try (0..<64).map { _ in try balancer.connect() }
            for _ in 0..<12 {
                for client in clients { try client.send("\(method) / HTTP/1.1\r\nHost: test\r\n\r\n") }
                for client in clients { try #require(try client.receiveResponse().status == 200) }
            }
            for client in clients { client.close() }
            #expect(origins.map(\.requests.count).reduce(0, +) == 64 * 12)
            _ = try balancer.logLine(64 * 12 - 1)
            #expect(balancer.log.count { $0.contains(" connection_refused ") } >= 64 * 12 / 3 - 64)
        }
    }
}
