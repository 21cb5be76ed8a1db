// Tests of second attempts that are the only one before they are connected: they have the whole request.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct HedgeTakeoverTests {
    private static let settings = [
        "LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "1", "LB_CONNECT_TIMEOUT": "60s",
    ]

    /// Reads a request and answers with its body.
    private static let echo: @Sendable (Connection) throws -> Void = { connection in
        let request = try connection.receiveRequest()
        try connection.send(Reply.ok(request.body.text))
    }

    /// A backend that is reached when the gate is open: it is behind a proxy, which it plays itself.
    private func late(_ gate: Gate, in scene: Scene, _ script: @escaping ScriptedOrigin.Script) throws -> ScriptedOrigin
    {
        try scene.origin { connection, number in
            _ = try connection.receiveHead()
            try gate.wait()
            try connection.send("HTTP/1.1 200 Connected\r\n\r\n")
            try script(connection, number)
        }
    }

    private func backend(behind proxy: ScriptedOrigin) -> String { "http://late.test:80;proxy=http://\(proxy.name)" }

    /// How the first attempt comes to its end.
    enum Way: String, CaseIterable, Sendable {
        case reset
        case silent
        case setAside

        var settings: [String: String] {
            switch self {
            case .reset: [:]
            case .silent: ["LB_RESPONSE_TIMEOUT": "2s", "LB_IDLE_TIMEOUT": "60s"]
            case .setAside: ["LB_RETRY_ON": "gateway"]
            }
        }

        func play(_ connection: Connection) throws {
            switch self {
            case .reset:
                connection.reset()
            case .silent:
                _ = try connection.isAtEnd()
            case .setAside:
                try connection.send("HTTP/1.1 503 Sorry\r\nContent-Length: 5\r\n\r\nn")
                _ = try connection.isAtEnd()
            }
        }
    }

    private static let bodies = [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-End: 1\r\n\r\n",
        "\r\n",
    ]

    @Test(
        "a second attempt that takes over before it is connected sends all of the request",
        arguments: Way.allCases,
        bodies
    )
    func takeover(way: Way, rest: String) throws {
        try Scene.play { scene in
            let (ends, connects) = (Gate(), Gate())
            let first = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try ends.wait()
                try way.play(connection)
            }
            let second = try late(connects, in: scene) { connection, _ in try Self.echo(connection) }
            let balancer = try scene.curlLB(
                [first.url, backend(behind: second)],
                Self.settings.merging(way.settings) { $1 }
            )
            let client = try balancer.connect()
            try client.send("QUERY / HTTP/1.1\r\nHost: test\r\n\(rest)")
            try eventually("both attempts") { first.requests.count == 1 && second.heads.count == 1 }
            ends.open()
            // The client's connection is left, and that of the second attempt.
            try eventually("the end of the first attempt") { balancer.process.connectionCount == 2 }
            connects.open()
            let body = rest.count > 2 ? "hello" : ""
            #expect(try client.receiveResponse().body.text == body)
            #expect(second.requests.map(\.body.text) == [body])
            #expect(second.requests.map(\.trailers) == first.requests.map(\.trailers))
            #expect(try balancer.logLine().contains(" attempts=2 failed=[\(first.name) "))
            client.close()
        }
    }

    @Test func `a traced second attempt that begins anew on a fresh connection sends all of the request`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let (ends, connects) = (Gate(), Gate())
            let first = try scene.origin { connection, number in
                _ = try connection.receiveRequest()
                if number == 0 { _ = try connection.isAtEnd() }
                try ends.wait()
            }
            // Its first connection is there at once, and ends unanswered when it is used again.
            let second = try scene.origin { connection, number in
                _ = try connection.receiveHead()
                if number > 0 { try connects.wait() }
                try connection.send("HTTP/1.1 200 Connected\r\n\r\n")
                try Self.echo(connection)
                if number == 0 { _ = try connection.receiveRequest() }
            }
            let balancer = try scene.curlLB(
                [first.url, backend(behind: second)],
                Self.settings.merging(["LB_OTLP_ENDPOINT": endpoint.url]) { $1 }
            )
            let query = "QUERY / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
            let client = try balancer.connect()
            try client.send(query)
            #expect(try client.receiveResponse().body.text == "hello")
            try client.send(query)
            try eventually("the fresh connection") { second.connections == 2 && first.requests.count == 2 }
            ends.open()
            try eventually("the end of the first attempt") { first.openConnections == 0 }
            connects.open()
            #expect(try client.receiveResponse().body.text == "hello")
            #expect(second.requests.map(\.body.text) == ["hello", "hello", "hello"])
            client.close()
            _ = try balancer.countsAtTheEnd()
            #expect(collector.problems == [])
        }
    }

    @Test func `a second attempt that is not connected in time leaves the first one its own time`() throws {
        try Scene.play { scene in
            let first = try scene.origin { _, connection in _ = try connection.isAtEnd() }
            let second = try late(Gate(), in: scene) { _, _ in }
            let balancer = try scene.curlLB(
                [first.url, backend(behind: second)],
                Self.settings.merging(["LB_IDLE_TIMEOUT": "100ms", "LB_RESPONSE_TIMEOUT": "1s"]) { $1 }
            )
            let response = try balancer.get()
            #expect(response.status == 504 && response.body.text.contains("Reason: http_response_timeout"))
            let line = try balancer.logLine()
            #expect(line.contains(" failed=[late.test:80 connection_timeout "), "\(line)")
            #expect(line.contains(", \(first.name) http_response_timeout "), "\(line)")
        }
    }

    // MARK: Connections that take long

    @Test func `a connection that takes longer than LB_HEDGE is made all the same, once, and used`() throws {
        try Scene.play { scene in
            let connects = Gate()
            let slow = try late(connects, in: scene) { connection, _ in
                while try !connection.isAtEnd() {
                    _ = try connection.receiveRequest()
                    try connection.send(Reply.ok("slow"))
                }
            }
            let fast = try scene.origin(answering: Reply.ok("fast"))
            let balancer = try scene.curlLB([backend(behind: slow), fast.url], Self.settings)
            for _ in 0..<3 { #expect(try balancer.get().body.text == "fast") }
            // Who comes later goes on with the connection that is being made.
            #expect(slow.connections == 1)
            connects.open()
            try eventually("an answer of the backend") { try balancer.get().body.text == "slow" }
            #expect(slow.connections == 1)
        }
    }

    @Test func `a connection that is made for nobody and cannot be made is nobody's failure`() throws {
        try Scene.play { scene in
            let fails = Gate()
            let failing = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try fails.wait()
                try connection.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
            }
            let fast = try scene.origin(answering: Reply.ok("fast"))
            let balancer = try scene.curlLB([backend(behind: failing), fast.url], Self.settings)
            #expect(try balancer.get().body.text == "fast")
            fails.open()
            try eventually("the connection's end") { failing.openConnections == 0 }
            #expect(try balancer.get().body.text == "fast")
            #expect(try !balancer.logLine().contains("failed="))
        }
    }
}
