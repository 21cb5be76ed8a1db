// The admin API over its sockets: where it listens, what it answers, and what it bears.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminTests {
    private static let anyPort = ["LB_ADMIN": "127.0.0.1:0"]

    // MARK: Where it listens

    @Test func `an address that was given and is taken ends the start with a line`() throws {
        try Scene.play { scene in
            let port = try scene.refusingPort()
            let process = try scene.program(
                ["http://127.0.0.1:1"],
                environment: ["LB_LISTEN": "127.0.0.1:0", "LB_ADMIN": "127.0.0.1:\(port)"]
            )
            #expect(try process.waitForExit() == .code(1))
            #expect(
                process.standardError.text
                    == "curl-lb: LB_ADMIN=127.0.0.1:\(port): Address already in use: another process listens there; stop it,"
                    + " or choose another port\n"
            )
        }
    }

    @Test func `when only the default is taken, the balancer says so and serves without`() throws {
        try Scene.play { scene in
            // Whoever has it already has it.
            let descriptor = try? SocketAddress.loopback(port: 9900).bind()
            scene.atEnd { if let descriptor { close(descriptor) } }
            let process = try scene.process(
                Program.curlLB,
                ["http://127.0.0.1:1"],
                environment: ["LB_LISTEN": "127.0.0.1:0", "LB_HEALTH": "off"]
            )
            try eventually("the start: \(process.standardError.text)") {
                process.standardError.text.contains(" listening on ")
            }
            let warnings = process.standardError.lines.filter { $0.contains(" warning ") }
            #expect(warnings.count == 1)
            #expect(
                warnings.first?.contains("no admin API: LB_ADMIN=127.0.0.1:9900: Address already in use: ") == true
                    && warnings.first?.hasSuffix("; or set LB_ADMIN=off") == true
            )
        }
    }

    @Test func `a Unix-domain socket goes with the program`() throws {
        try Scene.play { scene in
            let path = try scene.folder() + "/admin.sock"
            let balancer = try scene.curlLB([scene.origin()], ["LB_ADMIN": "unix:\(path)"])
            #expect(try balancer.admin.get("/healthz").body.text == "ok\n")
            #expect(try balancer.admin.ask("GET", "/stats", fields: ["Host: any.name"]).status == 200)
            // Whoever may connect may change everything: it is the user's alone.
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    // MARK: Reading

    @Test func `metrics, state and settings tell of the traffic`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], Self.anyPort.merging(["LB_NAME": "edge"]) { $1 })
            for _ in 0..<3 { #expect(try balancer.get().status == 200) }
            let admin = try balancer.admin
            try eventually("the third request's end") {
                try admin.get("/metrics").body.text
                    .contains("\ncurl_lb_client_requests_total{method=\"GET\",code=\"2xx\"} 3\n")
            }
            let metrics = try admin.get("/metrics")
            #expect(metrics["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.body.text.contains("\ncurl_lb_backend_attempts_total{backend=\"\(origin.name)\"} 3\n"))
            let stats = try admin.get("/stats").object()
            #expect(stats["name"] as? String == "edge")
            let backend = try admin.backend(origin.name)
            #expect((backend["counts"] as? [String: Any])?["attempts"] as? Int == 3)
            #expect(backend["source"] as? String == "configuration")
            #expect((backend["health"] as? [String: Any])?["check"] as? String == "off")
            let settings = try admin.get("/config").object()["settings"] as? [[String: String]]
            #expect(settings?.contains(["name": "LB_NAME", "value": "edge", "source": "environment"]) == true)
            #expect(try admin.get("/openapi.json").object()["openapi"] as? String == "3.1.0")
        }
    }

    @Test func `every response has the fields that keep browsers careful`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            for path in ["/", "/healthz", "/stats", "/metrics", "/nothing", "/openapi.json"] {
                let response = try admin.get(path)
                #expect(response["Cache-Control"] == "no-store", "\(path)")
                #expect(response["X-Content-Type-Options"] == "nosniff")
                #expect(response["X-Frame-Options"] == "DENY")
                #expect(response["Cross-Origin-Resource-Policy"] == "same-origin")
                #expect(response.values("Access-Control-Allow-Origin").isEmpty)
                #expect(response["Date"]?.hasSuffix(" GMT") == true)
            }
            let page = try admin.get("/")
            #expect(page["Content-Type"] == "text/html; charset=utf-8")
            #expect(page["Content-Security-Policy"]?.hasPrefix("default-src 'none'; ") == true)
        }
    }

    @Test func `a connection serves one request after the other, HEAD without a body, and old clients`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            let connection = try Connection.to(admin.address)
            defer { connection.close() }
            // Together: pipelined.
            try connection.send(
                admin.request("GET", "/healthz", isLast: false) + admin.request("HEAD", "/stats", isLast: false)
                    + admin.request("POST", "/stats", "{}", isLast: false)
                    + admin.request("GET", "/nothing", isLast: false)
            )
            #expect(try connection.receiveResponse().body.text == "ok\n")
            let head = try connection.receiveResponse(to: "HEAD")
            #expect(head.status == 200 && Int(head["Content-Length"] ?? "") ?? 0 > 1000)
            let refused = try connection.receiveResponse()
            #expect(refused.status == 405 && refused["Allow"] == "GET, HEAD")
            #expect(try connection.receiveResponse().problem == "not_found")
            try connection.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try connection.receiveResponse()["Connection"] == "close")
            #expect(try connection.isAtEnd())
        }
    }

    @Test func `what is no request is refused as a problem`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            func answer(_ request: String) throws -> Message {
                let connection = try Connection.to(admin.address)
                defer { connection.close() }
                try connection.send(request)
                return try connection.receiveResponse()
            }
            let long = "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            for (request, status, reason) in [
                ("GET / HTTP/1.1\r\n\r\n", 400, "missing_host"),
                ("GET /\u{1} HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_target"),
                ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, "connect_refused"),
                (long, 414, "target_too_long"),
            ] {
                let response = try answer(request)
                #expect(response.status == status)
                #expect(response.problem == reason)
                #expect(response["Connection"] == "close")
            }
        }
    }

    // MARK: Readiness

    @Test func `it is ready while a backend is usable, and no longer when it drains`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let origin = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("late"))
            }
            let balancer = try scene.curlLB([origin], Self.anyPort)
            let admin = try balancer.admin
            #expect(try admin.get("/readyz").status == 200)
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            try eventually("the request") { origin.heads.count == 1 }
            balancer.process.send(SIGTERM)
            try eventually("the drain") { try admin.get("/readyz").problem == "draining" }
            #expect(try admin.get("/healthz").status == 200)
            gate.open()
            #expect(try client.receiveResponse().body.text == "late")
            client.close()
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }

    @Test func `without a usable backend it is not ready`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: " is down, was unchecked: ")
            scene.expectLine(containing: "panic: ")
            let environment = Self.anyPort.merging(["LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "1h"]) { $1 }
            let admin = try scene.curlLB([scene.refusingURL()], environment).admin
            let response = try admin.get("/readyz")
            #expect(response.status == 503 && response.problem == "no_backend")
            #expect(response["Retry-After"] == "1")
            let stats = try admin.get("/stats").object()
            #expect(stats["is_panic"] as? Bool == true)
            let backends = try #require(stats["backends"] as? [[String: Any]])
            let health = try #require(backends.first?["health"] as? [String: Any])
            #expect(health["check"] as? String == "connect")
            let probe = try #require((health["probes"] as? [[String: Any]])?.first)
            #expect(probe["is_good"] as? Bool == false)
            #expect((probe["text"] as? String)?.contains("connect") == true)
        }
    }

    // MARK: Limits

    @Test func `with a token, whoever does not show it gets nothing`() throws {
        try Scene.play { scene in
            let token = "abcdefghijklmnopqrstuvwxyz"
            let file = try scene.folder() + "/token"
            try "\(token)\n".write(toFile: file, atomically: true, encoding: .utf8)
            let balancer = try scene.curlLB(
                [scene.origin()],
                ["LB_ADMIN": "0.0.0.0:0", "LB_ADMIN_TOKEN": "file:\(file)"]
            )
            var admin = try balancer.admin
            #expect(try admin.get("/healthz").status == 200)
            #expect(try admin.get("/").status == 200)
            let refused = try admin.get("/stats")
            #expect(refused.status == 401 && refused.problem == "unauthorized")
            #expect(refused["WWW-Authenticate"] == #"Bearer realm="curl-lb""#)
            #expect(try admin.ask("DELETE", "/backends/x").status == 401)
            admin.token = token
            #expect(try admin.get("/stats").status == 200)
            #expect(try admin.ask("DELETE", "/backends/x").problem == "unknown_backend")
            #expect(!balancer.process.standardError.text.contains(token))
        }
    }
}
