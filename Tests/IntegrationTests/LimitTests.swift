// Tests of what clients may not have more of: connections, fields, requests at once, and time.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    private static let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    private func ask(_ connection: Connection) throws -> Int {
        try connection.send(Self.get)
        return try connection.receiveResponse().status
    }

    // MARK: Connections

    @Test(
        "a connection too many is told so, and the next one is served when one has gone",
        arguments: [
            ("LB_MAX_CONNECTIONS", 503, "connection_limit", "connection_limit_reached"),
            ("LB_MAX_PER_CLIENT", 429, "client_connection_limit", "http_request_denied"),
        ]
    )
    func connections(variable: String, status: Int, reason: String, error: String) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], [variable: "2"])
            scene.expectLine(containing: "\(variable)=2 is reached: connections are refused, 1 so far")
            let first = try balancer.connect()
            let second = try balancer.connect()
            #expect(try ask(first) == 200)
            #expect(try ask(second) == 200)
            let third = try balancer.connect()
            let refused = try third.receiveResponse()
            #expect(refused.status == status)
            #expect(refused["Connection"] == "close")
            #expect(refused["Retry-After"] == "1")
            #expect(refused["Proxy-Status"] == "curl-lb; error=\(error)")
            #expect(try balancer.logLine(2).contains(" \"-\" \(status) "))
            #expect(try balancer.logLine(2).contains(" reason=\(reason) "))
            #expect(try third.receiveToEnd().isEmpty)
            third.close()
            #expect(try ask(first) == 200)

            second.close()
            try eventually("a place") { balancer.process.connectionCount <= 2 }
            let fourth = try balancer.connect()
            #expect(try ask(fourth) == 200)
            first.close()
            fourth.close()
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.process.standardError.text.contains("stopped; failures: \(reason) 1\n"))
        }
    }

    // MARK: Descriptors

    @Test func `without descriptors a client is told, and with them it is served again`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], ["LB_UPSTREAM_IDLE": "60s"])
            scene.expectLine(containing: "no connection can be accepted on 127.0.0.1")
            #expect(try balancer.get().status == 200)
            try eventually("rest") { balancer.process.connectionCount == 1 }
            try balancer.process.leaveDescriptors(2)
            let connections = try (0..<20).map { _ in try balancer.connect() }
            defer { for connection in connections { connection.close() } }
            let last = connections[19]
            let refused = try last.receiveResponse()
            #expect(refused.status == 503)
            #expect(refused["Connection"] == "close")
            #expect(try last.receiveToEnd().isEmpty)
            try eventually("the report") { balancer.process.standardError.text.contains("Too many open files") }
            #expect(try ask(connections[0]) == 200)

            for connection in connections { connection.close() }
            try eventually("rest") { balancer.process.connectionCount <= 1 }
            #expect(try balancer.get().status == 200)
        }
    }

    @Test func `without descriptors for a backend the answer says so`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], ["LB_UPSTREAM_IDLE": "0"])
            let connections = try (0..<20).map { _ in try balancer.connect() }
            defer { for connection in connections { connection.close() } }
            for connection in connections { #expect(try ask(connection) == 200) }
            try eventually("rest") { balancer.process.connectionCount == 20 }
            try balancer.process.leaveDescriptors(0)
            let connection = connections[0]
            try connection.send(Self.get)
            let response = try connection.receiveResponse()
            #expect(response.status == 503)
            #expect(response["Proxy-Status"] == "curl-lb; error=proxy_internal_error")
            #expect(try balancer.logLine(20).contains(" reason=open_file_limit "))
        }
    }

    @Test func `clients that take large bodies slowly leave descriptors for others`() throws {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 8 << 20)
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                guard request.startLine.hasPrefix("GET /large ") else {
                    try connection.send(Reply.ok("ok"))
                    return
                }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(8 * body.count)\r\n\r\n")
                for _ in 0..<8 { try connection.send(body) }
            }
            let balancer = try scene.curlLB([origin.url], openFiles: 256)
            let pipes = { balancer.process.descriptors.count { $0.hasPrefix("pipe:") } }
            let before = pipes()
            // Two descriptors for each, which LB_MAX_CONNECTIONS has counted.
            let clients = try (0..<60).map { _ in try balancer.connect(receiveBuffer: 4096) }
            defer { for client in clients { client.close() } }
            for client in clients {
                try client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
                #expect(try client.receiveHead().startLine == "HTTP/1.1 200 OK")
            }
            try eventually("all bodies on their way") { origin.requests.count == 60 }
            try eventually("some of them in pipes") { pipes() > before }
            for _ in 0..<10 { #expect(try balancer.get().status == 200) }
            #expect(pipes() - before <= 256 / 16)
        }
    }

    // MARK: Requests

    @Test func `the number of fields is limited as it is set`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], ["LB_MAX_FIELDS": "16"])
            let lines = { (count: Int) in (1..<count).map { "A: \($0)\r\n" }.joined() }
            #expect(try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\n\(lines(16))\r\n").status == 200)
            let response = try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\n\(lines(17))\r\n")
            #expect(response.status == 431)
            #expect(response.body.text.contains("Reason: too_many_fields"))
        }
    }

    @Test func `requests that arrive together are answered up to the limit, and then the connection ends`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], ["LB_MAX_PIPELINED": "3"])
            let connection = try balancer.connect()
            for _ in 0..<5 { #expect(try ask(connection) == 200) }
            try connection.send(String(repeating: Self.get, count: 5))
            for _ in 0..<3 { #expect(try connection.receiveResponse().status == 200) }
            let refused = try connection.receiveResponse()
            #expect(refused.status == 429)
            #expect(refused["Connection"] == "close")
            #expect(try connection.receiveToEnd().isEmpty)
            #expect(try balancer.logLine(8).contains(" reason=pipelining_limit "))
            #expect(origin.requests.count == 8)
        }
    }

    // MARK: Pace

    @Test func `a request body that drips is refused`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(
                [try scene.origin(answering: Reply.ok("ok"))],
                ["LB_BODY_PACE": "1MiB/300ms"]
            )
            let connection = try balancer.connect()
            try connection.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n")
            var sent = 0
            while sent < 10_000, connection.receivedSoFar().isEmpty {
                sent += connection.sendSome("x".bytes)
                usleep(5000)
            }
            let response = try connection.receiveResponse()
            #expect(response.status == 408)
            #expect(response["Connection"] == "close")
            #expect(try balancer.logLine().contains(" reason=request_body_too_slow "))
            connection.close()
        }
    }

    @Test func `a backend that takes a body slowly is not the client's fault`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try gate.wait()
                _ = try connection.receive(32 << 20)
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([origin], ["LB_BODY_PACE": "1KiB/2s"])
            let connection = try balancer.connect()
            try connection.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: \(32 << 20)\r\n\r\n")
            let body = Array(repeating: UInt8(ascii: "x"), count: 32 << 20)
            // As much as fits everywhere; then the backend alone is waited for, for longer than the pace's time.
            var sent = 0
            var pauses = 0
            while pauses < 600 {
                let count = connection.sendSome(body[sent...])
                sent += count
                pauses = count > 0 ? 0 : pauses + 1
                if count <= 0 { usleep(5000) }
            }
            #expect(sent < body.count)
            gate.open()
            try connection.send(Array(body[sent...]))
            #expect(try connection.receiveResponse().status == 200)
            connection.close()
        }
    }

    /// A backend whose response is larger than all buffers on its way.
    private func endlessOrigin(_ scene: Scene) throws -> ScriptedOrigin {
        try scene.origin { _, connection in
            try? connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(64 << 20)\r\n\r\n")
            try? connection.send(Array(repeating: UInt8(ascii: "x"), count: 64 << 20))
        }
    }

    @Test func `a client that sips a response is cut off`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try endlessOrigin(scene)], ["LB_BODY_PACE": "64MiB/500ms"])
            let connection = try balancer.connect(receiveBuffer: 4096)
            try connection.send(Self.get)
            for _ in 0..<2000 where balancer.log.isEmpty {
                _ = connection.discard(65536)
                usleep(5000)
            }
            #expect(try balancer.logLine().contains(" reason=client_read_too_slow "))
            #expect(try connection.drainToEnd() == .reset)
        }
    }

    @Test func `a client that takes nothing at all is cut off sooner`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try endlessOrigin(scene)], ["LB_WRITE_TIMEOUT": "200ms"])
            let connection = try balancer.connect(receiveBuffer: 4096)
            try connection.send(Self.get)
            #expect(try balancer.logLine().contains(" reason=client_read_timeout "))
            #expect(try connection.drainToEnd() == .reset)
        }
    }
}
