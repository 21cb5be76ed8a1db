// Tests of who gets the next request, and on which connection.

import Testing

@Suite(.timeLimit(.minutes(5))) struct RoundRobinTests {
    @Test("requests reach the backends in the list's order", arguments: ["1", "2"])
    func order(workers: String) throws {
        try Scene.play { scene in
            let origins = try ["a", "b", "c"].map { try scene.origin(answering: Reply.ok($0)) }
            let balancer = try scene.curlLB(origins, ["LB_WORKERS": workers])
            var answers = ""
            for _ in 0..<9 { answers += try balancer.get().body.text }
            #expect(answers == "abcabcabc")
        }
    }

    @Test func `requests of one client connection go round, too`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b", "c"].map { try scene.origin(answering: Reply.ok($0)) }
            let balancer = try scene.curlLB(origins)
            let client = try balancer.connect()
            var answers = ""
            for _ in 0..<6 {
                try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                answers += try client.receiveResponse().body.text
            }
            client.close()
            #expect(answers == "abcabc")
            #expect(origins.map(\.connections) == [1, 1, 1])
        }
    }

    @Test func `one backend connection serves one request after another, of different clients`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            for _ in 0..<5 { #expect(try balancer.get().status == 200) }
            #expect(origin.requests.count == 5)
            #expect(origin.connections == 1)
        }
    }

    @Test func `requests at the same time get backend connections of their own`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([origin])
            let clients = try (0..<3).map { _ in try balancer.connect() }
            for client in clients { try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n") }
            try eventually("three requests at the origin") { origin.requests.count == 3 }
            gate.open()
            for client in clients {
                #expect(try client.receiveResponse().body.text == "ok")
                client.close()
            }
            #expect(origin.connections == 3)
        }
    }

    @Test func `without idle time no backend connection is kept`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_UPSTREAM_IDLE": "0"])
            for _ in 0..<3 { #expect(try balancer.get().status == 200) }
            #expect(origin.connections == 3)
        }
    }

    @Test func `an unused backend connection is closed after its idle time`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_UPSTREAM_IDLE": "100ms"])
            #expect(try balancer.get().status == 200)
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
            #expect(try balancer.get().status == 200)
            #expect(origin.connections == 2)
        }
    }

    @Test func `a response with Connection close costs the connection`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("ok", fields: "Connection: close\r\n"))
            let balancer = try scene.curlLB([origin])
            for _ in 0..<2 { #expect(try balancer.get().status == 200) }
            #expect(origin.connections == 2)
        }
    }
}
