// The event stream: what comes at once and what comes later, and readers that do not read.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminEventsTests {
    private static let anyPort = ["LB_ADMIN": "127.0.0.1:0"]

    @Test func `the state comes at once and then again and again`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let events = try scene.curlLB([origin], Self.anyPort).admin.events()
            defer { events.close() }
            let first = try events.receiveEvent()
            #expect(first.name == "stats")
            #expect((first.data["backends"] as? [[String: Any]])?.first?["name"] as? String == origin.name)
            let times = try (0..<2).compactMap { _ in try events.receiveEvent("stats")["time"] as? Double }
            #expect(times.count == 2 && times[0] < times[1])
            #expect(times[0] > first.data["time"] as? Double ?? .infinity)
        }
    }

    @Test func `failures are told with their attempts, old ones first`() throws {
        try Scene.play { scene in
            let refusing = try scene.refusingURL()
            let balancer = try scene.curlLB([refusing], Self.anyPort)
            #expect(try balancer.get("/one").status == 502)
            let events = try balancer.admin.events()
            defer { events.close() }
            let old = try events.receiveEvent("failure")
            #expect(old["target"] as? String == "/one")
            #expect(
                try balancer.response(to: "GET /two?q=\"<b> HTTP/1.1\r\nHost: t\r\nX-Request-Id: r7\r\n\r\n").status
                    == 502
            )
            let new = try events.receiveEvent("failure")
            #expect(new["target"] as? String == "/two?q=\"<b>")
            #expect(new["method"] as? String == "GET")
            #expect(new["status"] as? Int == 502)
            #expect(new["reason"] as? String == "connection_refused")
            #expect(new["backend"] is NSNull)
            #expect(new["id"] as? String == "r7")
            #expect((new["client"] as? String)?.hasPrefix("127.0.0.1:") == true)
            let attempt = try #require((new["attempts"] as? [[String: Any]])?.first)
            #expect(attempt["backend"] as? String == String(refusing.dropFirst("http://".count)))
            #expect(attempt["reason"] as? String == "connection_refused")
            #expect((attempt["text"] as? String)?.contains("connect") == true)
            #expect(attempt["milliseconds"] is Double)
            let next = try balancer.admin.events()
            defer { next.close() }
            #expect(
                try (0..<2).map { _ in try next.receiveEvent("failure")["target"] as? String } == [
                    "/one", "/two?q=\"<b>",
                ]
            )
        }
    }

    @Test func `a client that leaves has no status, and what cannot be read no target`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try gate.wait()
            }
            let balancer = try scene.curlLB([origin], Self.anyPort)
            let events = try balancer.admin.events()
            defer { events.close() }
            let client = try balancer.connect()
            try client.send("GET /left HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request") { origin.heads.count == 1 }
            client.close()
            let left = try events.receiveEvent("failure")
            #expect(left["reason"] as? String == "client_gone" && left["status"] is NSNull)
            #expect(try balancer.response(to: "\u{1}\u{2} nothing\r\n\r\n").status == 400)
            let refused = try events.receiveEvent("failure")
            #expect(refused["status"] as? Int == 400 && (refused["attempts"] as? [Any])?.isEmpty == true)
            gate.open()
        }
    }

    @Test func `changes are told, those of health too`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: " is down, was unchecked: ")
            let origin = try scene.origin()
            let environment = Self.anyPort.merging(["LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "1h"]) { $1 }
            let balancer = try scene.curlLB([origin], environment)
            let admin = try balancer.admin
            let events = try admin.events()
            defer { events.close() }
            let first = try events.receiveEvent("change")
            #expect(first["kind"] as? String == "health" && first["backend"] as? String == origin.name)
            #expect((first["text"] as? String)?.hasPrefix("is up, was unchecked: the first check passed") == true)
            let refusing = try scene.refusingURL()
            try admin.ask("POST", "/backends", #"{"backend": "\#(refusing);name=new"}"#)
            var texts: [String] = []
            // Two threads tell of it, each in its time.
            while !texts.contains("added: \(refusing)")
                || !texts.contains(where: { $0.hasPrefix("is down, was unchecked: ") })
            {
                let change = try events.receiveEvent("change")
                if change["backend"] as? String == "new" { texts.append(change["text"] as? String ?? "") }
            }
            try admin.ask("PATCH", "/backends/new", #"{"state": "maintenance"}"#)
            while try events.receiveEvent("change")["text"] as? String != "maintenance" {}
        }
    }

    @Test func `readers that take nothing hold up nobody, and cost no memory that grows`() throws {
        try Scene.play { scene in
            // A state of some hundred kilobytes.
            let backends = (0..<100).map { "http://127.0.0.1:1;name=backend-\($0)" }
            let balancer = try scene.curlLB(backends, Self.anyPort)
            let admin = try balancer.admin
            let deaf = try (0..<30).map { _ in try admin.events(receiveBuffer: 4096) }
            let reader = try admin.events()
            for _ in 0..<3 { _ = try reader.receiveEvent("stats") }
            let before = balancer.process.residentMemory
            for _ in 0..<6 { _ = try reader.receiveEvent("stats") }
            let grown = balancer.process.residentMemory - before
            // Six states for thirty readers would be a hundred megabytes.
            if !isSanitized { #expect(grown < 16 << 20, "\(grown) bytes") }
            #expect(try admin.get("/healthz").status == 200)
            // One that reads on gets whole messages.
            let first = try deaf[0].receiveEvent("stats")
            let next = try deaf[0].receiveEvent("stats")
            #expect((next["time"] as? Double ?? 0) > (first["time"] as? Double ?? .infinity))
            for connection in deaf + [reader] { connection.close() }
        }
    }

    @Test func `a hundred readers get the same state`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            let readers = try (0..<100).map { _ in try admin.events() }
            // The second one of the last was made when all had joined.
            _ = try readers[99].receiveEvent("stats")
            let time = try #require(try readers[99].receiveEvent("stats")["time"] as? Double)
            for reader in readers.dropLast() {
                while let other = try reader.receiveEvent("stats")["time"] as? Double, other != time {
                    guard other < time else { throw Disappointment("a state of \(other) in place of \(time)") }
                }
            }
            for reader in readers { reader.close() }
        }
    }

    @Test func `the end of the program ends the stream`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([scene.origin()], Self.anyPort)
            let events = try balancer.admin.events()
            defer { events.close() }
            _ = try events.receiveEvent("stats")
            balancer.process.send(SIGTERM)
            #expect(try events.drainToEnd() == .closed)
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }
}
