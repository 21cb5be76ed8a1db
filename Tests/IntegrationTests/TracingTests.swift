// Tests of traces: from a client's traceparent to what backends and a collector get.

import Foundation
import Testing

/// The trace of a client, and its `traceparent`.
private enum Client {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let parent = "00f067aa0ba902b7"
    static let sampled = "00-\(trace)-\(parent)-01"
    static let unsampled = "00-\(trace)-\(parent)-00"
}

@Suite(.timeLimit(.minutes(5))) struct TracingTests {
    /// Reads a request whole and closes.
    private static let readAndClose: ScriptedOrigin.Script = { connection, _ in _ = try connection.receiveRequest() }

    private func get(_ balancer: CurlLB, _ target: String = "/", _ fields: String...) throws {
        let lines = fields.map { "\($0)\r\n" }.joined()
        let request = "GET \(target) HTTP/1.1\r\nHost: shop.example:8080\r\nConnection: close\r\n\(lines)\r\n"
        #expect(try balancer.response(to: request).status == 200)
    }

    /// The parts of a `traceparent`.
    private func parts(_ message: Message?) throws -> (trace: String, parent: String, flags: String) {
        let parts = try #require(message?["traceparent"]).split(separator: "-").map(String.init)
        try #require(parts.count == 4 && parts[0] == "00" && parts[1].count == 32 && parts[2].count == 16)
        return (parts[1], parts[2], parts[3])
    }

    // MARK: Spans

    @Test func `a trace that begins here hangs together from the client to each backend`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let refusing = try scene.refusingURL()
            let origin = try scene.origin(answering: Reply.ok("hello"))
            let balancer = try scene.curlLB(
                ["\(refusing);name=red", "\(origin.url);name=blue"],
                ["LB_POLICY": "first", "LB_OTLP_ENDPOINT": endpoint.url, "LB_OTLP_HEADERS": "X-Token=a%20b"]
            )
            try get(balancer, "/basket?token=secret", "X-Request-Id: id-1")
            _ = try balancer.countsAtTheEnd()

            #expect(collector.problems == [])
            #expect(collector.requests.map { $0["X-Token"] } == ["a b"])
            let exchange = try #require(collector.spans.first { $0.kind == 2 })
            let attempts = collector.spans.filter { $0.kind == 3 }.sorted { $0.start < $1.start }
            #expect(collector.spans.count == 3 && attempts.count == 2)
            // Who is whose child.
            let sent = try parts(origin.requests.first)
            #expect(collector.spans.allSatisfy { $0.traceID == sent.trace })
            #expect(exchange.parent.isEmpty)
            #expect(attempts.allSatisfy { $0.parent == exchange.id })
            #expect(attempts[1].id == sent.parent && sent.flags == "01")
            #expect(Set(collector.spans.map(\.id)).count == 3)
            // When.
            let now = UInt64(Date().timeIntervalSince1970 * 1e9)
            #expect(exchange.start <= attempts[0].start && attempts[0].end <= attempts[1].start)
            #expect(attempts[1].end <= exchange.end && exchange.start > now - 100_000_000_000 && exchange.end <= now)
            // What.
            #expect(exchange.name == "GET" && !exchange.isError)
            #expect(exchange.resource["service.name"] == "curl-lb" && exchange.resource["service.version"] != nil)
            let told = exchange.attributes
            #expect(told["url.path"] == "/basket" && told["server.address"] == "shop.example")
            #expect(told["server.port"] == "8080" && told["client.address"] == "127.0.0.1")
            #expect(told["http.response.status_code"] == "200" && told["error.type"] == nil)
            #expect(told["curl_lb.backend"] == "blue" && told["curl_lb.attempts"] == "2")
            #expect(told["curl_lb.request_id"] == "id-1" && told["http.response.body.size"] == "5")
            #expect(attempts[0].isError && attempts[0].attributes["error.type"] == "connection_refused")
            #expect(attempts[0].message.contains("connect") && attempts[0].attributes["curl_lb.backend"] == "red")
            #expect(attempts[0].attributes["curl_lb.outcome"] == "failed")
            #expect(attempts[1].attributes["http.request.resend_count"] == "1" && !attempts[1].isError)
            #expect(attempts[1].attributes["server.port"] == "\(origin.name.split(separator: ":")[1])")
            #expect(attempts[1].attributes["curl_lb.outcome"] == "answered")
            // Secrets of the target are nobody's business.
            #expect(!collector.requests.contains { $0.body.text.contains("secret") })
            #expect(try balancer.logLine().hasSuffix(" id=id-1 trace_id=\(sent.trace)"))
        }
    }

    @Test("each attempt of a request with a body is a parent of its own", arguments: [100, 60_000])
    func bodies(size: Int) throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let broken = try scene.origin(Self.readAndClose)
            let good = try scene.origin()
            let balancer = try scene.curlLB(
                ["\(broken.url);host=other.example", good.url],
                ["LB_POLICY": "first", "LB_OTLP_ENDPOINT": endpoint.url]
            )
            let client = try balancer.connect()
            try client.send(
                "PUT / HTTP/1.1\r\nHost: test\r\ntraceparent: \(Client.sampled)\r\nContent-Length: \(size)\r\n\r\n"
            )
            try client.send([UInt8].pattern(size))
            #expect(try client.receiveResponse().status == 200)
            client.close()
            _ = try balancer.countsAtTheEnd()
            let attempts = collector.spans.filter { $0.kind == 3 }.sorted { $0.start < $1.start }
            let heads = [broken.requests.first, good.requests.first]
            #expect(try heads.map { try parts($0).parent } == attempts.map(\.id))
            #expect(try heads.allSatisfy { try parts($0).trace == Client.trace })
            #expect(heads.allSatisfy { $0?.body == [UInt8].pattern(size) })
            #expect(attempts.map { $0.attributes["error.type"] } == ["connection_terminated", nil])
            #expect(collector.spans.first { $0.kind == 2 }?.parent == Client.parent)
        }
    }

    @Test func `a connection that had died is an attempt of its own`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            // The second request on a connection is read and not answered.
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send(Reply.ok("ok"))
                _ = try connection.receiveRequest()
            }
            let balancer = try scene.curlLB([origin], ["LB_OTLP_ENDPOINT": endpoint.url])
            for _ in 0..<2 { try get(balancer) }
            _ = try balancer.countsAtTheEnd()
            let attempts = collector.spans.filter { $0.kind == 3 }.sorted { $0.start < $1.start }
            #expect(attempts.map { $0.attributes["curl_lb.connection_reused"] } == ["0", "1", "0"])
            #expect(attempts.map(\.isError) == [false, true, false])
            #expect(try origin.requests.map { try parts($0).parent } == attempts.map(\.id))
        }
    }

    @Test func `what fails is told in the exchange's span`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let balancer = try scene.curlLB([try scene.refusingURL()], ["LB_OTLP_ENDPOINT": endpoint.url])
            let request = "BREW /pot HTTP/1.1\r\nHost: [::1]:81\r\nConnection: close\r\n\r\n"
            #expect(try balancer.response(to: request).status == 502)
            _ = try balancer.countsAtTheEnd()
            let exchange = try #require(collector.spans.first { $0.kind == 2 })
            #expect(exchange.name == "HTTP" && exchange.isError)
            #expect(exchange.attributes["error.type"] == "connection_refused")
            #expect(exchange.attributes["http.response.status_code"] == "502")
            #expect(exchange.attributes["http.request.method"] == "_OTHER")
            #expect(exchange.attributes["http.request.method_original"] == "BREW")
            #expect(exchange.attributes["server.address"] == "::1" && exchange.attributes["server.port"] == "81")
        }
    }

    // MARK: Contexts

    @Test func `a client's trace is continued, and its state goes on`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_OTLP_ENDPOINT": endpoint.url])
            try get(balancer, "/", "traceparent: cc-\(Client.trace)-\(Client.parent)-09-later", "tracestate: a=b,c=d")
            _ = try balancer.countsAtTheEnd()
            let exchange = try #require(collector.spans.first { $0.kind == 2 })
            let attempt = try #require(collector.spans.first { $0.kind == 3 })
            #expect(exchange.traceID == Client.trace && exchange.parent == Client.parent && exchange.state == "a=b,c=d")
            #expect(attempt.parent == exchange.id && attempt.state == "a=b,c=d")
            let request = try #require(origin.requests.first)
            #expect(request["traceparent"] == "00-\(Client.trace)-\(attempt.id)-01")
            #expect(request["tracestate"] == "a=b,c=d")
        }
    }

    @Test(
        "a malformed traceparent begins a new trace, and no state is passed on",
        arguments: [
            "00-\(Client.trace)-\(Client.parent)-01-more", "00-\(Client.trace.uppercased())-\(Client.parent)-01",
            "ff-\(Client.trace)-\(Client.parent)-01",
            "00-00000000000000000000000000000000-\(Client.parent)-01",
            "\(Client.sampled)\r\ntraceparent: \(Client.sampled)", "",
        ]
    )
    func malformed(value: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_TRACE": "on"])
            try get(balancer, "/", "traceparent: \(value)", "tracestate: a=b", "TraceState: c=d")
            let sent = try parts(origin.requests.first)
            #expect(sent.trace != Client.trace && sent.flags == "01")
            #expect(origin.requests.first?.values("tracestate") == [])
            #expect(try balancer.logLine().hasSuffix(" trace_id=\(sent.trace)"))
        }
    }

    @Test(
        "what the client has decided is honoured, and nothing is recorded that is not sampled",
        arguments: [
            (Client.unsampled, "1/1"), ("", "0"),
        ]
    )
    func unsampled(value: String, share: String) throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let origin = try scene.origin()
            let balancer = try scene.curlLB(
                [origin],
                ["LB_OTLP_ENDPOINT": endpoint.url, "LB_TRACE_SAMPLE": share]
            )
            if value.isEmpty { try get(balancer) } else { try get(balancer, "/", "traceparent: \(value)") }
            _ = try balancer.countsAtTheEnd()
            let sent = try parts(origin.requests.first)
            #expect(sent.flags == "00")
            // Nobody records a span that the backend could belong to but the client's.
            if !value.isEmpty { #expect(origin.requests.first?["traceparent"] == value) }
            #expect(collector.requests.isEmpty)
            #expect(try balancer.logLine().hasSuffix(" trace_id=\(sent.trace)"))
        }
    }

    @Test("who is not trusted does not decide that a trace is recorded", arguments: [true, false])
    func trust(isTrusted: Bool) throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let origin = try scene.origin()
            let balancer = try scene.curlLB(
                [origin],
                [
                    "LB_OTLP_ENDPOINT": endpoint.url, "LB_TRACE_SAMPLE": "0",
                    "LB_TRUSTED": isTrusted ? "127.0.0.1" : "192.0.2.1",
                ]
            )
            try get(balancer, "/", "traceparent: \(Client.sampled)", "tracestate: a=b")
            _ = try balancer.countsAtTheEnd()
            let request = try #require(origin.requests.first)
            #expect(try parts(request).trace == Client.trace && request["tracestate"] == "a=b")
            #expect((request["traceparent"] == Client.sampled) == !isTrusted)
            #expect(collector.spans.count == (isTrusted ? 2 : 0))
        }
    }

    @Test("off, and on without a collector, a valid trace goes on as it came", arguments: ["off", "on"])
    func untouched(setting: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_TRACE": setting, "LB_ACCESS_LOG_FORMAT": "json"])
            try get(balancer, "/", "TraceParent: \(Client.sampled)", "tracestate: a=b", "tracestate: c=d")
            let request = try #require(origin.requests.first)
            #expect(request.head.contains("\r\nTraceParent: \(Client.sampled)\r\n"))
            #expect(request.values("tracestate") == ["a=b", "c=d"])
            #expect(try balancer.logLine().hasSuffix("\"trace_id\":\"\(Client.trace)\"}"))
        }
    }

    @Test func `off, nothing is added, and what is malformed goes on, too`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_TRACE": "off", "LB_OTLP_ENDPOINT": "http://127.0.0.1:9"])
            try get(balancer)
            try get(balancer, "/", "traceparent: nonsense", "tracestate: a=b")
            #expect(origin.requests.map { $0.values("traceparent") } == [[], ["nonsense"]])
            #expect(origin.requests.last?["tracestate"] == "a=b")
            for index in 0..<2 { #expect(try !balancer.logLine(index).contains("trace_id")) }
        }
    }

    // MARK: Export

    @Test func `a collector that is busy gets the spans later, and not before it says`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "spans cannot be exported: it answers 503; trying again")
            let collector = Collector()
            let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
            let endpoint = try collector.origin(in: scene) { $0 == 0 ? busy : Reply.ok("{}") }
            let balancer = try scene.curlLB([try scene.origin()], ["LB_OTLP_ENDPOINT": endpoint.url])
            try get(balancer)
            try eventually("the spans") { collector.spans.count == 2 }
            #expect(collector.requests.count == 2)
            #expect(collector.requests[0].body == collector.requests[1].body)
            #expect(try balancer.countsAtTheEnd().lost.isEmpty)
            #expect(balancer.process.standardError.text.contains("spans are exported again; 0 were lost"))
        }
    }

    @Test func `what a collector rejects of a batch is counted as lost`() throws {
        try Scene.play { scene in
            scene.expectLine(containing: "spans are lost: the collector rejects spans: too old")
            let collector = Collector()
            let answer = Reply.ok(#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#)
            let endpoint = try collector.origin(in: scene) { _ in answer }
            let balancer = try scene.curlLB([try scene.origin()], ["LB_OTLP_ENDPOINT": endpoint.url])
            try get(balancer)
            try eventually("the collector's word") {
                balancer.process.standardError.text.contains("spans are lost: the collector rejects spans: too old")
            }
            #expect(try balancer.countsAtTheEnd().lost == ["spans": 1])
        }
    }

    @Test func `many spans arrive whole, in several batches, from several workers`() throws {
        try Scene.play { scene in
            let collector = Collector()
            let endpoint = try collector.origin(in: scene)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_OTLP_ENDPOINT": endpoint.url, "LB_WORKERS": "3"])
            let clients = try (0..<6).map { _ in try balancer.connect() }
            for _ in 0..<500 {
                for client in clients { try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n") }
                for client in clients { #expect(try client.receiveResponse().status == 200) }
            }
            for client in clients { client.close() }
            try eventually("all spans") { collector.spans.count >= 6000 }
            #expect(try balancer.countsAtTheEnd().lost.isEmpty)
            #expect(collector.problems == [])
            #expect(collector.spans.count == 6000 && collector.requests.count >= 3)
            #expect(Set(collector.spans.map(\.id)).count == 6000)
        }
    }
}
