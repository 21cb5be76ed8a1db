// Tests of the access log as it is read by people and by programs.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AccessLogTests {
    /// Requests with bytes that a careless log would pass on; `nil` for no request at all.
    static let hostile = [
        "GET /\"quoted\"\\back HTTP/1.1\r\nHost: test\r\n\r\n", "GET /\u{1B}[31mred HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /\u{E9}\u{FF} HTTP/1.1\r\nHost: test\r\n\r\n", "GET / HTTP/1.1\r\nHost: \u{1}\"\r\n\r\n",
        "\u{0}\u{16}\"\r\n",
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
            #expect(object["reason"] == nil)
        }
    }

    private func json(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("whatever a client sends, a line is one line of printable ASCII", arguments: ["text", "json"])
    func hostile(format: String) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ACCESS_LOG_FORMAT": format])
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
            let process = try scene.process(
                Program.curlLB,
                ["http://a"],
                environment: ["LB_ACCESS_LOG": path, "LB_LISTEN": ":0"]
            )
            #expect(try process.waitForExit() == .code(1))
            #expect(process.standardError.text == "curl-lb: LB_ACCESS_LOG=\(path): No such file or directory\n")
        }
    }

    @Test func `standard output that nobody reads does not stop the traffic`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "the access log cannot be written")
            let balancer = try scene.curlLB([try scene.origin().url], output: .nobody)
            for _ in 0..<50 { #expect(try balancer.get().status == 200) }
            let errors = {
                balancer.process.standardError.lines.filter { $0.contains("the access log cannot be written") }
            }
            try eventually("a line about it") { !errors().isEmpty }
            for _ in 0..<50 { #expect(try balancer.get().status == 200) }
            #expect(errors().count == 1)
        }
    }
}
