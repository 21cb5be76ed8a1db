// Tests of takeovers that come to nothing, and of signals and ends in the middle of one: somebody always serves.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct TakeoverFailureTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    /// What has a process wait for its first health checks until they are answered.
    private static let patientChecks = ["LB_HEALTH": "on", "LB_HEALTH_PATH": "/health", "LB_HEALTH_TIMEOUT": "60s"]

    /// An origin that answers health checks when a gate is open, and everything else at once.
    private func origin(_ scene: Scene, _ gate: Gate, _ name: String = "ok") throws -> ScriptedOrigin {
        try scene.origin { request, connection in
            if request.startLine.contains(" /health ") { try gate.wait() }
            try connection.send(Reply.ok(name))
        }
    }

    private func said(_ balancer: CurlLB, _ words: String, times: Int = 1) throws {
        try eventually("\(words) in: \(balancer.process.standardError.text)") {
            balancer.process.standardError.lines.count { $0.contains(words) } >= times
        }
    }

    /// A process that is on its way to take over, and waits for a health check.
    private func hesitant(
        _ scene: Scene,
        of balancer: CurlLB,
        _ origin: ScriptedOrigin,
        _ environment: [String: String] = [:]
    ) throws -> ChildProcess {
        var variables = ["LB_BACKENDS": origin.url, "LB_LISTEN": "127.0.0.1:\(balancer.port)"]
        variables.merge(Self.patientChecks) { $1 }
        variables.merge(environment) { $1 }
        let process = try scene.program(["--takeover"], environment: variables)
        try said(balancer, "another process wants to take over")
        try eventually("its health check") { origin.requests.contains { $0.startLine.contains(" /health ") } }
        return process
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a process that is ended before it has taken over leaves the other one as it was`(signal: CInt) throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try origin(scene, gate)
            let balancer = try scene.curlLB([origin])
            scene.expectLine(containing: "gone before it was ready; serving on")
            let process = try hesitant(scene, of: balancer, origin)
            process.send(signal)
            #expect(try process.waitForExit() == .code(0))
            try said(balancer, "gone before it was ready; serving on")
            #expect(!gate.isOpen && balancer.process.exitStatus == nil)
            #expect(try balancer.get().status == 200)
            gate.open()
        }
    }

    @Test func `a process that is ended before it serves ends at once, and leaves no file`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try origin(scene, gate)
            let path = "\(try scene.folder())/front.sock"
            let variables = [
                "LB_BACKENDS": origin.url, "LB_LISTEN": "unix:\(path)",
            ].merging(Self.patientChecks) { $1 }
            let process = try scene.program([], environment: variables)
            try eventually("its health check") { origin.requests.count == 1 }
            process.send(SIGTERM)
            #expect(try process.waitForExit() == .code(0))
            #expect(!gate.isOpen && !FileManager.default.fileExists(atPath: path))
            gate.open()
        }
    }

    @Test func `the other process may end meanwhile, and the path is the one's that goes on`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try origin(scene, gate)
            let path = "\(try scene.folder())/front.sock"
            let listen = ["LB_LISTEN": "unix:\(path)"]
            let balancer = try scene.curlLB([origin], listen)
            let process = try hesitant(scene, of: balancer, origin, listen)
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            // It waits until somebody accepts.
            let client = try Connection.to(.unix(path: path))
            try client.send(get)
            gate.open()
            #expect(try client.receiveResponse().status == 200)
            client.close()
            try eventually("the word") {
                process.standardError.text.contains("taken over from process \(balancer.process.pid), which has ended")
            }
        }
    }

    @Test func `of two that want to take over the later one does, and the other ends`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try origin(scene, gate)
            let balancer = try scene.curlLB([origin])
            scene.expectLine(containing: "not ready in time: another process asks in its place")
            let first = try hesitant(scene, of: balancer, origin)
            let listen = ["LB_LISTEN": "127.0.0.1:\(balancer.port)"]
            let second = try scene.curlLB([origin.url], listen, arguments: ["--takeover"])
            #expect(try balancer.process.waitForExit() == .code(0))
            gate.open()
            #expect(try first.waitForExit() == .code(1))
            #expect(first.standardError.text.contains("serves on: another process asks in its place"))
            #expect(try second.get().status == 200)
        }
    }

    @Test func `who drains is in nobody's way: the next one begins by itself and can be taken over from`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { request, connection in
                if request.startLine.contains(" /slow ") { try gate.wait() }
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request at the origin") { origin.requests.count == 1 }
            balancer.process.send(SIGTERM)
            try said(balancer, "draining for at most")
            scene.expectLine(containing: "no process is found that could be taken over from")
            let listen = ["LB_LISTEN": "127.0.0.1:\(balancer.port)"]
            let next = try scene.curlLB([origin.url], listen, arguments: ["--takeover"])
            #expect(try next.get().status == 200 && balancer.process.exitStatus == nil)
            let last = try scene.curlLB([origin.url], listen, arguments: ["--takeover"])
            #expect(last.process.standardError.text.contains("taken over from process \(next.process.pid);"))
            #expect(try next.process.waitForExit() == .code(0))
            gate.open()
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }

    @Test func `who has nothing in flight says that it is gone before it is`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            var balancer = try scene.curlLB([origin.url], ["LB_DRAIN_TIMEOUT": "0"])
            for _ in 0..<5 {
                let listen = ["LB_LISTEN": "127.0.0.1:\(balancer.port)", "LB_DRAIN_TIMEOUT": "0"]
                let next = try scene.curlLB([origin.url], listen, arguments: ["--takeover"])
                let words = "taken over from process \(balancer.process.pid); it finishes what it has"
                #expect(next.process.standardError.text.contains(words))
                balancer = next
            }
        }
    }
}
