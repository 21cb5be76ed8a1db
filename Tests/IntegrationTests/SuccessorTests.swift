// Tests of a process that starts its successor itself (SIGUSR2), whatever the two listen on.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct SuccessorTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

    /// Has a process start its successor, and waits until that one has taken over.
    private func succeed(_ scene: Scene, _ process: ChildProcess) throws -> pid_t {
        process.send(SIGUSR2)
        let pid = try successor(scene, of: process)
        try eventually("the successor: \(process.standardError.text)") {
            process.standardError.text.contains("taken over from process \(process.pid)")
        }
        return pid
    }

    private func successor(_ scene: Scene, of process: ChildProcess) throws -> pid_t {
        var pid: pid_t?
        try eventually("the start: \(process.standardError.text)") {
            let line = process.standardError.text.firstMatch(of: /process (\d+) is started to take over/)
            pid = (line?.1).flatMap { pid_t($0) }
            return pid != nil
        }
        let found = try #require(pid)
        scene.atEnd { kill(found, SIGKILL) }
        return found
    }

    private func end(_ pid: pid_t) throws {
        kill(pid, SIGTERM)
        try eventually("the end of the successor") {
            kill(pid, 0) != 0 || ProcFile("/proc/\(pid)/status").text.contains("Z (zombie)")
        }
    }

    private func body(at address: SocketAddress) throws -> String {
        let client = try Connection.to(address)
        defer { client.close() }
        try client.send(get)
        return try client.receiveResponse().body.text
    }

    @Test(arguments: [["LB_LISTEN": "127.0.0.1:0"], [:]])
    func `a socket unit's addresses go over, whether LB_LISTEN names others or is not set`(
        environment: [String: String]
    ) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let unit = try SocketAddress.loopback(port: 0).bind()
            try #require(listen(unit, 128) == 0)
            let address = SocketAddress.loopback(port: SocketAddress.port(of: unit))
            let variables = ["LB_BACKENDS": origin.url, "LB_ADMIN": "off", "LB_WORKERS": "1", "LB_HEALTH": "off"]
            let process = try ChildProcess(
                Program.curlLB,
                environment: variables.merging(environment) { $1 },
                passing: [unit]
            )
            // The manager's own copy: what is left is the processes'.
            close(unit)
            scene.atEnd { process.kill() }
            try eventually("the start") { process.standardError.text.contains("listening on ") }
            #expect(try body(at: address) == "ok")
            let pid = try succeed(scene, process)
            try eventually("the end of the former process") { process.exitStatus == .code(0) }
            #expect(try body(at: address) == "ok")
            #expect(!process.standardError.text.contains("127.0.0.1:5000"))
            try end(pid)
        }
    }

    @Test func `another LB_LISTEN in the file is the successor's, and the former process ends all the same`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let folder = try scene.folder()
            let path = "\(folder)/settings.env"
            func write(_ index: Int, _ name: String) throws {
                try "LB_BACKENDS=\(origins[index].url)\nLB_LISTEN=unix:\(folder)/\(name)\n"
                    .write(toFile: path, atomically: true, encoding: .utf8)
            }
            try write(0, "first.sock")
            let balancer = try scene.curlLB([String](), ["LB_ENV_FILE": path])
            scene.expectLine(containing: "needs a restart or --takeover")
            try write(1, "second.sock")
            let pid = try succeed(scene, balancer.process)
            try eventually("the end of the former process") { balancer.process.exitStatus == .code(0) }
            #expect(try body(at: .unix(path: "\(folder)/second.sock")) == "b")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/first.sock"))
            try end(pid)
        }
    }

    @Test func `where nobody can take over a signal still has it done`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_TAKEOVER_SOCKET": "off"])
            let pid = try succeed(scene, balancer.process)
            try eventually("the end of the former process") { balancer.process.exitStatus == .code(0) }
            try end(pid)
        }
    }

    @Test func `while one gets ready no other is started, and what ends is told`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let isHeld = Gate()
            let origin = try scene.origin { _, connection in
                if isHeld.isOpen { try gate.wait() }
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB(
                [origin.url],
                ["LB_HEALTH": "on", "LB_HEALTH_PATH": "/", "LB_HEALTH_TIMEOUT": "60s", "LB_HEALTH_INTERVAL": "1h"]
            )
            for words in ["gone before it was ready", "has ended by exit code 0", "no other one is started"] {
                scene.expectLine(containing: words)
            }
            isHeld.open()
            balancer.process.send(SIGUSR2)
            let pid = try successor(scene, of: balancer.process)
            try eventually("the question") {
                balancer.process.standardError.text.contains("another process wants to take over")
            }
            balancer.process.send(SIGUSR2)
            try eventually("the refusal") {
                balancer.process.standardError.text.contains(
                    "process \(pid) is getting ready to take over; no other one is started meanwhile"
                )
            }
            kill(pid, SIGTERM)
            try eventually("the word") {
                balancer.process.standardError.text.contains(
                    "process \(pid), which was to take over, has ended by exit code 0"
                )
            }
            gate.open()
            #expect(try balancer.get().status == 200)
        }
    }
}
