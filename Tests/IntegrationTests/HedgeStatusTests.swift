// Tests of hedged requests that are answered with errors: what is set aside for whom, and what the client gets in the end.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct HedgeStatusTests {
    private static let silent: @Sendable (Message, Connection) throws -> Void = { _, connection in
        _ = try connection.isAtEnd()
    }

    /// One second attempt, at the next backend of the list.
    private static let once = ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "1"]

    private func request(_ method: String) -> String { "\(method) / HTTP/1.1\r\nHost: test\r\n\r\n" }

    @Test(arguments: ["gateway", "safe"], ["503 Sorry", "500 Oops", "429 Wait\r\nRetry-After: 9"])
    func `an error does not win while the other is under way, whatever is repeated`(
        conditions: String,
        error: String
    ) throws {
        try Scene.play { scene in
            let (gate, after) = (Gate(), Gate())
            let failing = try scene.origin { _, connection in
                try gate.wait()
                try connection.send("HTTP/1.1 \(error)\r\nContent-Length: 2\r\n\r\na")
                // Set aside before all of it has come.
                _ = try connection.isAtEnd()
                after.open()
            }
            let second = try scene.origin { _, connection in
                try after.wait()
                try connection.send(Reply.ok("b"))
            }
            let balancer = try scene.curlLB([failing, second], Self.once.merging(["LB_RETRY_ON": conditions]) { $1 })
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the second attempt") { second.requests.count == 1 }
            gate.open()
            #expect(try client.receiveResponse().body.text == "b")
            let line = try balancer.logLine()
            #expect(line.contains(" 200 ") && line.contains(" notes=hedged,hedge_won id="))
            client.close()
        }
    }

    @Test func `an error of the second backend does not win, and is followed by no third unless that is wanted`() throws
    {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let failing = try scene.origin(answering: "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nb")
            let third = try scene.origin(answering: Reply.ok("c"))
            let balancer = try scene.curlLB(
                [slow, failing, third],
                ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "2"]
            )
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the second attempt") { failing.requests.count == 1 }
            gate.open()
            #expect(try client.receiveResponse().body.text == "a")
            let line = try balancer.logLine()
            #expect(line.contains(" attempts=2 failed=[\(failing.name) retriable_status "), "\(line)")
            #expect(third.connections == 0)
            client.close()
        }
    }

    @Test(arguments: [("503 Sorry", "1"), ("429 Wait\r\nRetry-After: 77", "77"), ("507 Full", nil)])
    func `when what an error was set aside for fails, the answer is ours, with its status`(
        error: String,
        pause: String?
    ) throws {
        try Scene.play { scene in
            let (mayAnswer, mayFail) = (Gate(), Gate())
            let failing = try scene.origin { _, connection in
                try mayAnswer.wait()
                try connection.send("HTTP/1.1 \(error)\r\nContent-Length: 2\r\n\r\na")
                _ = try connection.isAtEnd()
                mayFail.open()
            }
            let breaking = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try mayFail.wait()
            }
            let balancer = try scene.curlLB([failing, breaking], Self.once)
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the second attempt") { breaking.requests.count == 1 }
            mayAnswer.open()
            let response = try client.receiveResponse()
            #expect(response.status == Int(error.prefix(3)) && response.body.text.contains("Reason: retriable_status"))
            #expect(response["Retry-After"] == pause)
            #expect(response["Proxy-Status"] == "curl-lb; error=destination_unavailable")
            let line = try balancer.logLine()
            let ends = ["\(failing.name) retriable_status ", "\(breaking.name) connection_terminated "]
            #expect(ends.allSatisfy { line.contains($0) } && line.contains(" reason=retriable_status "), "\(line)")
            client.close()
        }
    }

    @Test func `an error of the second backend is set aside, and a third is asked`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("a"))
            }
            let failing = try scene.origin(answering: "HTTP/1.1 503 Sorry\r\nContent-Length: 1\r\n\r\nb")
            let third = try scene.origin(replying: Self.silent)
            let balancer = try scene.curlLB(
                [slow, failing, third],
                ["LB_HEDGE": "10ms", "LB_POLICY": "first", "LB_RETRIES": "2", "LB_RETRY_ON": "gateway"]
            )
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the third attempt") { third.requests.count == 1 }
            gate.open()
            #expect(try client.receiveResponse().body.text == "a")
            let line = try balancer.logLine()
            #expect(line.contains(" backend=\(slow.name) attempts=3 failed=[\(failing.name) retriable_status "))
            // Its response came whole: the connection was kept.
            #expect(failing.openConnections == 1)
            try eventually("the third attempt to be cancelled") { third.openConnections == 0 }
            client.close()
        }
    }

    @Test func `an error that is the last hope is the answer`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let closing = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try gate.wait()
            }
            let failing = try scene.origin { _, connection in
                try eventually("the first to have failed") { closing.openConnections == 0 }
                try connection.send("HTTP/1.1 503 Sorry\r\nContent-Length: 1\r\n\r\nb")
            }
            let balancer = try scene.curlLB([closing, failing], Self.once.merging(["LB_RETRY_ON": "gateway"]) { $1 })
            let client = try balancer.connect()
            try client.send(request("GET"))
            try eventually("the second attempt") { failing.requests.count == 1 }
            gate.open()
            // Which of the two ends the balancer has seen first is its own.
            let status = try client.receiveResponse().status
            let line = try balancer.logLine()
            #expect(status == 503 && line.contains(" notes=hedged,hedge_won ") || line.contains(" retriable_status "))
            client.close()
        }
    }
}
