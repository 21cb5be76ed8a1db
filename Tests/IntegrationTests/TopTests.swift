// Tests of `curl-lb top --once` against a running balancer. A terminal has a trial of its own (scripts/trials/top.py).

import Testing

@Suite(.timeLimit(.minutes(5))) struct TopTests {
    private static let once = ["top", "--once", "--interval", "100ms"]

    private func run(
        _ scene: Scene,
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let process = try scene.process(Program.curlLB, Self.once + arguments, environment: environment)
        let status = try process.waitForExit()
        return (status, process.standardOutput?.text ?? "", process.standardError.text)
    }

    @Test func `the balancer and its backends are shown`() throws {
        try Scene.play { scene in
            let one = try scene.origin()
            let refusing = try scene.refusingURL()
            let balancer = try scene.curlLB(
                [one.url, "\(refusing);name=two"],
                ["LB_ADMIN": "127.0.0.1:0", "LB_NAME": "edge-1"]
            )
            for _ in 0..<4 { _ = try balancer.get() }
            guard case .loopback(let port) = try balancer.admin.address else { throw Disappointment("no port") }
            let run = try run(scene, ["--admin", "http://127.0.0.1:\(port)"])
            #expect(run.status == .code(0) && run.error.isEmpty)
            let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines[0].hasPrefix("edge-1  curl-lb 0.1.0  round_robin  up "))
            #expect(lines[1].contains(" requests/s  ") && lines[1].hasSuffix(" connections"))
            #expect(lines[3].hasPrefix("BACKEND") && lines[3].hasSuffix("LAST CHECK"))
            #expect(lines[4].hasPrefix(one.name) && lines[5].hasPrefix("two "))
            #expect(!run.output.contains("\u{1B}"))
            // The same by the setting that the balancer has.
            #expect(try self.run(scene, [], ["LB_ADMIN": "127.0.0.1:\(port)"]).status == .code(0))
        }
    }

    @Test func `a socket and a token lead to it, too`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/admin.sock"
            let token = "open-sesame-open-sesame"
            _ = try scene.curlLB([try scene.origin()], ["LB_ADMIN": "unix:\(path)", "LB_ADMIN_TOKEN": token])
            let place = ["--admin", "unix:\(path)"]
            #expect(try run(scene, place, ["LB_ADMIN_TOKEN": token]).status == .code(0))
            let nobody = try run(scene, place)
            #expect(nobody.status == .code(1) && nobody.output.isEmpty)
            #expect(nobody.error == "curl-lb top: unix:\(path) asks for its token: --token-file, or LB_ADMIN_TOKEN\n")
            let stranger = try run(scene, place, ["LB_ADMIN_TOKEN": "another-token-of-somebody"])
            #expect(stranger.error == "curl-lb top: unix:\(path) refuses the token\n")
        }
    }

    @Test func `what is no balancer, or not there, is told in a line`() throws {
        try Scene.play { scene in
            let refusing = try scene.refusingURL()
            let nobody = try run(scene, ["--admin", refusing])
            #expect(nobody.status == .code(1))
            #expect(nobody.error.hasPrefix("curl-lb top: no answer from \(refusing): "))
            #expect(nobody.error.split(separator: "\n").count == 1)
            let origin = try scene.origin(answering: Reply.ok("{}"))
            let stranger = try run(scene, ["--admin", origin.url])
            #expect(stranger.error == "curl-lb top: what \(origin.url) answers is no state of curl-lb\n")
            let piped = try scene.process(Program.curlLB, ["top", "--admin", refusing])
            #expect(try piped.waitForExit() == .code(1))
            #expect(piped.standardError.text.contains("standard output is no terminal; --once"))
        }
    }
}
