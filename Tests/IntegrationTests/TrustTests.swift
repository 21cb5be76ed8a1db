// Tests of what is believed of whom, and of what is told to whom.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct TrustTests {
    private static let trusting = ["LB_TRUSTED": "127.0.0.1 10.0.0.0/8 unix"]

    private func get(_ balancer: CurlLB, _ lines: String...) throws -> Message {
        let fields = lines.map { "\($0)\r\n" }.joined()
        return try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(fields)\r\n")
    }

    /// What the backend gets of `X-Forwarded-For`, and what the log calls the client.
    private func seen(
        _ lines: String...,
        settings: [String: String] = trusting
    ) throws -> (forwardedFor: [String], client: String) {
        var result: (forwardedFor: [String], client: String) = ([], "")
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], settings)
            let fields = lines.map { "\($0)\r\n" }.joined()
            let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(fields)\r\n"
            #expect(try balancer.response(to: request).status == 200)
            result.forwardedFor = origin.requests.first?.values("X-Forwarded-For") ?? []
            result.client = String(try balancer.logLine().split(separator: " ")[1])
        }
        return result
    }

    @Test func `a trusted proxy's client is known by its own address`() throws {
        let one = try seen("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.2.3")
        #expect(one.forwardedFor == ["6.6.6.6, 192.0.2.1, 10.1.2.3, 127.0.0.1"])
        #expect(one.client == "192.0.2.1")
        let broken = try seen("X-Forwarded-For: 192.0.2.1, what, 10.1.2.3")
        #expect(broken.forwardedFor == ["192.0.2.1, what, 10.1.2.3, 127.0.0.1"])
        #expect(broken.client == "10.1.2.3")
    }

    @Test func `nobody else is believed`() throws {
        let other = try seen("X-Forwarded-For: 192.0.2.1", settings: ["LB_TRUSTED": "10.0.0.0/8"])
        #expect(other.forwardedFor == ["127.0.0.1"])
        #expect(other.client.hasPrefix("127.0.0.1:"))
        let none = try seen("X-Forwarded-For: 192.0.2.1", settings: [:])
        #expect(none.forwardedFor == ["127.0.0.1"])
        #expect(none.client.hasPrefix("127.0.0.1:"))
    }

    @Test func `a proxy at a Unix-domain socket is trusted where unix stands in the list`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/lb.sock"
            let settings = ["LB_LISTEN": "unix:\(path)", "LB_TRUSTED": "unix"]
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], settings)
            #expect(try get(balancer, "X-Forwarded-For: 192.0.2.1").status == 200)
            #expect(origin.requests.first?["X-Forwarded-For"] == "192.0.2.1")
            #expect(try balancer.logLine().contains(" 192.0.2.1 \"GET"))
        }
    }

    @Test func `a key made of addresses is made of the clients'`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b", "c"].map { try scene.origin(answering: Reply.ok($0)) }
            let backends = zip(origins, ["a", "b", "c"]).map { "\($0.url);name=\($1)" }
            let settings = Self.trusting.merging(["LB_POLICY": "hash:ip", "LB_WORKERS": "2"]) { $1 }
            let balancer = try scene.curlLB(backends, settings)
            var homes: [String: Set<String>] = [:]
            for round in 0..<3 {
                for number in 0..<12 {
                    // What stands left of the client is its own invention, and says nothing.
                    let line = "X-Forwarded-For: 1.1.1.\(round), 192.0.2.\(number), 10.0.0.\(round)"
                    homes["\(number)", default: []].insert(try get(balancer, line).body.text)
                }
            }
            #expect(homes.values.allSatisfy { $0.count == 1 })
            #expect(Set(homes.values.joined()).count > 1)
        }
    }

    @Test func `limits count the other end of the connection, whoever it speaks for`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "LB_MAX_PER_CLIENT=1 is reached")
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], Self.trusting.merging(["LB_MAX_PER_CLIENT": "1"]) { $1 })
            let first = try balancer.connect()
            try first.send("GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
            #expect(try first.receiveResponse().status == 200)
            #expect(try get(balancer, "X-Forwarded-For: 192.0.2.2").status == 429)
            first.close()
        }
    }

    @Test func `a client cannot name away what a trusted proxy says of it, nor be taken for the proxy`() throws {
        // As HAProxy passes on a client's Connection options, with what it adds itself.
        let connection = "Connection: close, X-Forwarded-For, X-Forwarded-Proto"
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], Self.trusting)
            let request = """
                GET / HTTP/1.1\r\nHost: test\r\n\(connection)\r\nX-LB-Explain: 1\r\nX-Forwarded-For: 192.0.2.1\r\n\
                X-Forwarded-Proto: https\r\n\r\n
                """
            #expect(try balancer.response(to: request)["X-LB-Explain"] == nil)
            let seen = try #require(origin.requests.first)
            #expect(seen.values("X-Forwarded-For") == ["192.0.2.1, 127.0.0.1"])
            #expect(seen.values("X-Forwarded-Proto") == ["https"])
            #expect(try balancer.logLine().split(separator: " ")[1] == "192.0.2.1")
        }
    }

    @Test func `Forwarded is sent where it is asked for`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([origin], Self.trusting.merging(["LB_FORWARDED": "on"]) { $1 })
            _ = try get(balancer, "Forwarded: for=192.0.2.1")
            #expect(origin.requests[0].values("Forwarded") == ["for=192.0.2.1, for=127.0.0.1;host=\"test\";proto=http"])
        }
    }

    // MARK: What is told

    @Test func `a page tells the attempts to a trusted client, and to nobody that a trusted proxy speaks for`() throws {
        try Scene.play { scene in
            let urls = try (0..<2).map { "\(try scene.refusingURL());name=\($0 == 0 ? "one" : "two")" }
            let balancer = try scene.curlLB(urls, Self.trusting)
            let told = try get(balancer).body.text
            #expect(told.contains("Attempt 1: one connection_refused "))
            #expect(told.contains("Attempt 2: two connection_refused ") && told.contains("127.0.0.1"))
            let forwarded = try get(balancer, "X-Forwarded-For: 192.0.2.1").body.text
            #expect(forwarded.contains("Reason: connection_refused") && !forwarded.contains("Attempt"))
            let garbled = try get(balancer, "X-Forwarded-For: what").body.text
            #expect(!garbled.contains("Attempt"))
            let other = try scene.curlLB(urls)
            #expect(try !get(other).body.text.contains("Attempt"))
        }
    }

    @Test func `a trusted client that asks is told why, and nobody else is`() throws {
        try Scene.play { scene in
            let origins = try (0..<2).map { _ in try scene.origin(answering: Reply.ok("ok")) }
            let backends = ["\(origins[0].url);name=a;weight=2", "\(origins[1].url);name=b"]
            let balancer = try scene.curlLB(backends, Self.trusting)
            #expect(
                try get(balancer, "x-lb-explain: 1")["X-LB-Explain"] == """
                    attempt=1, policy="round_robin", rule=round_robin, chosen="a", \
                    candidates=("a";chosen;weight=2;in_flight=0 "b";weight=1;in_flight=0)
                    """
            )
            #expect(try get(balancer, "X-LB-Explain: 0")["X-LB-Explain"] == nil)
            #expect(try get(balancer)["X-LB-Explain"] == nil)
            #expect(try get(balancer, "X-LB-Explain: 1", "X-Forwarded-For: 192.0.2.1")["X-LB-Explain"] == nil)
            let other = try scene.curlLB(backends)
            #expect(try get(other, "X-LB-Explain: 1")["X-LB-Explain"] == nil)
        }
    }

    @Test func `the explanation is the last attempt's, also when none was possible`() throws {
        try Scene.play { scene in
            let refusing = "\(try scene.refusingURL());name=refusing"
            let origin = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB([refusing, "\(origin.url);name=good"], Self.trusting)
            let second = try #require(try get(balancer, "X-LB-Explain: 1")["X-LB-Explain"])
            #expect(second.hasPrefix(#"attempt=2, policy="round_robin", rule=round_robin, chosen="good""#))
            #expect(second.contains(#""refusing";weight=1;in_flight=0;skipped=tried"#))
            let idle = try scene.curlLB(["\(refusing);weight=0"], Self.trusting)
            let none = try get(idle, "X-LB-Explain: 1")
            #expect(none.status == 503)
            #expect(
                none["X-LB-Explain"] == """
                    attempt=1, policy="round_robin", rule=none, \
                    candidates=("refusing";weight=0;in_flight=0;skipped=no_weight)
                    """
            )
        }
    }

    @Test func `a bound client is told that it is`() throws {
        try Scene.play { scene in
            let origins = try (0..<2).map { _ in try scene.origin(answering: Reply.ok("ok")) }
            let settings = ["LB_STICKY": "cookie", "LB_STICKY_SECRET": "a secret for tests"]
            let balancer = try scene.curlLB(origins, Self.trusting.merging(settings) { $1 })
            let pair = try #require(try get(balancer)["Set-Cookie"]).prefix { $0 != ";" }
            let text = try #require(try get(balancer, "Cookie: \(pair)", "X-LB-Explain: 1")["X-LB-Explain"])
            #expect(text.contains("rule=pinned, chosen=\"\(origins[0].name)\""))
        }
    }

    // MARK: curl-lb why

    private func why(
        _ scene: Scene,
        _ balancer: CurlLB,
        _ arguments: String...
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let address =
            switch balancer.address {
            case .loopback(let port): "127.0.0.1:\(port)"
            case .unix(let path): "unix:\(path)"
            }
        let listen = ["LB_LISTEN": address]
        let process = try scene.process(Program.curlLB, ["why"] + arguments, environment: listen)
        let status = try process.waitForExit()
        return (status, process.standardOutput?.text ?? "", process.standardError.text)
    }

    @Test func `why asks the running balancer, and shows a table`() throws {
        try Scene.play { scene in
            let origins = try (0..<3).map { _ in try scene.origin(answering: Reply.ok("ok")) }
            let balancer = try scene.curlLB(
                [
                    "\(origins[0].url);name=blue;weight=5", "\(origins[1].url);name=green;max_conns=9",
                    "\(origins[2].url);name=spare;backup=on",
                ],
                Self.trusting.merging(["LB_POLICY": "least_conn"]) { $1 }
            )
            let run = try why(scene, balancer, "http://shop.example/basket?id=1", "-H", "X-User: joe")
            #expect(run.status == .code(0), "\(run.error)")
            #expect(
                run.output == """
                    HEAD /basket?id=1 at 127.0.0.1:\(balancer.port): 200
                    policy least_conn, attempt 1: blue, by least_conn

                    backend  weight  in flight  cost
                    blue     5       0          0.000  chosen
                    green    1       0 of 9     0.000
                    spare    1       0          0.000  skipped: backup

                    """
            )
            let request = try #require(origins[0].requests.first)
            #expect(request.startLine == "HEAD /basket?id=1 HTTP/1.1")
            #expect(request["Host"] == "shop.example" && request["X-User"] == "joe")
        }
    }

    @Test func `why asks at a Unix-domain socket, too`() throws {
        try Scene.play { scene in
            let settings = ["LB_LISTEN": "unix:\(try scene.folder())/lb.sock", "LB_TRUSTED": "unix"]
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))], settings)
            let run = try why(scene, balancer)
            #expect(run.status == .code(0) && run.output.contains("chosen"), "\(run.error)")
        }
    }

    @Test func `who may not know is told what would help, and so is who finds no balancer`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin(answering: Reply.ok("ok"))])
            let refused = try why(scene, balancer)
            #expect(refused.status == .code(1) && refused.output.isEmpty)
            #expect(
                refused.error == """
                    curl-lb why: the answer of 127.0.0.1:\(balancer.port) (200) explains nothing: a balancer explains to addresses \
                    in its LB_TRUSTED alone

                    """
            )
            let absent = try why(scene, balancer, "--at", "127.0.0.1:\(try scene.refusingPort())")
            #expect(absent.status == .code(1))
            #expect(
                absent.error.contains("cannot connect to 127.0.0.1:") && absent.error.contains("Connection refused")
            )
        }
    }
}
