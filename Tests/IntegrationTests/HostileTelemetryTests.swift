// Tests that no client can write into the log what is not so, nor make more to be counted than there is.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct HostileTelemetryTests {
    /// What a client says of itself.
    struct Claim: Sendable {
        var method = "GET"
        var target = "/"
        var host = "test"
        var referer = ""
        var userAgent = ""
        var traceparent: String?

        var request: String {
            var text = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
            if !referer.isEmpty { text += "Referer: \(referer)\r\n" }
            if !userAgent.isEmpty { text += "User-Agent: \(userAgent)\r\n" }
            if let traceparent { text += "traceparent: \(traceparent)\r\n" }
            return text + "\r\n"
        }
    }

    /// What would end a field, a line, a string or an object, if it were written as it came.
    private static let endings = [
        #"" 200 in=0 out=0"#, #"\"#, #"\" 200"#, #"\\"#, #"\n2026-01-01T00:00:00.000Z"#, #"","status":200,"x":""#,
        "\"}", "%0A",
        "%22", "'; drop", "<script>", "\u{E9}\u{FF}\u{80}", "a\tb", #"\x22"#, #"\u0022"#, "] \"", "- - [",
        "reason=none",
        "\u{E2}\u{80}\u{A8}", "$(id)", "`id`", "{{7*7}}",
    ]

    /// Claims that curl-lb passes on, since they are valid.
    static let claims: [Claim] = {
        var claims: [Claim] = []
        for text in endings {
            let path = text.unicodeScalars.filter { $0.value > 0x20 && $0.value < 0x7F && $0 != "#" }
            claims.append(
                Claim(
                    target: "/" + String(String.UnicodeScalarView(path)),
                    referer: "x\(text)x",
                    userAgent: "\(text)x",
                    traceparent: "00-\(text)-01"
                )
            )
        }
        for method in ["G\"T", "G'T", "A|B", "~!#$%&*+.^_`", "get", String(repeating: "M", count: 20)] {
            claims.append(Claim(method: method.replacing("\"", with: "'")))
        }
        for host in ["a.b:1", "[::1]", "[::1]:65535", "x%22y", "a_b", String(repeating: "h", count: 200)] {
            claims.append(Claim(host: host, userAgent: "x"))
        }
        return claims
    }()

    /// What a log line says.
    private struct Line {
        var fields: [String: String] = [:]

        /// A JSON line; each scalar is a byte.
        init(json: String) throws {
            guard let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
                throw Disappointment("no object: \(json)")
            }
            for (key, value) in object { fields[key] = "\(value)" }
        }

        /// A line of fields with their names; those that are texts of others are quoted.
        init(text: String) throws {
            for match in text.matches(of: /(?:^| )([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/) {
                let value = match.2.map { Self.unescaped(String($0)) } ?? String(match.3 ?? "")
                fields[String(match.1)] = value == "-" ? "" : value
            }
        }

        /// A line in Apache's form.
        init(combined: String) throws {
            let form =
                /^(\S+) - - \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d+) (\S+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"$/
            guard let match = combined.wholeMatch(of: form) else { throw Disappointment("not the form: \(combined)") }
            let request = Self.unescaped(String(match.3)).split(separator: " ").map(String.init)
            guard request.count == 3 else { throw Disappointment("no request: \(combined)") }
            (fields["method"], fields["target"], fields["status"]) = (request[0], request[1], String(match.4))
            for (key, value) in [("referer", match.6), ("user_agent", match.7)] {
                fields[key] = value == "-" ? "" : Self.unescaped(String(value))
            }
        }

        /// The text without the escapes of the two text forms.
        private static func unescaped(_ text: String) -> String {
            text.replacing(/\\(?:x([0-9a-f]{2})|(.))/) { match in
                guard let digits = match.1, let byte = UInt8(digits, radix: 16) else { return String(match.2 ?? "") }
                return String(Unicode.Scalar(byte))
            }
        }
    }

    @Test("each form parses back to what was sent", arguments: ["json", "text", "combined"])
    func parsesBack(form: String) throws {
        try Scene.play { scene in
            var environment = ["LB_ACCESS_LOG_FORMAT": form]
            // A combined line has fields of its own.
            if form != "combined" { environment["LB_ACCESS_LOG_FIELDS"] = "method,target,host,referer,user_agent" }
            let balancer = try scene.curlLB([try scene.origin()], environment)
            for (index, claim) in Self.claims.enumerated() {
                #expect(try balancer.response(to: claim.request).status == 200, "\(claim)")
                let text = try balancer.logLine(index)
                #expect(text.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
                let line =
                    switch form {
                    case "json": try Line(json: text)
                    case "text": try Line(text: text)
                    default: try Line(combined: text)
                    }
                #expect(line.fields["method"] == claim.method, "\(text)")
                #expect(line.fields["target"] == claim.target, "\(text)")
                if form != "combined" { #expect(line.fields["host"] == claim.host, "\(text)") }
                #expect(line.fields["referer", default: ""] == claim.referer, "\(text)")
                #expect(line.fields["user_agent", default: ""] == claim.userAgent, "\(text)")
            }
            #expect(balancer.log.count == Self.claims.count)
        }
    }

    @Test func `spans say what was sent, and are valid whatever it was`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let balancer = try scene.curlLB([try scene.origin()], ["LB_OTLP_ENDPOINT": endpoint.url])
            for claim in Self.claims { #expect(try balancer.response(to: claim.request).status == 200) }
            #expect(try balancer.countsAtTheEnd().lost.isEmpty)
            #expect(collector.problems == [])
            let exchanges = collector.spans.filter { $0.kind == 2 }.sorted { $0.start < $1.start }
            let paths = Self.claims.map { String($0.target.prefix { $0 != "?" }) }
            #expect(exchanges.map { $0.attributes["url.path"] } == paths)
            // Whatever was claimed of a trace was none.
            #expect(Set(exchanges.map(\.traceID)).count == Self.claims.count)
            #expect(exchanges.allSatisfy { $0.parent.isEmpty })
            let names = Set(exchanges.map(\.name))
            #expect(names.isSubset(of: ["GET", "HTTP"]), "no more names than methods are known")
        }
    }

    /// The series that metrics have, without their numbers.
    private func series(_ balancer: CurlLB) throws -> Set<Substring> {
        Set(
            try balancer.metrics().split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                line[..<(line.lastIndex(of: " ") ?? line.endIndex)]
            }
        )
    }

    @Test func `whatever is sent, failures have the names of the table, and no series comes of it`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ADMIN": "127.0.0.1:0"])
            // So that no phase is counted for the first time later on.
            #expect(try balancer.get().status == 200)
            _ = try balancer.logLine()
            let before = try series(balancer)
            for claim in Self.claims { #expect(try balancer.response(to: claim.request).status == 200) }
            let requests =
                Self.endings.flatMap { text in
                    [
                        "\(text) / HTTP/1.1\r\nHost: test\r\n\r\n", "GET \(text) HTTP/1.1\r\nHost: test\r\n\r\n",
                        "GET / HTTP/1.1\r\nHost: \(text)\r\n\r\n", "GET / HTTP/\(text)\r\nHost: test\r\n\r\n",
                        "GET / HTTP/1.1\r\nHost: test\r\n\(text): x\r\n\r\n",
                        "GET / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: \(text)\r\n\r\n",
                        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n\(text)\r\n",
                        "GET / HTTP/1.1\r\nHost: test\r\nX-Request-Id: \(text)\r\nConnection: \(text)\r\n\r\n",
                    ]
                }
            for request in requests {
                let client = try balancer.connect()
                try client.send(request)
                client.finishSending()
                _ = try client.drainToEnd()
                client.close()
            }
            let after = try series(balancer)
            #expect(after.subtracting(before).isEmpty, "\(after.subtracting(before).prefix(5))")
            let counts = try balancer.countsAtTheEnd()
            #expect(counts.failures.count > 5)
            #expect(Set(counts.failures.keys).isSubset(of: FailureWordsTests.allLabels))
            #expect(balancer.log.count >= requests.count)
            #expect(balancer.log.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
        }
    }
}
