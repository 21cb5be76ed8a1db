// Tests that nothing that becomes of telemetry stops the traffic, and that what is lost is counted.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct TelemetryLossTests {
    // MARK: Collectors

    /// What becomes of the requests to a collector.
    enum Fault: String, CaseIterable, Sendable {
        case refusesConnections
        case neverAnswers
        case answers500
        case answers401
        case answersNonsense
        case closes
    }

    private func endpoint(_ fault: Fault, in scene: Scene) throws -> String {
        switch fault {
        case .refusesConnections: try scene.refusingURL()
        case .neverAnswers: try scene.origin { connection, _ in _ = try connection.drainToEnd() }.url
        case .answers500: try scene.origin(answering: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").url
        case .answers401: try scene.origin(answering: "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").url
        case .answersNonsense: try scene.origin(answering: "nonsense\r\n\r\n").url
        case .closes: try scene.origin { connection, _ in _ = try connection.receiveHead() }.url
        }
    }

    @Test("a collector that is of no use costs spans, and nothing else", arguments: Fault.allCases)
    func collector(fault: Fault) throws {
        try Scene.play { scene in
            scene.expectLine(containing: "spans are lost: ")
            scene.expectLine(containing: "spans cannot be exported: ")
            let endpoint = try endpoint(fault, in: scene)
            let balancer = try scene.curlLB([try scene.origin()], ["LB_OTLP_ENDPOINT": endpoint, "LB_WORKERS": "2"])
            for _ in 0..<40 { #expect(try balancer.get().status == 200) }
            // Also while it is being told.
            try eventually("a word about it") {
                balancer.process.standardError.text.contains("spans cannot be exported: ")
                    || balancer.process.standardError.text.contains("spans are lost: ")
            }
            for _ in 0..<10 { #expect(try balancer.get().status == 200) }
            #expect(try balancer.countsAtTheEnd().lost == ["spans": 100])
            let words = balancer.process.standardError.lines.filter { $0.contains("spans are lost: ") }
            #expect((1...2).contains(words.count), "once a minute, and at the end")
        }
    }

    // MARK: The log

    /// Sends requests whose log lines are long, so that a pipe and its queue are full soon.
    private func flood(_ balancer: CurlLB, requests: Int) throws {
        // Each of these takes two bytes of the log.
        let target = "/" + String(repeating: "\"", count: 15_000)
        let client = try balancer.connect()
        defer { client.close() }
        for _ in 0..<requests {
            try client.send("GET \(target) HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.receiveResponse().status == 200)
        }
    }

    @Test func `a reader that is stuck costs log lines, and nothing else`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines")
            let path = "\(try scene.folder())/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            scene.atEnd { close(reader) }
            let balancer = try scene.curlLB(
                [try scene.origin()],
                ["LB_ACCESS_LOG": path, "LB_ACCESS_LOG_FIELDS": "request,target,id"]
            )
            // More than the pipe and what may wait for it, twice, hold.
            try flood(balancer, requests: 400)
            try eventually("a word about it") {
                balancer.process.standardError.text.contains(
                    "the access log loses lines: it is not written fast enough"
                )
            }
            #expect(try balancer.get().status == 200)
            let lost = try balancer.countsAtTheEnd().lost["log lines"] ?? 0
            #expect((1...401).contains(lost))
        }
    }

    @Test func `a disk that was full gets lines again, each of them whole`() throws {
        guard geteuid() == 0 else {
            print("not run: only root may mount a small file system")
            return
        }
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines: No space left on device")
            let folder = try scene.folder()
            let mount = try ChildProcess("/bin/mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
            guard try mount.waitForExit() == .code(0) else {
                print("not run: no small file system can be mounted here: \(mount.standardError.text)")
                return
            }
            scene.atEnd { umount2(folder, CInt(MNT_DETACH)) }
            let path = "\(folder)/access.log"
            // Room for a line and a half.
            try Data(count: 60 << 10).write(to: URL(fileURLWithPath: "\(folder)/filler"))
            let balancer = try scene.curlLB(
                [try scene.origin()],
                ["LB_ACCESS_LOG": path, "LB_ACCESS_LOG_FORMAT": "json"]
            )
            for _ in 0..<40 { #expect(try balancer.get().status == 200) }
            try eventually("a word about it") { balancer.process.standardError.text.contains("No space left") }
            try FileManager.default.removeItem(atPath: "\(folder)/filler")
            for _ in 0..<20 { #expect(try balancer.get("/later").status == 200) }
            try eventually("its end") { balancer.process.standardError.text.contains("is being written again") }
            let lost = try balancer.countsAtTheEnd().lost["log lines"] ?? 0
            #expect((1...40).contains(lost))
            // One line may have been cut; it is a line of its own.
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            let broken = lines.filter { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) == nil }
            #expect(broken.count <= 1)
            #expect(lines.count { $0.contains("\"/later\"") } == 20)
            #expect(lines.count - broken.count == 60 - lost)
        }
    }

    @Test func `what one log has lost is still counted when another one takes its place`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines: No space left on device")
            let path = "\(try scene.folder())/settings.env"
            let origin = try scene.origin()
            func write(_ log: String) throws {
                try "LB_BACKENDS=\(origin.url)\nLB_ACCESS_LOG=\(log)\n".write(
                    toFile: path,
                    atomically: true,
                    encoding: .utf8
                )
            }
            try write("/dev/full")
            let balancer = try scene.curlLB([String](), ["LB_ENV_FILE": path, "LB_ADMIN": "127.0.0.1:0"])
            for _ in 0..<3 { #expect(try balancer.get().status == 200) }
            try eventually("the loss") {
                try balancer.metrics().contains("\ncurl_lb_access_log_lines_lost_total 3\n")
            }
            try write("/dev/null")
            balancer.process.send(SIGHUP)
            try eventually("the other log") {
                balancer.process.standardError.text.contains("LB_ACCESS_LOG=/dev/null (was /dev/full)")
            }
            #expect(try balancer.get().status == 200)
            #expect(try balancer.metrics().contains("\ncurl_lb_access_log_lines_lost_total 3\n"))
            #expect(try balancer.countsAtTheEnd().lost == ["log lines": 3])
        }
    }

    @Test("standard output and error by their names in /dev may be sockets", arguments: ["stdout", "stderr"])
    func sockets(name: String) throws {
        try Scene.play { scene in
            // As under systemd: both are sockets here.
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": "/dev/\(name)"])
            #expect(try balancer.get("/seen").status == 200)
            try eventually("the line") {
                let lines = name == "stdout" ? balancer.log : balancer.process.standardError.lines
                return lines.contains { $0.contains("/seen") }
            }
            #expect(try balancer.countsAtTheEnd().lost.isEmpty)
        }
    }

    @Test func `/dev/full loses every line, and the last word tells how many`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines: No space left on device")
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": "/dev/full", "LB_WORKERS": "2"])
            for _ in 0..<30 { #expect(try balancer.get().status == 200) }
            #expect(try balancer.countsAtTheEnd().lost == ["log lines": 30])
        }
    }
}
