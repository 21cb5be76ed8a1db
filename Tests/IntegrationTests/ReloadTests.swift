// Tests of settings that change while the program runs.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct ReloadTests {
    /// A balancer whose settings stand in a file.
    private struct Running {
        let balancer: CurlLB
        let path: String

        init(_ scene: Scene, _ lines: [String], _ environment: [String: String] = [:]) throws {
            path = "\(try scene.folder())/settings.env"
            try Self.write(lines, to: path)
            var environment = environment
            environment["LB_ENV_FILE"] = path
            balancer = try scene.curlLB([String](), environment)
        }

        private static func write(_ lines: [String], to path: String) throws {
            try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        }

        /// Puts another file into its place, asks for it to be read, and waits for the line that says what came of it.
        func change(_ lines: [String], signal: Bool = true, until words: String) throws {
            let before = balancer.process.standardError.lines.count
            try Self.write(lines, to: path)
            if signal { balancer.process.send(SIGHUP) }
            try eventually("\(words) in: \(balancer.process.standardError.text)") {
                balancer.process.standardError.lines.dropFirst(before).contains { $0.contains(words) }
            }
        }
    }

    private func list(_ origins: [ScriptedOrigin], _ options: String = "") -> String {
        "LB_BACKENDS=" + origins.map { "\($0.url)\(options)" }.joined(separator: " ")
    }

    @Test func `backends come and go under load without a failed request, and who stays keeps every connection`() throws
    {
        try Scene.play { scene in
            let origins = try (0..<4).map { _ in try scene.origin() }
            let running = try Running(
                scene,
                [list(Array(origins[0...1])), "LB_UPSTREAM_IDLE=60s"],
                ["LB_WORKERS": "2", "LB_RETRIES": "0"]
            )
            let clients = BusyClients(8, at: running.balancer.address)
            for members in [[0, 2], [0, 2, 3], [0], [0, 1, 3]] {
                try running.change(
                    [list(members.map { origins[$0] }), "LB_UPSTREAM_IDLE=60s"],
                    until: "is in force: LB_BACKENDS: "
                )
                try clients.wait()
                for index in 1..<4 where !members.contains(index) {
                    try eventually("the end of the connections to \(index)") { origins[index].openConnections == 0 }
                }
            }
            try running.change(
                [
                    list([origins[0], origins[1], origins[3]], ";weight=3"), "LB_POLICY=random_two",
                    "LB_UPSTREAM_IDLE=60s",
                ],
                until: "LB_POLICY=random_two (was round_robin)"
            )
            try clients.wait()
            try clients.stop()
            #expect(clients.failures.all == [])
            #expect(origins[0].connections <= 8, "no more than there were requests at a time")
            #expect(origins[0].openConnections == origins[0].connections)
        }
    }

    @Test(arguments: ["on", "off"])
    func `all backends at once may be others, that were never checked`(panic: String) throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let running = try Running(
                scene,
                [list([origins[0]])],
                ["LB_HEALTH": "on", "LB_PANIC": panic, "LB_HEALTH_INTERVAL": "100ms"]
            )
            let clients = BusyClients(4, at: running.balancer.address)
            for turn in 1...6 {
                try running.change([list([origins[turn % 2]])], until: "is in force: ")
                try clients.wait(for: 20)
            }
            try clients.stop()
            #expect(clients.failures.all == [])
            #expect(try running.balancer.get().body.text == "a")
        }
    }

    @Test func `an invalid file changes nothing, and each problem is told with file and line`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let running = try Running(scene, [list([origins[0]])])
            for part in [":2: ", ":3: ", "the settings stay as they are"] { scene.expectLine(containing: part) }
            try running.change(
                [list([origins[1]]), "LB_RETRIES=x", "LB_WORKER=1"],
                until: "the settings stay as they are, because of these 2 problems"
            )
            let lines = running.balancer.process.standardError.lines
            #expect(lines.contains { $0.contains("\(running.path):2: LB_RETRIES=\"x\": expected a whole number") })
            #expect(
                lines.contains {
                    $0.contains("\(running.path):3: LB_WORKER is not a setting; did you mean LB_WORKERS?")
                }
            )
            #expect(try running.balancer.get().body.text == "a")
            try running.change([list([origins[1]])], until: "is in force: ")
            #expect(try running.balancer.get().body.text == "b")
        }
    }

    @Test func `a log that cannot be opened changes nothing either`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let running = try Running(scene, [list([origins[0]])])
            scene.expectLine(containing: "LB_ACCESS_LOG=/proc/curl-lb.log: ")
            scene.expectLine(containing: "the settings stay as they are")
            try running.change(
                [list([origins[1]]), "LB_ACCESS_LOG=/proc/curl-lb.log"],
                until: "the settings stay as they are, because of it"
            )
            #expect(try running.balancer.get().body.text == "a")
        }
    }

    @Test func `a file that is renamed into place is seen without a signal`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let running = try Running(scene, [list([origins[0]])])
            try running.change([list([origins[1]])], signal: false, until: "is in force: ")
            #expect(try running.balancer.get().body.text == "b")
        }
    }

    @Test func `what needs a restart is named, and the rest is in force`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let running = try Running(scene, [list([origins[0]])])
            scene.expectLine(containing: "needs a restart or --takeover")
            try running.change(
                [list([origins[1]]), "LB_WORKERS=2"],
                until: "the other value of LB_WORKERS needs a restart or --takeover"
            )
            #expect(try running.balancer.get().body.text == "b")
        }
    }

    @Test func `a signal without anything new is answered`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()])
            balancer.process.send(SIGHUP)
            try eventually("the word") {
                balancer.process.standardError.text.contains(
                    "the environment: nothing has changed (LB_ENV_FILE names none that could)"
                )
            }
            #expect(try balancer.get().status == 200)
        }
    }

    @Test func `other limits and times hold for what begins afterwards`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let running = try Running(scene, [list([origin]), "LB_RETRIES=0"])
            let patient = try running.balancer.connect()
            try patient.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request") { origin.requests.count == 1 }
            try running.change(
                [list([origin]), "LB_RETRIES=0", "LB_RESPONSE_TIMEOUT=50ms", "LB_MAX_FIELDS=16"],
                until: "LB_RESPONSE_TIMEOUT=50ms (was 30s)"
            )
            #expect(try running.balancer.get().status == 504)
            let many = (0..<20).map { "X-\($0): y\r\n" }.joined()
            let request = "GET / HTTP/1.1\r\nHost: test\r\n\(many)Connection: close\r\n\r\n"
            #expect(try running.balancer.response(to: request).status == 431)
            try running.change([list([origin]), "LB_MAX_CONNECTIONS=1"], until: "LB_MAX_CONNECTIONS=1 (was ")
            scene.expectLine(containing: "LB_MAX_CONNECTIONS=1 is reached")
            #expect(try running.balancer.get().status == 503)
            // Begun before all that.
            gate.open()
            #expect(try patient.receiveResponse().status == 200)
            patient.close()
        }
    }

    @Test func `the access log goes elsewhere and looks otherwise, and diagnostics say more`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let running = try Running(scene, [list([origin])])
            let path = "\(try scene.folder())/access.log"
            _ = try running.balancer.get("/first")
            #expect(try running.balancer.logLine().contains("\"GET /first\""))
            try running.change(
                [list([origin]), "LB_ACCESS_LOG=\(path)", "LB_ACCESS_LOG_FORMAT=json", "LB_LOG_LEVEL=debug"],
                until: "LB_ACCESS_LOG=\(path) (was stdout)"
            )
            _ = try running.balancer.get("/second")
            try eventually("the line in the file") {
                let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
                return text.hasPrefix("{") && text.contains("/second")
            }
            try running.change([list([origin]), "LB_ACCESS_LOG=off"], until: "LB_ACCESS_LOG=off (was ")
            _ = try running.balancer.get("/third")
            try running.change([list([origin])], until: "LB_ACCESS_LOG=stdout (was off)")
            _ = try running.balancer.get("/fourth")
            #expect(try running.balancer.logLine(1).contains("\"GET /fourth\""))
            #expect(try !String(contentsOfFile: path, encoding: .utf8).contains("/third"))
        }
    }

    @Test func `fields that lines have, or have not, or have again, are those of their own requests`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let with = [list([origin]), "LB_ACCESS_LOG_FORMAT=json", "LB_ACCESS_LOG_FIELDS=target,user_agent,wait_ms"]
            let without = [list([origin]), "LB_ACCESS_LOG_FORMAT=json", "LB_ACCESS_LOG_FIELDS=target"]
            let running = try Running(scene, with)
            /// Asks as a program that has a name or none, and returns the line.
            func line(of program: String?, _ number: Int) throws -> String {
                let client = try running.balancer.connect()
                let field = program.map { "User-Agent: \($0)\r\n" } ?? ""
                try client.send("GET /\(number) HTTP/1.1\r\nHost: test\r\n\(field)\r\n")
                #expect(try client.receiveResponse().status == 200)
                client.close()
                return try running.balancer.logLine(number)
            }
            let first = try line(of: "one/1", 0)
            #expect(first.hasPrefix("{\"target\":\"/0\",\"user_agent\":\"one/1\",\"wait_ms\":"))
            try running.change(without, until: "LB_ACCESS_LOG_FIELDS=target (was ")
            #expect(try line(of: "two/2", 1) == "{\"target\":\"/1\"}")
            try running.change(with, until: "(was target)")
            let third = try line(of: nil, 2)
            #expect(third.hasPrefix("{\"target\":\"/2\",\"wait_ms\":") && !third.contains("two/2"))
        }
    }

    @Test func `who is trusted, and how clients are bound, changes on kept connections, too`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let running = try Running(scene, [list([origin])])
            scene.expectLine(containing: "set LB_STICKY_SECRET")
            let client = try running.balancer.connect()
            let ask = "GET / HTTP/1.1\r\nHost: test\r\nX-LB-Explain: 1\r\n\r\n"
            try client.send(ask)
            let first = try client.receiveResponse()
            #expect(first["X-LB-Explain"] == nil && first["Set-Cookie"] == nil)
            try running.change(
                [list([origin]), "LB_TRUSTED=127.0.0.1", "LB_STICKY=cookie"],
                until: "LB_STICKY=cookie (was off)"
            )
            try client.send(ask)
            let second = try client.receiveResponse()
            #expect(second["X-LB-Explain"] != nil)
            let cookie = try #require(second["Set-Cookie"]?.prefix { $0 != ";" })
            // Nothing that the token is made of has changed.
            try running.change(
                [list([origin]), "LB_TRUSTED=127.0.0.1", "LB_STICKY=cookie", "LB_RETRIES=1"],
                until: "LB_RETRIES=1 (was 2)"
            )
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nCookie: \(cookie)\r\n\r\n")
            #expect(try client.receiveResponse()["Set-Cookie"] == nil)
            try running.change([list([origin])], until: "LB_STICKY=off (was cookie)")
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.receiveResponse()["Set-Cookie"] == nil)
            client.close()
        }
    }

    @Test func `health checks that are switched on take nobody out before one has failed`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let dead = try scene.refusingURL()
            let backends = list(origins) + " \(dead)"
            let running = try Running(scene, [backends, "LB_PANIC=off"])
            scene.expectLine(containing: " is down, was up: ")
            let clients = BusyClients(4, at: running.balancer.address)
            try running.change(
                [backends, "LB_PANIC=off", "LB_HEALTH=on", "LB_HEALTH_PATH=/", "LB_HEALTH_INTERVAL=100ms"],
                until: "is down, was up: "
            )
            try clients.wait()
            try running.change([backends, "LB_PANIC=off"], until: "LB_HEALTH=off (was on)")
            try clients.wait()
            try clients.stop()
            #expect(clients.failures.all == [])
        }
    }
}
