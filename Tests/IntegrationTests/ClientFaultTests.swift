// Tests of clients that send what is no request, stop in the middle, or leave.

import Testing

@Suite(.timeLimit(.minutes(5))) struct ClientFaultTests {
    // MARK: Malformed requests

    struct Malformed: Sendable, CustomTestStringConvertible {
        let request: String
        let status: Int
        let reason: String

        var testDescription: String { "\(reason): \(request.prefix(60).debugDescription)" }

        init(_ status: Int, _ reason: String, _ request: String) {
            self.request = request
            self.status = status
            self.reason = reason
        }

        /// A fault in the field lines of a POST.
        static func fields(_ status: Int, _ reason: String, _ lines: String) -> Malformed {
            Malformed(status, reason, "POST / HTTP/1.1\r\nHost: test\r\n\(lines)\r\n\r\n")
        }
    }

    static let malformed: [Malformed] = [
        Malformed(400, "malformed_method", "\u{0}\u{1}"),
        Malformed(400, "tls_handshake", "\u{16}\u{3}\u{1}\u{2}\u{0}"),
        Malformed(400, "malformed_request_line", "GET  / HTTP/1.1\r\nHost: test\r\n\r\n"),
        Malformed(400, "malformed_request_line", "GET /\r\n"),
        Malformed(400, "malformed_target", "GET x HTTP/1.1\r\nHost: test\r\n\r\n"),
        Malformed(400, "non_ascii_target", "GET /caf\u{E9} HTTP/1.1\r\nHost: test\r\n\r\n"),
        Malformed(400, "fragment_in_target", "GET /#a HTTP/1.1\r\nHost: test\r\n\r\n"),
        Malformed(400, "userinfo_in_target", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        Malformed(400, "unsupported_scheme", "GET ftp://b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        Malformed(400, "asterisk_without_options", "GET * HTTP/1.1\r\nHost: b\r\n\r\n"),
        Malformed(400, "malformed_version", "GET / HTTX/1.1\r\nHost: b\r\n\r\n"),
        Malformed(400, "bare_line_feed", "GET / HTTP/1.1\nHost: test\n\n"),
        Malformed(400, "missing_host", "GET / HTTP/1.1\r\n\r\n"),
        Malformed(400, "repeated_host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Malformed(400, "malformed_host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Malformed(405, "connect_refused", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
        Malformed(414, "target_too_long", "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed(
            431,
            "head_too_large",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 70_000))\r\n\r\n"
        ),
        Malformed(
            431,
            "too_many_fields",
            "GET / HTTP/1.1\r\nHost: a\r\n\((0..<300).map { "A: \($0)\r\n" }.joined())\r\n"
        ),
        Malformed(501, "method_too_long", "\(String(repeating: "A", count: 100)) / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed(505, "unsupported_version", "GET / HTTP/2.0\r\nHost: test\r\n\r\n"),
        Malformed(505, "unsupported_version", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .fields(400, "bare_carriage_return", "X-A: 1\rX-B: 2"),
        .fields(400, "bare_line_feed", "X-A: 1\nX-B: 2"),
        .fields(400, "nul_byte", "X-A: \u{0}"),
        .fields(400, "obsolete_folding", "X-A: 1\r\n 2"),
        .fields(400, "whitespace_before_colon", "Content-Length : 3"),
        .fields(400, "missing_colon", "nonsense"),
        .fields(400, "empty_field_name", ": a"),
        .fields(400, "malformed_field_name", "X(A): 1"),
        .fields(400, "malformed_content_length", "Content-Length: +3"),
        .fields(400, "malformed_content_length", "Content-Length: 0x3"),
        .fields(400, "repeated_content_length", "Content-Length: 3\r\nContent-Length: 3"),
        .fields(400, "conflicting_content_length", "Content-Length: 3\r\nContent-Length: 4"),
        .fields(400, "length_and_transfer_encoding", "Content-Length: 3\r\nTransfer-Encoding: chunked"),
        .fields(400, "length_and_transfer_encoding", "Transfer-Encoding: chunked\r\nContent-Length: 0"),
        .fields(400, "chunked_not_final", "Transfer-Encoding: chunked, gzip"),
        .fields(400, "chunked_repeated", "Transfer-Encoding: chunked, chunked"),
        .fields(400, "malformed_transfer_encoding", "Transfer-Encoding: chunked;a=b"),
        .fields(501, "unsupported_transfer_coding", "Transfer-Encoding: gzip, chunked"),
        .fields(413, "content_length_too_large", "Content-Length: 99999999999999999999"),
        Malformed(400, "transfer_encoding_in_http_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ]

    @Test("what is no clear request is refused with its reason, and no backend hears of it", arguments: malformed)
    func refused(_ malformed: Malformed) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(malformed.request)
            let response = try client.receiveResponse()
            #expect(response.status == malformed.status)
            #expect(response["Connection"] == "close")
            #expect(response["Proxy-Status"] == "curl-lb; error=http_request_error")
            #expect(response.body.text.contains("\nReason: \(malformed.reason)\n"))
            #expect(try client.drainToEnd() == .closed)
            client.close()
            #expect(origin.connections == 0)
            let line = try balancer.logLine()
            #expect(line.contains(" \(malformed.status) ") && line.contains(" reason=\(malformed.reason) "))
        }
    }

    @Test(
        "a malformed request body is refused with its reason",
        arguments: [
            (400, "malformed_chunk_size", "xyz\r\n"), (400, "missing_chunk_end", "3\r\nabcd\r\n0\r\n\r\n"),
            (400, "bare_line_feed", "3\nabc\n0\n\n"), (400, "whitespace_in_chunk_size", " 3\r\nabc\r\n0\r\n\r\n"),
            (413, "chunk_too_large", "fffffffffffffffff\r\n"),
            (431, "too_many_trailer_fields", "0\r\n\((0..<1000).map { "A: \($0)\r\n" }.joined())\r\n"),
        ]
    )
    func refusedBody(status: Int, reason: String, body: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
            let response = try client.receiveResponse()
            #expect(response.status == status)
            #expect(response["Connection"] == "close")
            #expect(response.body.text.contains("\nReason: \(reason)\n"))
            #expect(try client.drainToEnd() == .closed)
            client.close()
            #expect(origin.requests.isEmpty)
        }
    }

    // MARK: Leaving

    @Test("a client that leaves takes its request along", arguments: ["close", "reset"])
    func leavesWhileWaiting(how: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                _ = try connection.isAtEnd()
            }
            let other = try scene.origin()
            let balancer = try scene.curlLB([origin, other])
            let client = try balancer.connect()
            try client.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
            try eventually("the request at the origin") { origin.requests.count == 1 }
            if how == "reset" { client.reset() } else { client.close() }
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
            let line = try balancer.logLine()
            #expect(line.contains(" 499 ") && line.contains(" reason=client_gone "))
            #expect(other.connections == 0)
        }
    }

    @Test func `a client that leaves in the middle of its body leaves no complete request behind`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in _ = try connection.receiveRequest() }
            let balancer = try scene.curlLB([origin])
            for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
                let client = try balancer.connect()
                try client.send("POST / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n5\r\nhello\r\n")
                let count = origin.heads.count
                try eventually("the head at the origin") { origin.heads.count > count || origin.openConnections > 0 }
                client.close()
                try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
            }
            #expect(origin.requests.isEmpty)
            for index in 0..<2 { #expect(try balancer.logLine(index).contains(" 499 in=")) }
        }
    }

    @Test func `a client that leaves in the middle of a response stops the backend`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                while true { try connection.send([UInt8](repeating: 0, count: 10_000)) }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            _ = try client.receive(100_000)
            client.close()
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
            #expect(try balancer.logLine().contains(" reason=client_gone "))
        }
    }

    // MARK: Stopping

    @Test func `a head that does not arrive in time is a 408, an idle connection closes without a word`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_IDLE_TIMEOUT": "150ms"])
            let idle = try balancer.connect()
            let slow = try balancer.connect()
            try slow.send("GET / HTTP/1.1\r\nHost:")
            let response = try slow.receiveResponse()
            #expect(response.status == 408)
            #expect(response.body.text.contains("\nReason: request_head_timeout\n"))
            #expect(response["Connection"] == "close")
            #expect(try idle.receiveToEnd().isEmpty)
            #expect(idle.ending == .closed)
            idle.close()
            slow.close()
            #expect(origin.connections == 0)
        }
    }

    @Test func `a body that stops arriving is a 408`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin], ["LB_IDLE_TIMEOUT": "150ms"])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhello")
            let response = try client.receiveResponse()
            #expect(response.status == 408)
            #expect(response.body.text.contains("\nReason: request_body_timeout\n"))
            client.close()
            #expect(origin.requests.isEmpty)
        }
    }

    // MARK: Answers that come early

    @Test func `an error that comes before the body's end reaches the client, and ends its connection`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch")
                _ = try connection.drainToEnd()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
            try client.send([UInt8](repeating: 0, count: 1000))
            let response = try client.receiveResponse()
            #expect(response.status == 413)
            #expect(response["Connection"] == "close")
            #expect(response.body.text == "much")
            #expect(try client.drainToEnd() == .closed)
            client.close()
            try eventually("the backend's connection to be closed") { origin.openConnections == 0 }
        }
    }

    @Test func `an error from a backend that stops reading reaches a client that goes on sending`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send(
                    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nmuch"
                )
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 500000\r\n\r\n")
            // As much as is taken: the rest is not wanted.
            let body = [UInt8](repeating: 0, count: 500_000)
            var sent = 0
            while sent < body.count {
                let count = client.sendSome(body[sent...])
                guard count > 0 else { break }
                sent += count
            }
            #expect(try client.receiveResponse().status == 413)
            client.close()
        }
    }

    // MARK: 100 Continue

    private let expecting = "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

    @Test func `a backend's 100 goes on to the client that waits for it`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                let head = try connection.receiveHead()
                guard head["Expect"] == "100-continue" else { return }
                try connection.send("HTTP/1.1 100 Continue\r\nX-Hint: 1\r\n\r\n")
                try connection.send(Reply.ok(try connection.receive(5).text))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(expecting)
            #expect(try client.receiveHead().head == "HTTP/1.1 100 Continue\r\nX-Hint: 1\r\n\r\n")
            try client.send("hello")
            #expect(try client.receiveResponse().body.text == "hello")
            client.close()
        }
    }

    @Test func `a backend that says nothing gets the body all the same`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in try connection.send(Reply.ok(request.body.text)) }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(expecting)
            #expect(try client.receiveHead().head == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.send("hello")
            #expect(try client.receiveResponse().body.text == "hello")
            client.close()
        }
    }

    @Test func `a refusal in place of the 100 is the answer, and the body is not asked for`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(expecting)
            let response = try client.receiveResponse()
            #expect(response.status == 401)
            #expect(response["Connection"] == "close")
            client.close()
        }
    }

    @Test func `a client that does not wait gets no 100 of ours`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in try connection.send(Reply.ok(request.body.text)) }
            let balancer = try scene.curlLB([origin])
            #expect(try balancer.response(to: expecting + "hello").body.text == "hello")
        }
    }

    @Test func `a failure after the 100 still has an answer`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
                _ = try connection.receive(5)
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(expecting)
            #expect(try client.receiveHead().status == 100)
            try client.send("hello")
            let response = try client.receiveResponse()
            client.close()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_terminated")
            #expect(try balancer.logLine().contains(" 502 "))
        }
    }
}
