// Tests of weights, limits, backups and policies, over all workers.

import Testing

@Suite(.timeLimit(.minutes(5))) struct PolicyTests {
    /// Origins that answer with their names.
    private func origins(_ names: String..., in scene: Scene) throws -> [ScriptedOrigin] {
        try names.map { try scene.origin(answering: Reply.ok($0)) }
    }

    private func answers(_ balancer: CurlLB, _ count: Int) throws -> String {
        var answers = ""
        for _ in 0..<count { answers += try balancer.get().body.text }
        return answers
    }

    @Test func `with weights 5, 1 and 1 the order is aabacaa, whichever of four workers has the request`() throws {
        try Scene.play { scene in
            let origins = try origins("a", "b", "c", in: scene)
            let balancer = try scene.curlLB(
                ["\(origins[0].url);weight=5", origins[1].url, origins[2].url],
                ["LB_WORKERS": "4"]
            )
            // Four connections, one on each worker, since each goes to the worker with the fewest.
            let clients = try (0..<4).map { _ in try balancer.connect() }
            var answers = ""
            for turn in 0..<28 {
                let client = clients[turn % 4]
                try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                answers += try client.receiveResponse().body.text
            }
            for client in clients { client.close() }
            #expect(answers == String(repeating: "aabacaa", count: 4))
        }
    }

    @Test func `weight zero gets nothing, and when nobody has a weight no server is available`() throws {
        try Scene.play { scene in
            let origins = try origins("a", "b", in: scene)
            let balancer = try scene.curlLB(["\(origins[0].url);weight=0", origins[1].url])
            #expect(try answers(balancer, 4) == "bbbb")
            let idle = try scene.curlLB(["\(origins[0].url);weight=0"])
            let response = try idle.get()
            #expect(response.status == 503)
            #expect(response["Proxy-Status"] == "curl-lb; error=destination_unavailable")
            #expect(origins[0].connections == 0)
        }
    }

    @Test func `a full backend is passed over, and when all are full the answer is 503 with its reason`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let held = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let other = try scene.origin { request, connection in
                if request.startLine.contains("/held") { try gate.wait() }
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB(
                ["\(held.url);max_conns=1", "\(other.url);max_conns=2"],
                ["LB_WORKERS": "4", "LB_QUEUE": "0"]
            )
            let clients = try (0..<3).map { _ in try balancer.connect() }
            try clients[0].send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("a request at a") { held.requests.count == 1 }
            #expect(try answers(balancer, 3) == "bbb")

            for (index, client) in clients.enumerated().dropFirst() {
                try client.send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
                try eventually("another request at b") { other.requests.count == 3 + index }
            }
            let response = try balancer.get()
            #expect(response.status == 503)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_limit_reached")
            #expect(response.body.text.contains("connection_limit_reached"))
            // Four workers write their lines in no certain order. Three are those of b's answers; what is held has none yet.
            _ = try balancer.logLine(3)
            let lines = balancer.log.filter { $0.contains(" 503 ") }
            #expect(lines.count == 1)
            #expect(lines.allSatisfy { $0.contains("attempts=0 reason=connection_limit_reached") })

            gate.open()
            let answers = try clients.map { try $0.receiveResponse().body.text }
            #expect(answers == ["a", "b", "b"])
            for client in clients { client.close() }
            #expect(try balancer.get().status == 200)
        }
    }

    @Test func `a backup serves only while no other backend can`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let ordinary = try scene.origin { request, connection in
                if request.startLine.contains("/held") { try gate.wait() }
                try connection.send(Reply.ok("a"))
            }
            let spare = try scene.origin(answering: Reply.ok("spare"))
            let balancer = try scene.curlLB(["\(spare.url);backup=on;weight=9", "\(ordinary.url);max_conns=1"])
            #expect(try answers(balancer, 3) == "aaa")
            let client = try balancer.connect()
            try client.send("GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request at a") { ordinary.requests.count == 4 }
            #expect(try answers(balancer, 2) == "sparespare")
            gate.open()
            #expect(try client.receiveResponse().body.text == "a")
            client.close()
            #expect(try answers(balancer, 2) == "aa")
        }
    }

    @Test func `a request goes on to the backup when every other backend has failed it`() throws {
        try Scene.play { scene in
            let spare = try scene.origin(answering: Reply.ok("spare"))
            let balancer = try scene.curlLB(["\(spare.url);backup=on", scene.refusingURL(), scene.refusingURL()])
            #expect(try answers(balancer, 2) == "sparespare")
            #expect(try balancer.logLine().contains("attempts=3"))
        }
    }

    @Test(arguments: [
        ("hash:header:X-User", "X-User: KEY\r\n"), ("hash:cookie:sid", "Cookie: theme=dark; sid=KEY\r\n"),
        ("hash:uri", ""),
    ])
    func `equal keys go to the same backend, whichever of four workers has the request`(
        policy: String,
        lines: String
    ) throws {
        try Scene.play { scene in
            let backends = try zip(["a", "b", "c"], origins("a", "b", "c", in: scene)).map { "\($1.url);name=\($0)" }
            let balancer = try scene.curlLB(backends, ["LB_WORKERS": "4", "LB_POLICY": policy])
            let clients = try (0..<4).map { _ in try balancer.connect() }
            var homes: [Int: Set<String>] = [:]
            for turn in 0..<100 {
                // Of 25 keys each comes by every client.
                let key = turn / 4
                let fields = lines.replacing("KEY", with: "\(key)")
                let target = lines.isEmpty ? "/\(key)" : "/\(turn)"
                try clients[turn % 4].send("GET \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
                homes[key, default: []].insert(try clients[turn % 4].receiveResponse().body.text)
            }
            for client in clients { client.close() }
            #expect(homes.values.allSatisfy { $0.count == 1 })
            #expect(Set(homes.values.joined()) == ["a", "b", "c"])
        }
    }

    @Test func `a client's address has one home, and the next one when that fails`() throws {
        try Scene.play { scene in
            let origins = try origins("a", "b", "c", in: scene)
            let balancer = try scene.curlLB(
                zip(["a", "b", "c"], origins).map { "\($1.url);name=\($0)" },
                ["LB_POLICY": "hash:ip"]
            )
            let before = Set(try (0..<5).map { _ in try balancer.get().body.text })
            #expect(before.count == 1)
            for (name, origin) in zip(["a", "b", "c"], origins) where before.contains(name) { origin.stop() }
            let after = Set(try (0..<5).map { _ in try balancer.get().body.text })
            #expect(after.count == 1 && after.isDisjoint(with: before))
        }
    }

    @Test func `requests without a key go round`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(origins("a", "b", "c", in: scene), ["LB_POLICY": "hash:cookie:sid"])
            #expect(try answers(balancer, 6) == "abcabc")
        }
    }

    @Test func `least_conn passes over who is busy`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let busy = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let balancer = try scene.curlLB(
                [busy] + origins("b", "c", in: scene),
                ["LB_POLICY": "least_conn", "LB_WORKERS": "4"]
            )
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request at a") { busy.requests.count == 1 }
            #expect(try answers(balancer, 6) == "bcbcbc")
            gate.open()
            #expect(try client.receiveResponse().body.text == "a")
            client.close()
        }
    }

    @Test func `under peak_ewma one that fails at once is not asked again`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(
                ["\(scene.refusingURL());name=broken"] + origins("b", "c", in: scene).map(\.url),
                ["LB_POLICY": "peak_ewma", "LB_WORKERS": "4"]
            )
            for _ in 0..<20 { #expect(try balancer.get().status == 200) }
            _ = try balancer.logLine(19)
            // A newcomer is asked once; a failure counts as a second, and the others answer sooner.
            #expect(balancer.log.count { $0.contains("failed=[broken connection_refused") } == 1)
        }
    }

    @Test(arguments: [("first", ["a"]), ("random_two", ["a", "b", "c"])])
    func `first keeps to the first, random_two uses all`(policy: String, expected: [String]) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(
                origins("a", "b", "c", in: scene),
                ["LB_POLICY": policy, "LB_WORKERS": "4"]
            )
            // That one of three is left out of a hundred draws happens once in 10¹⁷ times.
            let names = Set(try (0..<100).map { _ in try balancer.get().body.text })
            #expect(names.sorted() == expected)
        }
    }
}
