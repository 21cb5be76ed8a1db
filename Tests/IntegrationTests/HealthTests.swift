// Tests of the backends' health with checks and ejections switched on: who is found, taken out, and taken back.

import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct HealthTests {
    /// Checks and ejections as a test wants them: fast.
    private static let checks = ["LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "100ms", "LB_SLOW_START": "0"]
    private static let ejections = ["LB_EJECT": "on", "LB_SLOW_START": "0"]

    /// Whether standard error has a line with all of these parts.
    private func hasSaid(_ balancer: CurlLB, _ parts: String...) -> Bool {
        balancer.process.standardError.lines.contains { line in parts.allSatisfy { line.contains($0) } }
    }

    /// What an origin does with health checks, which is all that it can be told to change.
    private final class Answer: Sendable {
        private let text: Mutex<String>

        init(_ text: String) { self.text = Mutex(text) }

        var value: String {
            get { text.withLock { $0 } }
            set { text.withLock { $0 = newValue } }
        }
    }

    /// An origin that answers requests with its name, and checks of `/up` as it is told.
    private func origin(_ name: String, _ check: Answer, in scene: Scene) throws -> ScriptedOrigin {
        try scene.origin { request, connection in
            let isCheck = request.startLine.hasPrefix("GET /up ")
            try connection.send(isCheck ? check.value : Reply.ok(name))
        }
    }

    private func checks(of origin: ScriptedOrigin) -> Int {
        origin.requests.count { $0.startLine.hasPrefix("GET /up ") }
    }

    /// The answers to requests that come when the worker has taken over what was said before.
    private func answers(_ balancer: CurlLB, _ count: Int) throws -> String {
        _ = try balancer.get()
        var answers = ""
        for _ in 0..<count { answers += try balancer.get().body.text }
        return answers
    }

    // MARK: Active checks

    @Test func `a dead backend is found before the first request`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("a"))
            scene.expectLine(containing: " is down, was unchecked: the first check failed: ")
            let balancer = try scene.curlLB(
                [scene.refusingURL(), origin.url, scene.refusingURL()],
                ["LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "1h"]
            )
            #expect(try answers(balancer, 4) == "aaaa")
            for index in 0..<5 { #expect(try balancer.logLine(index).contains(" attempts=1")) }
            #expect(hasSaid(balancer, "1 of 3 backends are usable"))
            // What only connects is no request, and is closed at once.
            #expect(origin.requests.count == 5)
        }
    }

    @Test func `a backend that stops answering its checks gets nothing, until it answers them again`() throws {
        try Scene.play { scene in
            let good = Reply.ok("fine", fields: "Connection: close\r\n")
            let bad = "HTTP/1.1 503 Not now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            let (one, two) = (Answer(good), Answer(good))
            let origins = [try origin("a", one, in: scene), try origin("b", two, in: scene)]
            scene.expectLine(containing: " is down, was up: 3 checks in a row failed: status 503, expected 200 to 399")
            let balancer = try scene.curlLB(
                origins,
                Self.checks.merging(["LB_HEALTH_PATH": "/up", "LB_HEALTH_BODY": "fine"]) { $1 }
            )
            #expect(try Set(answers(balancer, 4)) == ["a", "b"])
            two.value = bad
            try eventually("b to be down") { hasSaid(balancer, "backend \(origins[1].name) is down") }
            #expect(try answers(balancer, 4) == "aaaa")
            two.value = good
            try eventually("b to be up") { hasSaid(balancer, "backend \(origins[1].name) is up, was down: 2 checks") }
            #expect(try Set(answers(balancer, 4)) == ["a", "b"])
            #expect(
                origins[0].requests.filter { $0.startLine.contains("/up") }.allSatisfy { request in
                    request["User-Agent"] == "curl-lb-health" && request["Host"] == origins[0].name
                }
            )
        }
    }

    @Test func `a backend has a path of its own, and can ask for a drain`() throws {
        try Scene.play { scene in
            let ready = Reply.ok("", fields: "Connection: close\r\n")
            let (one, two) = (Answer(ready), Answer(ready))
            let origins = [try origin("a", one, in: scene), try origin("b", two, in: scene)]
            let balancer = try scene.curlLB(
                [origins[0].url, "\(origins[1].url);health_path=/up"],
                Self.checks.merging(["LB_ADMIN": "127.0.0.1:0"]) { $1 }
            )
            #expect(checks(of: origins[0]) == 0 && checks(of: origins[1]) > 0)
            two.value = Reply.ok("", fields: "X-LB-State: drain\r\nConnection: close\r\n")
            try eventually("the wish") { hasSaid(balancer, "backend \(origins[1].name) asks to be drained") }
            #expect(try answers(balancer, 4) == "aaaa")
            // Whoever looks sees that it takes nothing, and why.
            let name = origins[1].name
            let seen = try balancer.admin.backend(name)
            #expect(seen["operational"] as? String == "up" && seen["administrative"] as? String == "ready")
            #expect(seen["requested"] as? String == "drain" && seen["takes_requests"] as? Bool == false)
            let change = (seen["health"] as? [String: Any])?["latest_change"] as? [String: Any]
            #expect((change?["text"] as? String)?.hasPrefix("asks to be drained: ") == true)
            let metrics = try balancer.metrics()
            #expect(metrics.contains(#"curl_lb_backend_state{backend="\#(name)",state="drain"} 1"#))
            #expect(metrics.contains(#"curl_lb_backend_takes_requests{backend="\#(name)"} 0"#))
            #expect(metrics.contains("\ncurl_lb_backends_usable 1\n"))
            two.value = ready
            try eventually("its end") { hasSaid(balancer, "backend \(origins[1].name) asks to be used: ") }
            #expect(try Set(answers(balancer, 4)) == ["a", "b"])
        }
    }

    @Test func `checks over TLS go by the backend's own options`() throws {
        try Scene.play { scene in
            let (certificate, key) = try scene.certificate(for: "app.test")
            let port = try scene.nginx(
                isSecure: true,
                "ssl_certificate \(certificate); ssl_certificate_key \(key); location / { return 200 \"a\"; }"
            )
            scene.expectLine(containing: " is down, was unchecked: the first check failed: SSL")
            let url = "https://127.0.0.1:\(port)"
            let balancer = try scene.curlLB(
                [
                    "\(url);name=trusted;cacert=\(certificate);sni=app.test", "\(url);name=stranger",
                    "\(url);name=asked;cacert=\(certificate);sni=app.test;health_path=/x",
                ],
                ["LB_HEALTH": "on"]
            )
            #expect(hasSaid(balancer, "backend stranger is down"))
            #expect(hasSaid(balancer, "backend trusted is up, was unchecked: the first check passed: connected"))
            #expect(hasSaid(balancer, "backend asked is up, was unchecked: the first check passed: status 200"))
            #expect(hasSaid(balancer, "2 of 3 backends are usable"))
            #expect(try answers(balancer, 3) == "aaa")
        }
    }

    @Test func `a check that hangs holds up the start for no longer than its limit`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let hanging = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try gate.wait()
            }
            let origin = try scene.origin(answering: Reply.ok("a"))
            scene.expectLine(containing: " is down, was unchecked: the first check failed: ")
            let balancer = try scene.curlLB(
                [hanging.url, origin.url],
                ["LB_HEALTH": "on", "LB_HEALTH_PATH": "/", "LB_HEALTH_TIMEOUT": "100ms"]
            )
            #expect(try answers(balancer, 2) == "aa")
            gate.open()
        }
    }

    // MARK: Panic

    @Test func `when nothing is usable requests go to all, and the response says so`() throws {
        try Scene.play { scene in
            let bad = Answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            let origins = [try origin("a", bad, in: scene), try origin("b", bad, in: scene)]
            scene.expectLine(containing: " is down, was unchecked: ")
            scene.expectLine(
                containing: "panic: no backend is usable, so requests go to all that are ready, 2 in number"
            )
            let balancer = try scene.curlLB(origins, Self.checks.merging(["LB_HEALTH_PATH": "/up"]) { $1 })
            let response = try balancer.get()
            #expect(response.status == 200)
            #expect(response["Proxy-Status"] == #"curl-lb; details="panic""#)
            #expect(try Set(answers(balancer, 4)) == ["a", "b"])

            bad.value = Reply.ok("", fields: "Connection: close\r\n")
            try eventually("the end of the panic") { hasSaid(balancer, "backends are usable again") }
            #expect(try balancer.get()["Proxy-Status"] == nil)
        }
    }

    @Test(arguments: ["on", "off"])
    func `when all are dead the answer is 503 with its reason`(panic: String) throws {
        try Scene.play { scene in
            scene.expectLine(containing: " is down, was unchecked: ")
            scene.expectLine(containing: "panic: ")
            let balancer = try scene.curlLB(
                [scene.refusingURL(), scene.refusingURL()],
                ["LB_HEALTH": "on", "LB_PANIC": panic]
            )
            let response = try balancer.get()
            #expect(response.status == 503)
            #expect(response["Proxy-Status"] == "curl-lb; error=destination_unavailable")
            #expect(response["Retry-After"] == "1")
            let attempts = panic == "on" ? 2 : 0
            #expect(try balancer.logLine().contains(" attempts=\(attempts) "))
        }
    }

    // MARK: Ejections

    /// Sends requests until a backend among two good ones is ejected; then how many of the next 60 it gets, and their statuses.
    private func eject(
        _ bad: ScriptedOrigin,
        _ why: String...,
        in scene: Scene
    ) throws -> (requests: Int, statuses: Set<Int>) {
        let good = try (0..<2).map { _ in try scene.origin(answering: Reply.ok("good")) }
        for why in why { scene.expectLine(containing: why) }
        let balancer = try scene.curlLB(
            [good[0].url, bad.url, good[1].url],
            Self.ejections
        )
        let isEjected = { why.contains { hasSaid(balancer, "backend \(bad.name) is ejected, was up: ", $0) } }
        // Clients that never wait for each other, as those that hang would make them.
        let clients = try (0..<30).map { _ in try balancer.connect() }
        let deadline = ContinuousClock.now + patience
        while !isEjected(), ContinuousClock.now < deadline {
            for client in clients { try? client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n") }
            usleep(50_000)
        }
        for client in clients { client.close() }
        try eventually("the ejection: \(balancer.process.standardError.text)") { isEjected() }
        _ = try balancer.get()
        let before = bad.heads.count
        var statuses: Set<Int> = []
        for _ in 0..<60 { statuses.insert(try balancer.get().status) }
        return (bad.heads.count - before, statuses)
    }

    @Test func `a backend that answers everything with 500 is ejected`() throws {
        try Scene.play { scene in
            let bad = try scene.origin(answering: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            let after = try eject(bad, "answers in a row had a status of 500 or more", in: scene)
            #expect(after.requests == 0 && after.statuses == [200])
        }
    }

    @Test func `a backend that closes without an answer is ejected`() throws {
        try Scene.play { scene in
            let bad = try scene.origin { connection, _ in _ = try connection.receiveHead() }
            let after = try eject(bad, "attempts in a row failed", in: scene)
            #expect(after.requests == 0 && after.statuses == [200])
        }
    }

    @Test func `a backend that never answers is ejected`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let bad = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try gate.wait()
            }
            let after = try eject(bad, "requests wait and none is answered, while the others answer", in: scene)
            #expect(after.requests == 0 && after.statuses == [200])
            gate.open()
        }
    }

    @Test func `who waits at a backend that answers nobody is answered by another, if the request may be sent again`()
        throws
    {
        try Scene.play { scene in
            let gate = Gate()
            let bad = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try gate.wait()
            }
            let good = try scene.origin(answering: Reply.ok("good"))
            scene.expectLine(containing: " requests wait and none is answered, while the others answer")
            let balancer = try scene.curlLB([bad, good], Self.ejections)
            // Of twelve that ask at one time six wait.
            let clients = try (0..<12).map { _ in try balancer.connect() }
            for client in clients { try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n") }
            for client in clients { #expect(try client.receiveResponse().body.text == "good") }
            try eventually("twelve lines") { balancer.log.count == 12 }
            #expect(
                balancer.log.count { $0.contains(" attempts=2 failed=[\(bad.name) http_response_timeout ") } == 6,
                "\(balancer.log)"
            )
            for client in clients { client.close() }
            gate.open()
        }
    }

    @Test func `a backend that is much slower than the others is ejected`() throws {
        try Scene.play { scene in
            let bad = try scene.origin { _, connection in
                usleep(1_500_000)
                try connection.send(Reply.ok("slow"))
            }
            let after = try eject(bad, "ms on average, ", "none is answered", in: scene)
            #expect(after.requests == 0 && after.statuses == [200])
        }
    }

    @Test func `the last one is never ejected`() throws {
        try Scene.play { scene in
            let bad = try scene.origin(answering: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            let balancer = try scene.curlLB([bad], Self.ejections)
            for _ in 0..<30 { #expect(try balancer.get().status == 500) }
            #expect(bad.requests.count == 30)
        }
    }

    @Test func `an ejected backend comes back when its time is over and it answers`() throws {
        try Scene.play { scene in
            let isGood = Answer("no")
            let mending = try scene.origin { _, connection in
                let isGood = isGood.value == "yes"
                try connection.send(
                    isGood ? Reply.ok("b") : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
                )
            }
            let good = try scene.origin(answering: Reply.ok("a"))
            scene.expectLine(containing: " is ejected, was up: ")
            let balancer = try scene.curlLB(
                [good, mending],
                Self.checks.merging(["LB_EJECT": "on", "LB_EJECT_TIME": "200ms"]) { $1 }
            )
            try eventually("the ejection") {
                _ = try balancer.get()
                return hasSaid(balancer, "is ejected, was up: ", "answers in a row had a status of 500 or more")
            }
            // The checks connect, and succeed; the trials ask for the path "/", and fail.
            let trials = { mending.requests.count { $0["User-Agent"] == "curl-lb-health" } }
            try eventually("some trials") { trials() > 2 }
            #expect(try answers(balancer, 10) == "aaaaaaaaaa")
            isGood.value = "yes"
            try eventually("its return") {
                hasSaid(balancer, "is up, was ejected: its time is over and a trial passed")
            }
            #expect(try Set(answers(balancer, 4)) == ["a", "b"])
        }
    }

    // MARK: Slow start

    @Test func `a backend that has recovered begins with a tenth of its share, and the others' order is undisturbed`()
        throws
    {
        try Scene.play { scene in
            let good = Reply.ok("", fields: "Connection: close\r\n")
            let (one, two) = (Answer(good), Answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
            let origins = [try origin("a", one, in: scene), try origin("b", two, in: scene)]
            scene.expectLine(containing: " is down, was unchecked: ")
            let balancer = try scene.curlLB(
                origins,
                Self.checks.merging(["LB_HEALTH_PATH": "/up", "LB_SLOW_START": "1h"]) { $1 }
            )
            #expect(try answers(balancer, 3) == "aaa")
            two.value = good
            try eventually("b to be up") { hasSaid(balancer, "backend \(origins[1].name) is up") }
            // One turn of ten to one.
            try eventually("the ramp's first step") { try answers(balancer, 22).count { $0 == "b" } == 2 }
        }
    }
}
