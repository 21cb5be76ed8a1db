// Tests of one process taking over from another.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct TakeoverTests {
    private let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    /// Another process in place of a running one.
    private func successor(
        _ scene: Scene,
        of balancer: CurlLB,
        _ origins: [ScriptedOrigin],
        _ environment: [String: String] = [:]
    ) throws -> CurlLB {
        let listen = ["LB_LISTEN": "127.0.0.1:\(balancer.port)"].merging(environment) { $1 }
        return try scene.curlLB(origins.map(\.url), listen, arguments: ["--takeover"])
    }

    @Test func `one process after the other takes over under load, and no request fails`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            var balancer = try scene.curlLB([origins[0]], ["LB_WORKERS": "2"])
            let kept = BusyClients(6, at: balancer.address)
            let hasty = BusyClients(3, at: balancer.address, requests: 1)
            for turn in 1...4 {
                let next = try successor(
                    scene,
                    of: balancer,
                    [origins[turn % 2]],
                    ["LB_WORKERS": "\(turn % 3 + 1)", "LB_HEALTH": "on"]
                )
                #expect(next.process.standardError.text.contains("taken over from process \(balancer.process.pid);"))
                try kept.wait()
                try hasty.wait()
                #expect(try balancer.process.waitForExit() == .code(0))
                balancer = next
            }
            try kept.stop()
            try hasty.stop()
            #expect(kept.failures.all == [] && hasty.failures.all == [])
            #expect(try balancer.get().body.text == "a")
        }
    }

    @Test func `what is in flight ends well where it was begun, and the next request is the other process's`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let old = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("old"))
            }
            let new = try scene.origin(answering: Reply.ok("new"))
            let balancer = try scene.curlLB([old])
            let client = try balancer.connect()
            try client.send(get)
            try eventually("the request at the origin") { old.requests.count == 1 }
            let next = try successor(scene, of: balancer, [new])
            #expect(try next.get().body.text == "new")
            #expect(balancer.process.exitStatus == nil)
            gate.open()
            let response = try client.receiveResponse()
            #expect(response.body.text == "old" && response["Connection"] == "close")
            client.close()
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.log.count == 1 && next.log.count == 1)
        }
    }

    @Test(
        "a process that fails before it is ready has not been",
        arguments: [["LB_RETRIES": "many"], ["LB_ACCESS_LOG": "/proc/curl-lb.log"], ["LB_LISTEN": "PORT 192.0.2.1:1"]]
    )
    func failing(environment: [String: String]) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let clients = BusyClients(4, at: balancer.address)
            scene.expectLine(containing: "gone before it was ready; serving on")
            var variables = ["LB_LISTEN": "PORT", "LB_BACKENDS": origin.url].merging(environment) { $1 }
            variables["LB_LISTEN"] = variables["LB_LISTEN"]?.replacing("PORT", with: "127.0.0.1:\(balancer.port)")
            let failing = try scene.program(["--takeover"], environment: variables)
            let status = try failing.waitForExit()
            #expect(status == .code(environment["LB_RETRIES"] == nil ? 1 : 2))
            try clients.wait()
            try clients.stop()
            #expect(clients.failures.all == [])
            #expect(balancer.process.exitStatus == nil)
            // And it can still be taken over from.
            let next = try successor(scene, of: balancer, [origin])
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(try next.get().status == 200)
        }
    }

    @Test func `a path that is listened on stays there`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let folder = try scene.folder()
            let environment = [
                "LB_LISTEN": "unix:\(folder)/front.sock", "LB_TAKEOVER_SOCKET": "\(folder)/takeover.sock",
            ]
            let balancer = try scene.curlLB([origins[0]], environment)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/takeover.sock")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let next = try scene.curlLB([origins[1].url], environment, arguments: ["--takeover"])
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(try next.get().body.text == "b")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["front.sock", "takeover.sock"]
            )
            next.process.send(SIGTERM)
            #expect(try next.process.waitForExit() == .code(0))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test func `where nobody runs, the process begins by itself`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "no process is found that could be taken over from")
            let balancer = try scene.curlLB([try scene.origin().url], arguments: ["--takeover"])
            #expect(try balancer.get().status == 200)
        }
    }

    @Test func `who has been taken over from drains, and a first signal does not cut that short`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            try eventually("the request at the origin") { origin.requests.count == 1 }
            _ = try successor(scene, of: balancer, [try scene.origin()])
            balancer.process.send(SIGTERM)
            try eventually("the word") { balancer.process.standardError.text.contains("draining already") }
            gate.open()
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }

    @Test func `a signal has the program started anew, with the file as it is then`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let path = "\(try scene.folder())/settings.env"
            try "LB_BACKENDS=\(origins[0].url)\nLB_WORKERS=1\n".write(toFile: path, atomically: true, encoding: .utf8)
            let taken = try scene.folder() + "/takeover.sock"
            let balancer = try scene.curlLB(
                [String](),
                [
                    "LB_ENV_FILE": path, "LB_TAKEOVER_SOCKET": taken,
                    "LB_LISTEN": "unix:\(try scene.folder())/front.sock",
                ]
            )
            #expect(try balancer.get().body.text == "a")
            scene.expectLine(containing: "needs a restart or --takeover")
            try "LB_BACKENDS=\(origins[1].url)\nLB_WORKERS=2\n".write(toFile: path, atomically: true, encoding: .utf8)
            balancer.process.send(SIGUSR2)
            try eventually("the successor: \(balancer.process.standardError.text)") {
                balancer.process.standardError.text.contains("taken over from process \(balancer.process.pid)")
            }
            let said = balancer.process.standardError.text
            let start = try #require(said.firstMatch(of: /process (\d+) is started to take over/))
            let pid = try #require(pid_t(start.1))
            scene.atEnd { kill(pid, SIGKILL) }
            try eventually("the end of the former process") { balancer.process.exitStatus == .code(0) }
            let client = try Connection.to(balancer.address)
            try client.send(get)
            #expect(try client.receiveResponse().body.text == "b")
            client.close()
            kill(pid, SIGTERM)
            try eventually("the end of the successor") {
                kill(pid, 0) != 0 || ProcFile("/proc/\(pid)/status").text.contains("Z (zombie)")
            }
        }
    }
}
