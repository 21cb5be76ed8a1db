// Tests of a process's beginning and end: what it takes over, what it finishes, what it leaves behind.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct LifeTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    private func isRefusing(_ address: SocketAddress) -> Bool { (try? Connection.to(address)) == nil }

    /// An exchange in flight: the origin has the request and waits for the gate.
    private func inFlight(
        _ environment: [String: String] = [:],
        _ test: (_ balancer: CurlLB, _ client: Connection, _ gate: Gate) throws -> Void
    ) throws {
        try Scene.play { scene in
            scene.expectLine(containing: "second signal: ending at once")
            let gate = Gate()
            let origin = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([origin], environment)
            let client = try balancer.connect()
            try client.send(get)
            try eventually("the request at the origin") { origin.requests.count == 1 }
            try test(balancer, client, gate)
            client.close()
        }
    }

    // MARK: The end

    @Test("a signal lets the exchange in flight end well", arguments: [SIGTERM, SIGINT])
    func drain(signal: CInt) throws {
        try inFlight { balancer, client, gate in
            balancer.process.send(signal)
            try eventually("the listener to be closed") { isRefusing(balancer.address) }
            #expect(balancer.process.exitStatus == nil)
            gate.open()
            let response = try client.receiveResponse()
            #expect(response.body.text == "ok")
            #expect(response["Connection"] == "close")
            #expect(try client.drainToEnd() == .closed)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.log.count == 1)
        }
    }

    @Test func `a second signal ends it at once`() throws {
        try inFlight { balancer, _, _ in
            balancer.process.send(SIGTERM)
            try eventually("the listener to be closed") { isRefusing(balancer.address) }
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(1))
        }
    }

    @Test func `what has ended before a second signal is in the log, though its worker still has the line`() throws {
        try inFlight(["LB_WORKERS": "1"]) { balancer, _, _ in
            // The first line goes to the log at once, the next ones within a moment: no longer than it takes to end.
            for index in 0..<3 { _ = try balancer.response(to: "GET /\(index) HTTP/1.1\r\n\r\n") }
            balancer.process.send(SIGTERM)
            try eventually("the listener to be closed") { isRefusing(balancer.address) }
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(1))
            #expect(balancer.log.count == 3)
        }
    }

    @Test("what has not ended by the deadline is cut, and the log says by whom", arguments: ["0", "150ms"])
    func deadline(limit: String) throws {
        try inFlight(["LB_DRAIN_TIMEOUT": limit]) { balancer, client, _ in
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            let response = try client.receiveResponse()
            #expect(response.status == 502)
            #expect(response["Retry-After"] == nil, "the backend may have done it")
            let line = try balancer.logLine()
            #expect(line.contains(" reason=stopped_in_flight "))
            #expect(line.contains("failed=["))
        }
    }

    @Test("a response cut at the deadline does not look complete", arguments: ["HTTP/1.0", "HTTP/1.1"])
    func cutAtDeadline(version: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\n\r\nhello")
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin], ["LB_DRAIN_TIMEOUT": "100ms"])
            let client = try balancer.connect()
            try client.send("GET / \(version)\r\nHost: test\r\n\r\n")
            let head = try client.receiveHead()
            _ = try client.receive(through: "hello")
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            let rest = try client.receiveToEnd()
            #expect(!rest.text.contains("0\r\n\r\n"))
            if !head.isChunked { #expect(client.ending == .reset) }
            client.close()
        }
    }

    @Test func `idle connections are closed, after a moment for requests on their way`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let idle = try balancer.connect()
            let late = try balancer.connect()
            for client in [idle, late] {
                try client.send(get)
                #expect(try client.receiveResponse().status == 200)
            }
            balancer.process.send(SIGTERM)
            try eventually("the listener to be closed") { isRefusing(balancer.address) }
            try late.send(get)
            let response = try late.receiveResponse()
            #expect(response.status == 200)
            #expect(response["Connection"] == "close")
            #expect(try late.drainToEnd() == .closed)
            #expect(try idle.receiveToEnd().isEmpty)
            #expect(idle.ending == .closed)
            #expect(try balancer.process.waitForExit() == .code(0))
            for client in [idle, late] { client.close() }
        }
    }

    @Test func `an idle process ends at once`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.refusingURL()], ["LB_WORKERS": "3"])
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }

    // MARK: The beginning

    @Test func `a signal right after the start line ends the process well`() throws {
        try Scene.play { scene in
            for _ in 0..<30 {
                let process = try scene.program(["http://a"], environment: ["LB_LISTEN": "127.0.0.1:0"])
                let deadline = ContinuousClock.now + patience
                while !process.standardError.text.contains("listening on "), ContinuousClock.now < deadline {}
                process.send(SIGTERM)
                #expect(try process.waitForExit() == .code(0))
            }
        }
    }

    @Test func `a port in use is told in one line`() throws {
        try Scene.play { scene in
            let first = try scene.curlLB([try scene.refusingURL()])
            let listen = "127.0.0.1:\(first.port)"
            let second = try scene.program(
                ["http://127.0.0.1:1"],
                environment: ["LB_LISTEN": listen]
            )
            #expect(try second.waitForExit() == .code(1))
            let line = "curl-lb: LB_LISTEN=\(listen): Address already in use: another process listens there;"
            #expect(second.standardError.text == "\(line) stop it, or choose another port\n")
        }
    }

    @Test func `several addresses are listened on`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let folder = try scene.folder()
            let balancer = try scene.curlLB([origin], ["LB_LISTEN": "127.0.0.1:0, unix:\(folder)/lb.sock"])
            #expect(try balancer.get().status == 200)
            let client = try Connection.to(.unix(path: "\(folder)/lb.sock"))
            try client.send(get)
            #expect(try client.receiveResponse().body.text == "ok")
            client.close()
        }
    }

    @Test func `a path is listened on, a stale socket is replaced, and nothing is left`() throws {
        try Scene.play { scene in
            let folder = try scene.folder()
            let path = "\(folder)/lb.sock"
            let stale = try SocketAddress.unix(path: path).bind()
            close(stale)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_LISTEN": "unix:\(path)"])
            #expect(try balancer.get().body.text == "ok")
            #expect(try balancer.logLine().contains(" unix \"GET /\" 200 "))
            #expect(origin.requests.count == 1)

            // One that is in use is not replaced.
            let second = try scene.program(["http://a"], environment: ["LB_LISTEN": "unix:\(path)"])
            #expect(try second.waitForExit() == .code(1))
            #expect(second.standardError.text.hasPrefix("curl-lb: LB_LISTEN=unix:\(path): Address already in use"))
            #expect(try balancer.get().status == 200)

            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `a file in the place of the socket stays`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/precious"
            try "data".write(toFile: path, atomically: true, encoding: .utf8)
            let process = try scene.program(["http://a"], environment: ["LB_LISTEN": "unix:\(path)"])
            #expect(try process.waitForExit() == .code(1))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "data")
        }
    }

    @Test func `the environment's proxy is not for backends`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let proxy = try scene.refusingURL()
            let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
            let balancer = try scene.curlLB([origin], Dictionary(uniqueKeysWithValues: names.map { ($0, proxy) }))
            #expect(try balancer.get().status == 200)
        }
    }
}
