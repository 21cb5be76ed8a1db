// Changes of the backends by way of the admin API, under traffic, and what is refused.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminChangeTests {
    private static let anyPort = ["LB_ADMIN": "127.0.0.1:0", "LB_SLOW_START": "0"]

    /// The answers to some requests.
    private func answers(_ balancer: CurlLB, _ count: Int = 4) throws -> Set<String> {
        Set(try (0..<count).map { _ in try balancer.get().body.text })
    }

    @Test func `a backend comes, gets requests, is drained, comes back, and goes`() throws {
        try Scene.play { scene in
            let (one, two) = (try scene.origin(answering: Reply.ok("a")), try scene.origin(answering: Reply.ok("b")))
            let balancer = try scene.curlLB([one], Self.anyPort)
            let admin = try balancer.admin
            #expect(try answers(balancer) == ["a"])

            let created = try admin.ask("POST", "/backends", #"{"backend": "\#(two.url);weight=2"}"#)
            #expect(created.status == 201)
            let path = try #require(created["Location"])
            #expect(path == "/backends/\(two.name)")
            #expect(try answers(balancer) == ["a", "b"])
            #expect(try admin.get(path).object()["source"] as? String == "operator")

            #expect(try admin.ask("PATCH", path, #"{"state": "drain", "weight": 1}"#).status == 200)
            let before = two.requests.count
            #expect(try answers(balancer, 8) == ["a"])
            #expect(two.requests.count == before)
            #expect(try admin.ask("PATCH", path, #"{"state": "ready"}"#).status == 200)
            #expect(try answers(balancer) == ["a", "b"])

            let removed = try admin.ask("DELETE", path)
            #expect(removed.status == 204 && removed.body.isEmpty && removed.values("Content-Length").isEmpty)
            #expect(try answers(balancer) == ["a"])
            let former = try admin.get(path).object()
            #expect(former["is_member"] as? Bool == false && former["health"] is NSNull)
            #expect(try admin.ask("DELETE", path).status == 404)
            try eventually("the last word") {
                balancer.process.standardError.text.contains("operator: backend \(two.name) removed")
            }
            let said = balancer.process.standardError.text
            #expect(said.contains("operator: backend \(two.name) added: \(two.url);weight=2"))
            #expect(said.contains("operator: backend \(two.name): weight 1, drain"))
        }
    }

    @Test func `a drained backend finishes what it has, and its requests in flight say when`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let slow = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("slow"))
            }
            scene.expectLine(containing: "no backend is usable: requests are answered with 503")
            let balancer = try scene.curlLB([slow], Self.anyPort)
            let admin = try balancer.admin
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            try eventually("the request") { slow.heads.count == 1 }
            let drained = try admin.ask("PATCH", "/backends/\(slow.name)", #"{"state": "drain"}"#).object()
            #expect(drained["in_flight"] as? Int == 1)
            gate.open()
            #expect(try client.receiveResponse().body.text == "slow")
            client.close()
            try eventually("nothing in flight") { try admin.backend(slow.name)["in_flight"] as? Int == 0 }
        }
    }

    @Test func `a page elsewhere cannot change anything, whatever it has a browser send`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            scene.expectLine(containing: "no backend is usable: requests are answered with 503")
            let admin = try scene.curlLB([origin], Self.anyPort).admin
            let path = "/backends/\(origin.name)"
            let drain = #"{"state": "drain"}"#
            for (fields, status) in [
                (["Origin: http://evil.example"], 403), (["Origin: null"], 403), (["Host: evil.example"], 403),
                (["Host: evil.example", "Origin: http://evil.example"], 403), (["Content-Type: text/plain"], 415),
                (["Content-Type: application/x-www-form-urlencoded"], 415),
                (["Host: localhost", "Host: localhost"], 400),
                (["Origin: http://localhost", "Origin: http://localhost"], 403),
            ] {
                #expect(try admin.ask("PATCH", path, drain, fields: fields).status == status, "\(fields)")
            }
            // What a preflight would have to be allowed.
            let preflight = try admin.ask(
                "OPTIONS",
                path,
                fields: ["Origin: http://evil.example", "Access-Control-Request-Method: PATCH"]
            )
            #expect(preflight.status == 403 && preflight.values("Access-Control-Allow-Origin").isEmpty)
            for target in ["\(path)?state=drain", "\(path)?_method=PATCH&weight=0"] {
                #expect(try admin.get(target).status == 200)
            }
            #expect(try admin.backend(origin.name)["administrative"] as? String == "ready")
            #expect(try admin.ask("PATCH", path, drain, fields: ["Origin: http://localhost"]).status == 200)
        }
    }

    @Test func `bodies have a limit, come in any framing, and are waited for with 100 Continue`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let admin = try scene.curlLB([origin], Self.anyPort).admin
            let path = "/backends/\(origin.name)"
            let large = #"{"state": "\#(String(repeating: "x", count: 70_000))"}"#
            let refused = try admin.ask("PATCH", path, large)
            #expect(refused.status == 413 && refused.problem == "body_too_large")
            let huge = try Connection.to(admin.address)
            try huge.send(
                admin.request("PATCH", path, fields: ["Content-Type: application/json", "Content-Length: 99999999"])
            )
            try huge.send(String(repeating: " ", count: 100_000))
            #expect(try huge.receiveResponse().status == 413)
            huge.close()

            let fields = ["Content-Type: application/json", "Transfer-Encoding: chunked", "Expect: 100-continue"]
            let connection = try Connection.to(admin.address)
            defer { connection.close() }
            try connection.send(admin.request("PATCH", path, fields: fields))
            #expect(try connection.receiveHead().status == 100)
            try connection.send("6\r\n{\"weig\r\n")
            try connection.waitUntilRead()
            try connection.send("7\r\nht\": 4}\r\n0\r\n\r\n")
            #expect(try connection.receiveResponse().object()["weight"] as? Int == 4)

            let broken = try Connection.to(admin.address)
            defer { broken.close() }
            try broken.send(admin.request("PATCH", path, fields: Array(fields.prefix(2))) + "x\r\n")
            #expect(try broken.receiveResponse().problem == "malformed_body")
        }
    }
}
