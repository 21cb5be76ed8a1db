// Tests of LB_HEDGE: who is asked beside whom, who wins, and what becomes of the other.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct HedgeTests {
    private static let silent: @Sendable (Message, Connection) throws -> Void = { _, connection in
        _ = try connection.isAtEnd()
    }

    /// One second attempt, at the next backend of the list.
    private static let once = ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "1"]

    private func request(_ method: String, _ target: String = "/", _ rest: String = "\r\n") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(rest)"
    }

    private func expectBothLeft(_ first: ScriptedOrigin, _ second: ScriptedOrigin) throws {
        try eventually("both attempts to be cancelled") { first.openConnections == 0 && second.openConnections == 0 }
    }

    // MARK: Winning

    @Test func `the second backend answers while the first is silent, which is cancelled at once`() throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let fast = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB([slow, fast], Self.once)
            let client = try balancer.connect()
            for turn in 0..<3 {
                try client.send(request("GET", "/\(turn)"))
                #expect(try client.receiveResponse().body.text == "b")
                try eventually("the first attempt to be cancelled") { slow.openConnections == 0 }
                let line = try balancer.logLine(turn)
                #expect(line.contains(" backend=\(fast.name) attempts=2 notes=hedged,hedge_won id="), "\(line)")
            }
            try eventually("all that the first one was asked") { slow.requests.count == 3 }
            // The winner's connection was kept.
            #expect(fast.connections == 1)
            let head = { (origin: ScriptedOrigin) in origin.requests[0].ownFields.filter { $0.name != "Host" } }
            #expect(head(slow) == head(fast))
            #expect(slow.requests[0]["X-Request-Id"] == fast.requests[0]["X-Request-Id"])
            client.close()
        }
    }

    @Test func `the first backend answers after all, and the second is cancelled at once`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let second = try scene.origin(replying: Self.silent)
            let balancer = try scene.curlLB([slow, second], Self.once)
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the second attempt") { second.requests.count == 1 }
            gate.open()
            #expect(try client.receiveResponse().body.text == "a")
            try eventually("the second attempt to be cancelled") { second.openConnections == 0 }
            let line = try balancer.logLine()
            #expect(line.contains(" backend=\(slow.name) attempts=2 notes=hedged id="), "\(line)")
            try client.send(request("GET"))
            #expect(try client.receiveResponse().body.text == "a")
            #expect(slow.connections == 1)
            client.close()
        }
    }

    @Test(
        "a body that is at hand goes to both",
        arguments: [
            "Content-Length: 5\r\n\r\nhello",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-End: 1\r\n\r\n",
        ]
    )
    func body(rest: String) throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let fast = try scene.origin { message, connection in try connection.send(Reply.ok(message.body.text)) }
            let balancer = try scene.curlLB(["\(slow.url);host=slow.test", fast.url], Self.once)
            let client = try balancer.connect()
            // The body comes behind the head, in a piece of its own.
            let bytes = request("QUERY", "/", rest).bytes
            let length = bytes.count - 12
            try client.send(Array(bytes[..<length]))
            try client.waitUntilRead()
            try client.send(Array(bytes[length...]))
            #expect(try client.receiveResponse().body.text == "hello")
            // It may not have looked yet.
            try eventually("the first attempt's request") { !slow.requests.isEmpty }
            #expect(slow.requests.map(\.body.text) == ["hello"])
            #expect(slow.requests.map(\.trailers) == fast.requests.map(\.trailers))
            #expect(slow.requests[0]["Host"] == "slow.test" && fast.requests[0]["Host"] == "test")
            client.close()
        }
    }

    @Test func `a connection that is still being made is not waited for`() throws {
        try Scene.play { scene in
            // Its queue of connections to be accepted is full, so that no further one is made.
            let descriptor = try SocketAddress.loopback(port: 0).bind()
            scene.atEnd { close(descriptor) }
            #expect(listen(descriptor, 0) == 0)
            let port = SocketAddress.port(of: descriptor)
            let first = try Connection.to(port: port)
            scene.atEnd { first.close() }
            let fast = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB(
                ["http://127.0.0.1:\(port)", fast.url],
                Self.once.merging(["LB_CONNECT_TIMEOUT": "1s"]) { $1 }
            )
            #expect(try balancer.get().body.text == "b")
            #expect(try balancer.logLine().contains(" attempts=2 notes=hedged,hedge_won id="))
        }
    }

    // MARK: Failing

    @Test(arguments: [true, false])
    func `when one fails the other goes on`(doesFirstFail: Bool) throws {
        try Scene.play { scene in
            let (mayFail, mayAnswer) = (Gate(), Gate())
            let failing: ScriptedOrigin.Script = { connection, _ in
                _ = try connection.receiveRequest()
                try mayFail.wait()
            }
            let answering: @Sendable (Message, Connection) throws -> Void = { _, connection in
                try mayAnswer.wait()
                try connection.send(Reply.ok("ok"))
            }
            let (bad, good) = (try scene.origin(failing), try scene.origin(replying: answering))
            let balancer = try scene.curlLB(doesFirstFail ? [bad, good] : [good, bad], Self.once)
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("both to be asked") { bad.requests.count == 1 && good.requests.count == 1 }
            mayFail.open()
            try eventually("one to have failed") { bad.openConnections == 0 }
            mayAnswer.open()
            #expect(try client.receiveResponse().body.text == "ok")
            client.close()
            _ = try balancer.logLine()
            // The order in which the balancer has seen the two is its own.
            if balancer.log[0].contains("failed=") {
                #expect(balancer.log[0].contains(" attempts=2 failed=[\(bad.name) connection_terminated "))
            }
            #expect(balancer.log[0].contains(doesFirstFail ? " notes=hedged,hedge_won id=" : " notes=hedged id="))
        }
    }

    @Test(arguments: [true, false])
    func `when both fail, the last one's reason is the answer, and the log has both`(isFirstTheFirst: Bool) throws {
        try Scene.play { scene in
            let gates = [Gate(), Gate()]
            let origins = try gates.map { gate in
                try scene.origin { connection, _ in
                    _ = try connection.receiveRequest()
                    try gate.wait()
                    if gate === gates[1] { try connection.send("nonsense\r\n\r\n") }
                }
            }
            let third = try scene.origin()
            let order = isFirstTheFirst ? origins : origins.reversed()
            // What no HTTP is is not repeated with the default.
            let balancer = try scene.curlLB(order + [third], Self.once)
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("both to be asked") { origins.allSatisfy { $0.requests.count == 1 } }
            gates[0].open()
            // The kernel tells the balancer of the first end before anything else happens.
            try eventually("one to have failed") { origins[0].openConnections == 0 }
            gates[1].open()
            let response = try client.receiveResponse()
            #expect(response.status == 502)
            let line = try balancer.logLine()
            let ends = ["\(origins[0].name) connection_terminated ", "\(origins[1].name) http_protocol_error "]
            #expect(ends.allSatisfy { line.contains($0) }, "\(line)")
            #expect(line.contains(" attempts=2 failed=[") && line.contains(" notes=hedged reason="))
            let reason = try #require(line.split(separator: " reason=").last).prefix { $0 != " " }
            #expect(response.body.text.contains("Reason: \(reason)"))
            #expect(third.connections == 0)
            client.close()
        }
    }

    @Test func `a second backend that refuses is followed by a third at once`() throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let refusing = try scene.refusingURL()
            let fast = try scene.origin(answering: Reply.ok("c"))
            let balancer = try scene.curlLB(
                [slow.url, refusing, fast.url],
                ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "2"]
            )
            #expect(try balancer.get().body.text == "c")
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=3 failed=[\(refusing.dropFirst(7)) connection_refused "))
            #expect(line.contains("] notes=hedged,hedge_won id="))
        }
    }

    @Test func `a kept connection that turns out to be closed costs the second attempt nothing`() throws {
        try Scene.play { scene in
            let slow = try scene.origin(replying: Self.silent)
            let fast = try scene.origin { connection, number in
                _ = try connection.receiveRequest()
                try connection.send(Reply.ok("b\(number)"))
                _ = try connection.receiveRequest()
            }
            let balancer = try scene.curlLB([slow, fast], Self.once)
            #expect(try balancer.get().body.text == "b0")
            #expect(try balancer.get().body.text == "b1")
            let line = try balancer.logLine(1)
            #expect(line.contains(" attempts=3 failed=[\(fast.name) connection_terminated "))
        }
    }

    // MARK: Interim responses

    @Test(arguments: [true, false])
    func `whose interim response goes to the client is the one that is waited for`(isFirst: Bool) throws {
        try Scene.play { scene in
            let (hint, final) = (Gate(), Gate())
            let hinting: @Sendable (Message, Connection) throws -> Void = { _, connection in
                try hint.wait()
                try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                try final.wait()
                try connection.send(Reply.ok("hinted"))
            }
            let hinted = try scene.origin(replying: hinting)
            let other = try scene.origin(replying: Self.silent)
            let balancer = try scene.curlLB(isFirst ? [hinted, other] : [other, hinted], Self.once)
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("both to be asked") { hinted.requests.count == 1 && other.requests.count == 1 }
            hint.open()
            #expect(try client.receiveHead().status == 103)
            try eventually("the other to be cancelled") { other.openConnections == 0 }
            final.open()
            #expect(try client.receiveResponse().body.text == "hinted")
            #expect(try balancer.logLine().contains(isFirst ? " notes=hedged id=" : " notes=hedged,hedge_won id="))
            client.close()
        }
    }

    @Test func `a 100 that nobody waits for decides nothing`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let second = try scene.origin { _, connection in
                try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
                gate.open()
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([slow, second], Self.once)
            let body = "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
            #expect(try balancer.response(to: request("QUERY", "/", body)).body.text == "a")
        }
    }
}
