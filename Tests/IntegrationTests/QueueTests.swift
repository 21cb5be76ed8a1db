// Tests of the queue: who waits for a place at a backend, for how long, and who is served first.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct QueueTests {
    /// An origin that answers each request with its target once the gate is open, and counts how many it has at a time.
    private final class Held: Sendable {
        let gate = Gate()
        let atOnce = Counter()
        let most = Counter()
    }

    private func origin(_ held: Held, in scene: Scene) throws -> ScriptedOrigin {
        try scene.origin { request, connection in
            held.atOnce.add()
            if held.atOnce.value > held.most.value { held.most.add() }
            try held.gate.wait()
            held.atOnce.add(-1)
            try connection.send(Reply.ok(String(request.startLine.split(separator: " ")[1])))
        }
    }

    /// Sends a request on a connection of its own, and waits until curl-lb has read it.
    private func ask(_ target: String, _ balancer: CurlLB, fields: String = "") throws -> Connection {
        let client = try balancer.connect()
        try client.send("GET \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
        try client.waitUntilRead()
        return client
    }

    // MARK: Order

    @Test func `requests wait for a place and get it in the order in which they came`() throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"])
            let clients = try (0..<6).map { try ask("/\($0)", balancer) }
            try eventually("the first request") { origin.requests.count == 1 }
            held.gate.open()
            for (index, client) in clients.enumerated() {
                #expect(try client.receiveResponse().body.text == "/\(index)")
                client.close()
            }
            #expect(origin.requests.map { $0.startLine.split(separator: " ")[1] } == (0..<6).map { "/\($0)" })
            #expect(held.most.value == 1)
            // One after the other over one connection, since the place went on with it.
            #expect(origin.connections == 1)
            _ = try balancer.logLine(5)
            for line in balancer.log {
                #expect(line.contains(" 200 ") && line.contains("attempts=1"))
                #expect(line.contains(" queue_ms=") == !line.contains("\"GET /0\""), "\(line)")
            }
        }
    }

    @Test func `the places of all backends are waited for, and the free one is taken`() throws {
        try Scene.play { scene in
            let (first, second) = (Held(), Held())
            let origins = [try origin(first, in: scene), try origin(second, in: scene)]
            let balancer = try scene.curlLB(origins.map { "\($0.url);max_conns=1" }, ["LB_WORKERS": "4"])
            let clients = try (0..<4).map { try ask("/\($0)", balancer) }
            second.gate.open()
            // One is held at the first origin; the others went by the second, one after the other.
            try eventually("three answers") { origins[1].requests.count == 3 }
            #expect(origins[0].requests.count == 1)
            first.gate.open()
            for (index, client) in clients.enumerated() {
                #expect(try client.receiveResponse().body.text == "/\(index)")
                client.close()
            }
        }
    }

    @Test func `a place goes to the next one when the one that was told of it has left`() throws {
        try Scene.play { scene in
            let (end, failure) = (Gate(), Gate())
            let full = try scene.origin { _, connection in
                try end.wait()
                try connection.send(Reply.ok("ok"))
            }
            let wide = try scene.origin { request, connection in
                switch request.startLine.split(separator: " ")[1] {
                case "/held": try end.wait()
                case "/fails": throw Disappointment("as asked for")
                case "/fails-later":
                    try failure.wait()
                    throw Disappointment("as asked for")
                default: break
                }
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB(
                ["\(full.url);max_conns=1", "\(wide.url);max_conns=2"],
                ["LB_POLICY": "first", "LB_WORKERS": "2"]
            )
            // Connections go to the worker with the fewest: four each.
            var connections = try (0..<8).map { _ in try balancer.connect() }
            let first = try balancer.worker(of: connections[0])
            let own = try connections.map { try balancer.worker(of: $0) == first }
            var here = zip(connections, own).filter(\.1).map(\.0)
            var there = zip(connections, own).filter { !$0.1 }.map(\.0)
            connections = []
            #expect(here.count == 4 && there.count == 4)
            func ask(_ target: String, on connection: Connection) throws -> Connection {
                try connection.send("GET \(target) HTTP/1.1\r\nHost: test\r\n\r\n")
                try connection.waitUntilRead()
                return connection
            }
            let holder = try ask("/held", on: here.removeFirst())
            try eventually("the full backend") { full.requests.count == 1 }
            let leaver = try ask("/held", on: here.removeFirst())
            try eventually("the first place of the other") { wide.requests.count == 1 }
            // The oldest that waits: it has tried the wide one. Then one that will have.
            let oldest = try ask("/fails", on: here.removeFirst())
            try eventually("a failure") { wide.requests.count == 2 && wide.openConnections == 1 }
            let youngest = try ask("/fails-later", on: here.removeFirst())
            try eventually("the second place") { wide.requests.count == 3 }
            let second = try ask("/held", on: there.removeFirst())
            let patient = try ask("/", on: there.removeFirst())
            failure.open()
            try eventually("the second place to be taken anew") { wide.requests.count == 4 }
            // In one turn of the first worker: a place is given back, and the one that is told of it leaves.
            try balancer.process.pause()
            leaver.close()
            oldest.close()
            balancer.process.send(SIGCONT)
            #expect(try patient.receiveResponse().body.text == "ok")
            end.open()
            for connection in [holder, second, youngest] {
                #expect(try connection.receiveResponse().startLine.contains("200"))
            }
        }
    }

    @Test func `who would have to be refused overtakes those that cannot use what is free`() throws {
        try Scene.play { scene in
            let end = Gate()
            let full = try scene.origin { _, connection in
                try end.wait()
                try connection.send(Reply.ok("ok"))
            }
            let idle = try scene.origin { request, connection in
                if request.startLine.contains("/fails") { throw Disappointment("as asked for") }
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB(
                ["\(full.url);max_conns=1", "\(idle.url);max_conns=9"],
                ["LB_POLICY": "first", "LB_QUEUE": "1"]
            )
            let holder = try ask("/held", balancer)
            try eventually("the full backend") { full.requests.count == 1 }
            let waiting = try ask("/fails", balancer)
            try eventually("a failure") { idle.requests.count == 1 && idle.openConnections == 0 }
            for _ in 0..<3 { #expect(try balancer.get().startLine.contains("200")) }
            end.open()
            for connection in [holder, waiting] {
                #expect(try connection.receiveResponse().body.text == "ok")
                connection.close()
            }
        }
    }

    @Test func `a client that leaves the queue in the middle of its body is gone at once`() throws {
        try Scene.play { scene in
            let end = Gate()
            let (full, idle) = (
                try scene.origin(replying: { _, connection in
                    try end.wait()
                    try connection.send(Reply.ok("ok"))
                }),
                try scene.origin { connection, _ in _ = try connection.receiveHead() }
            )
            let balancer = try scene.curlLB(
                ["\(full.url);max_conns=1", "\(idle.url);max_conns=9"],
                ["LB_POLICY": "first", "LB_QUEUE_TIMEOUT": "1h", "LB_IDLE_TIMEOUT": "1h"]
            )
            let holder = try ask("/", balancer)
            try eventually("the full backend") { full.requests.count == 1 }
            let leaver = try balancer.connect()
            try leaver.send("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n0123456789")
            try eventually("a failure") { idle.connections == 1 && idle.openConnections == 0 }
            try leaver.waitUntilRead()
            leaver.close()
            #expect(try balancer.logLine().contains(" 499 "))
            end.open()
            #expect(try holder.receiveResponse().body.text == "ok")
            holder.close()
        }
    }

    @Test("no place stays free while somebody waits, over four workers", arguments: [1, 3])
    func manyRounds(places: Int) throws {
        try Scene.play { scene in
            let held = Held()
            held.gate.open()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(
                ["\(origin.url);max_conns=\(places)"],
                ["LB_WORKERS": "4", "LB_QUEUE_TIMEOUT": "15s"]
            )
            let clients = try (0..<12).map { _ in try balancer.connect() }
            // A round's last waiter would wait for ever if its place were not told of.
            for round in 0..<150 {
                for client in clients { try client.send("GET /\(round) HTTP/1.1\r\nHost: test\r\n\r\n") }
                for client in clients { try #require(try client.receiveResponse().status == 200) }
            }
            for client in clients { client.close() }
            #expect(origin.requests.count == 12 * 150)
            #expect(held.most.value <= places)
        }
    }

    @Test func `who could not be served by a dead backend waits for the others`() throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(
                ["\(try scene.refusingURL());max_conns=100", "\(origin.url);max_conns=1"],
                ["LB_POLICY": "first", "LB_WORKERS": "4"]
            )
            let clients = try (0..<5).map { try ask("/\($0)", balancer) }
            try eventually("one request") { origin.requests.count == 1 }
            held.gate.open()
            for (index, client) in clients.enumerated() {
                #expect(try client.receiveResponse().body.text == "/\(index)")
                client.close()
            }
            _ = try balancer.logLine(4)
            #expect(balancer.log.allSatisfy { $0.contains("attempts=2 failed=[127.0.0.1:") })
        }
    }

    @Test func `a POST that waits is sent once`() throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"])
            let first = try ask("/", balancer)
            let client = try balancer.connect()
            let body = [UInt8].pattern(200_000)
            try client.send("POST /up HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n")
            try client.waitUntilRead()
            held.gate.open()
            try client.send(body)
            #expect(try client.receiveResponse().body.text == "/up")
            #expect(try first.receiveResponse().status == 200)
            for client in [first, client] { client.close() }
            #expect(origin.requests.map(\.body) == [[], body])
        }
    }

    // MARK: Limits

    @Test func `when the queue is full the answer comes at once, with its reason and when to come again`() throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_QUEUE": "2"])
            let clients = try (0..<3).map { try ask("/\($0)", balancer) }
            try eventually("the first request") { origin.requests.count == 1 }
            let response = try balancer.get("/last")
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "1")
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_limit_reached")
            #expect(response.body.text.contains("queue_full"))
            held.gate.open()
            for (index, client) in clients.enumerated() {
                #expect(try client.receiveResponse().body.text == "/\(index)")
                client.close()
            }
            try eventually("a line of the refusal") {
                balancer.log.contains { $0.contains("/last") && $0.contains("attempts=0 reason=queue_full") }
            }
        }
    }

    @Test func `who has waited too long is told so`() throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_QUEUE_TIMEOUT": "100ms"])
            let first = try ask("/", balancer)
            let client = try ask("/late", balancer)
            let response = try client.receiveResponse()
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "1")
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_limit_reached")
            #expect(response.body.text.contains("queue_timeout"))
            let line = try balancer.logLine()
            #expect(line.contains(" queue_ms=1") && line.contains(" attempts=0 reason=queue_timeout "))
            held.gate.open()
            #expect(try first.receiveResponse().status == 200)
            // Its connection was kept, and there is a place now.
            try client.send("GET /again HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.receiveResponse().body.text == "/again")
            for client in [first, client] { client.close() }
            #expect(!origin.heads.contains { $0.startLine.contains("/late") })
        }
    }

    @Test("a client that leaves makes room at once", arguments: ["", "Content-Length: 100000\r\n"], [false, true])
    func leaving(fields: String, isReset: Bool) throws {
        try Scene.play { scene in
            let held = Held()
            let origin = try origin(held, in: scene)
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_QUEUE": "1"])
            let first = try ask("/", balancer)
            let leaver = try ask("/left", balancer, fields: fields)
            #expect(try balancer.get("/full").status == 503)
            if isReset { leaver.reset() } else { leaver.close() }
            try eventually("the line of the client that left") {
                balancer.log.contains { $0.contains("/left") && $0.contains(" 499 ") }
            }
            let line = balancer.log.first { $0.contains("/left") } ?? ""
            #expect(line.contains(" queue_ms=") && line.contains(" attempts=0 reason=client_gone "))
            let next = try ask("/next", balancer)
            held.gate.open()
            #expect(try first.receiveResponse().status == 200)
            #expect(try next.receiveResponse().body.text == "/next")
            for client in [first, next] { client.close() }
            #expect(origin.requests.map { $0.startLine.split(separator: " ")[1] } == ["/", "/next"])
        }
    }

    @Test func `a body that waits for 100 is not asked for while its request waits`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                while try !connection.isAtEnd() {
                    let head = try connection.receiveHead()
                    if head["Expect"] != nil {
                        try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
                        _ = try connection.receive(5)
                    } else {
                        try gate.wait()
                    }
                    try connection.send(Reply.ok("ok"))
                }
            }
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"])
            let first = try ask("/", balancer)
            let client = try ask("/up", balancer, fields: "Expect: 100-continue\r\nContent-Length: 5\r\n")
            // Longer than it takes until a 100 of our own is sent to whose request is with a backend.
            usleep(1_500_000)
            #expect(client.receivedSoFar().isEmpty)
            gate.open()
            #expect(try client.receiveHead().status == 100)
            try client.send("hello")
            #expect(try client.receiveResponse().status == 200)
            #expect(try first.receiveResponse().status == 200)
            for client in [first, client] { client.close() }
        }
    }

    // MARK: Other places

    @Test func `a tunnel holds its place until it ends`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                while try !connection.isAtEnd() {
                    let head = try connection.receiveHead()
                    guard head["Upgrade"] != nil else {
                        try connection.send(Reply.ok("ok"))
                        continue
                    }
                    try connection.send(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                    )
                    _ = try connection.receiveToEnd()
                    return
                }
            }
            let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_QUEUE_TIMEOUT": "15s"])
            let tunnel = try ask("/chat", balancer, fields: "Connection: Upgrade\r\nUpgrade: websocket\r\n")
            #expect(try tunnel.receiveHead().status == 101)
            let client = try ask("/", balancer)
            usleep(200_000)
            #expect(client.receivedSoFar().isEmpty && origin.connections == 1)
            tunnel.close()
            #expect(try client.receiveResponse().body.text == "ok")
            client.close()
        }
    }

    @Test func `draining serves who waits, and at its deadline says that it shuts down`() throws {
        try Scene.play { scene in
            for opens in [true, false] {
                let held = Held()
                let origin = try origin(held, in: scene)
                let balancer = try scene.curlLB(
                    ["\(origin.url);max_conns=1"],
                    ["LB_DRAIN_TIMEOUT": opens ? "20s" : "300ms", "LB_WORKERS": "2"]
                )
                let clients = try (0..<3).map { try ask("/\($0)", balancer) }
                try eventually("the first request") { origin.requests.count == 1 }
                balancer.process.send(SIGTERM)
                if opens {
                    try eventually("the drain to begin") { balancer.process.standardError.text.contains("draining") }
                    held.gate.open()
                }
                let responses = try clients.map { try $0.receiveResponse() }
                if opens {
                    #expect(responses.map(\.body.text) == ["/0", "/1", "/2"])
                } else {
                    // Which of them came first is not said: they came to two workers.
                    let pages = responses.sorted { $0.status < $1.status }
                    #expect(pages.map(\.status) == [502, 503, 503])
                    #expect(pages[0].body.text.contains("stopped_in_flight"))
                    #expect(pages[1...].allSatisfy { $0.body.text.contains("shutting_down") })
                    held.gate.open()
                }
                for client in clients { client.close() }
                #expect(try balancer.process.waitForExit() == .code(0))
            }
        }
    }
}
