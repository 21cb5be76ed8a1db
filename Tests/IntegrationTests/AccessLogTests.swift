// Tests of the access log as it is read by people and by programs.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AccessLogTests {
    /// Requests with bytes that a careless log would pass on; `nil` for no request at all.
    static let hostile = [
        "GET /\"quoted\"\\back HTTP/1.1\r\nHost: test\r\n\r\n", "GET /\u{1B}[31mred HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /\u{E9}\u{FF} HTTP/1.1\r\nHost: test\r\n\r\n", "GET / HTTP/1.1\r\nHost: \u{1}\"\r\n\r\n",
        "\u{0}\u{16}\"\r\n",
        "GET / HTTP/1.1\r\nHost: test\r\nReferer: \"\\\u{E9}\t \" 200\r\nUser-Agent: \u{1B}]0;x\u{7}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: test\r\nReferer: \"\\\u{E9}\t \" 200\r\nUser-Agent: \"x\\\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: test\r\nX-Request-Id: \"\\\u{E9}\r\n\r\n", "GET /a HTTP/1.1\r\nHost: \"\\\r\n\r\n",
    ]

    @Test func `a line says who, what, how it went, and where`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("hello"))
            let balancer = try scene.curlLB(["\(origin.url);name=blue"])
            _ = try balancer.response(
                to: "POST /a?b HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nX-Request-Id: id-1\r\n\r\nabc"
            )
            let line = try balancer.logLine()
            let form = #"""
                ^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1:\d+ "POST /a\?b" 200 in=3 out=5 ms=\d+\.\d{3} \#
                ttfb=\d+\.\d{3} backend=blue attempts=1 id=id-1$
                """#
            #expect(line.range(of: form, options: .regularExpression) != nil, "\(line)")
        }
    }

    @Test("lines of many requests at once stand in their order, whatever they tell", arguments: [8, 5000])
    func order(longest: Int) throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("hello"))
            let balancer = try scene.curlLB(["\(origin.url);name=blue"], ["LB_WORKERS": "1"])
            let targets = (0..<150).map { "/\($0)-" + String(repeating: "x", count: $0 * longest / 150) }
            let client = try balancer.connect()
            // Some are answered here, for a reason; some bring an identifier of their own.
            let requests = targets.enumerated().map { index, target in
                let isOwn = index % 5 == 1
                let field = index % 7 == 3 ? "Max-Forwards: 0\r\n" : isOwn ? "X-Request-Id: mine-\(index)\r\n" : ""
                return "\(index % 7 == 3 ? "TRACE" : "GET") \(target) HTTP/1.1\r\nHost: test\r\n\(field)\r\n"
            }
            try client.send(requests.joined())
            for _ in targets { _ = try client.receiveResponse() }
            client.close()
            try eventually("all lines") { balancer.log.count == targets.count }
            for (index, line) in balancer.log.enumerated() {
                #expect(line.contains(" \"\(index % 7 == 3 ? "TRACE" : "GET") \(targets[index])\" "), "\(line)")
                #expect(line.contains(" backend=blue ") == (index % 7 != 3))
                if index % 7 != 3, index % 5 == 1 { #expect(line.contains(" id=mine-\(index)")) }
            }
        }
    }

    @Test func `a JSON line says the same`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: Reply.ok("hello"))
            let refusing = try scene.refusingURL()
            let balancer = try scene.curlLB(
                ["\(refusing);name=red", "\(origin.url);name=blue"],
                ["LB_ACCESS_LOG_FORMAT": "json"]
            )
            _ = try balancer.response(
                to: "POST /a?b HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nX-Request-Id: id-1\r\n\r\nabc"
            )
            let object = try json(balancer.logLine())
            #expect(object["method"] as? String == "POST")
            #expect(object["target"] as? String == "/a?b")
            #expect(object["host"] as? String == "test")
            #expect(object["status"] as? Int == 200)
            #expect(object["bytes_in"] as? Int == 3)
            #expect(object["bytes_out"] as? Int == 5)
            #expect(object["backend"] as? String == "blue")
            #expect(object["attempts"] as? Int == 2)
            #expect(object["id"] as? String == "id-1")
            let failed = try #require((object["failed_attempts"] as? [[String: Any]])?.first)
            #expect(failed["backend"] as? String == "red")
            #expect(failed["reason"] as? String == "connection_refused")
            #expect(failed["code"] as? Int == 7)
            #expect(object["reason"] == nil)
        }
    }

    private func json(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("whatever a client sends, a line is one line of printable ASCII", arguments: ["text", "json", "combined"])
    func hostile(format: String) throws {
        try Scene.play { scene in
            var environment = ["LB_ACCESS_LOG_FORMAT": format]
            if format != "combined" { environment["LB_ACCESS_LOG_FIELDS"] = "all" }
            let balancer = try scene.curlLB([try scene.origin()], environment)
            for (index, request) in Self.hostile.enumerated() {
                let client = try balancer.connect()
                try client.send(request)
                _ = try client.receiveResponse()
                client.close()
                let line = try balancer.logLine(index)
                #expect(line.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
                if format == "json" { #expect(try json(line)["status"] is Int) }
            }
            #expect(balancer.log.count == Self.hostile.count)
            if format == "json" { #expect(try json(balancer.logLine())["target"] as? String == "/\"quoted\"\\back") }
        }
    }

    @Test("a reason phrase without an end does not fill the log", arguments: ["text", "json"])
    func reasonPhrase(format: String) throws {
        try Scene.play { scene in
            let phrase = "No way " + String(repeating: "\u{FF}", count: 50_000)
            let bad = try scene.origin(answering: "HTTP/1.1 503 \(phrase)\r\nContent-Length: 0\r\n\r\n")
            let good = try scene.origin(answering: Reply.ok("ok"))
            let balancer = try scene.curlLB(
                [bad, good],
                ["LB_POLICY": "first", "LB_RETRY_ON": "gateway", "LB_ACCESS_LOG_FORMAT": format]
            )
            #expect(try balancer.get().status == 200)
            let line = try balancer.logLine()
            #expect(line.contains("503 No way ") && line.utf8.count < 4000, "\(line.utf8.count) bytes")
        }
    }

    @Test func `lines go to a file, behind what stands there`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/access.log"
            try "before\n".write(toFile: path, atomically: true, encoding: .utf8)
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": path])
            #expect(try balancer.get().status == 200)
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first == "before")
            #expect(balancer.log.isEmpty)
        }
    }

    @Test func `off means no line`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": "off"])
            #expect(try balancer.get().status == 200)
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.log.isEmpty)
        }
    }

    @Test func `the last lines are written before the end`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()])
            for _ in 0..<20 { #expect(try balancer.get().status == 200) }
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(balancer.log.count == 20)
        }
    }

    @Test func `a file that cannot be opened is told in one line at the start`() throws {
        try Scene.play { scene in
            let path = "/proc/self/access.log"
            let process = try scene.program(
                ["http://a"],
                environment: ["LB_ACCESS_LOG": path, "LB_LISTEN": ":0"]
            )
            #expect(try process.waitForExit() == .code(1))
            #expect(process.standardError.text == "curl-lb: LB_ACCESS_LOG=\(path): No such file or directory\n")
        }
    }

    @Test func `standard output that nobody reads does not stop the traffic`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines")
            let balancer = try scene.curlLB([try scene.origin().url], output: .nobody)
            for _ in 0..<50 { #expect(try balancer.get().status == 200) }
            let errors = {
                balancer.process.standardError.lines.filter { $0.contains("the access log loses lines") }
            }
            try eventually("a line about it") { !errors().isEmpty }
            for _ in 0..<50 { #expect(try balancer.get().status == 200) }
        }
    }

    @Test func `the combined form is that of Apache`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG_FORMAT": "combined"])
            _ = try balancer.response(
                to: "GET /a?b HTTP/1.1\r\nHost: test\r\nReferer: http://x/\r\nUser-Agent: test/1 (x; y)\r\n\r\n"
            )
            let form = #"""
                ^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a\?b HTTP/1\.1" 200 2 \#
                "http://x/" "test/1 \(x; y\)"$
                """#
            let line = try balancer.logLine()
            #expect(line.range(of: form, options: .regularExpression) != nil, "\(line)")
        }
    }

    @Test func `phases of the connection stand in the line of the request that made it`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(
                [try scene.origin()],
                ["LB_ACCESS_LOG_FIELDS": "status dns_ms connect_ms tls_ms wait_ms body_ms"]
            )
            let client = try balancer.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                _ = try client.receiveResponse()
            }
            client.close()
            let time = #"\d+\.\d{3}"#
            let first = try balancer.logLine(0)
            let form = "^200 dns_ms=\(time) connect_ms=\(time) wait_ms=\(time) body_ms=\(time)$"
            #expect(first.range(of: form, options: .regularExpression) != nil, "\(first)")
            let second = try balancer.logLine(1)
            #expect(
                second.range(of: "^200 wait_ms=\(time) body_ms=\(time)$", options: .regularExpression) != nil,
                "\(second)"
            )
        }
    }

    @Test func `SIGUSR1 makes the file anew, and no line is lost`() throws {
        try Scene.play { scene in
            let folder = try scene.folder()
            let path = "\(folder)/access.log"
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": path])
            #expect(try balancer.get("/1").status == 200)
            // Lines are gathered for a moment: one that is written later goes to the new file.
            try eventually("the first line") {
                ProcFile(path).text.contains("\"GET /1\"")
            }
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
            balancer.process.send(SIGUSR1)
            try eventually("the new file") { FileManager.default.fileExists(atPath: path) }
            #expect(try balancer.get("/2").status == 200)
            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            let old = try String(contentsOfFile: "\(path).1", encoding: .utf8)
            let new = try String(contentsOfFile: path, encoding: .utf8)
            #expect(old.contains("\"GET /1\"") && !old.contains("\"GET /2\""))
            #expect(new.contains("\"GET /2\"") && !new.contains("\"GET /1\""))
        }
    }

    @Test func `sampling leaves out what went well, and nothing else`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(replying: { request, connection in
                let status = request.startLine.contains("/bad") ? "500 Bad" : "200 OK"
                try connection.send("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
            })
            let balancer = try scene.curlLB(
                [origin],
                ["LB_ACCESS_LOG_SAMPLE": "1/1000000", "LB_ACCESS_LOG_FIELDS": "request,status,sample,reason"]
            )
            for _ in 0..<20 { #expect(try balancer.get("/good").status == 200) }
            #expect(try balancer.get("/bad").status == 500)
            #expect(try balancer.response(to: "GET /worse HTTP/1.1\r\n\r\n").status == 400)
            _ = try balancer.logLine(1)
            #expect(
                balancer.log == [
                    #""GET /bad" 500 sample=1"#, #""GET /worse" 400 sample=1 reason=missing_host"#,
                ]
            )
        }
    }

    @Test("a log that cannot be written costs lines, and nothing else", arguments: ["/dev/full", "pipe"])
    func unwritable(_ place: String) throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log loses lines")
            let folder = try scene.folder()
            let path = place == "pipe" ? "\(folder)/pipe" : place
            if place == "pipe" { #expect(mkfifo(path, 0o600) == 0) }
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG": path])
            for _ in 0..<20 { #expect(try balancer.get().status == 200) }
            try eventually("a line about it") {
                balancer.process.standardError.text.contains("the access log loses lines")
            }
            for _ in 0..<20 { #expect(try balancer.get().status == 200) }
        }
    }
}
