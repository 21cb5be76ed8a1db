// Tests of bodies in both directions, whatever their framing, and of the connection's use afterwards.

import Crypto
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct BodyTests {
    /// A response as a backend frames it, and the body that a client gets.
    struct Framed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let response: String
        let body: String
        var isClosing = false
        /// Whether the client learns the length beforehand.
        var hasLength = false
    }

    static let responses = [
        Framed(testDescription: "length", response: Reply.ok("hello"), body: "hello", hasLength: true),
        Framed(testDescription: "no bytes", response: Reply.ok(""), body: "", hasLength: true),
        Framed(
            testDescription: "chunks",
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n002;a=b\r\nlo\r\n0\r\n\r\n",
            body: "hello"
        ),
        Framed(
            testDescription: "chunks with trailers",
            response:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
            body: "hello"
        ),
        Framed(
            testDescription: "no chunk",
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            body: ""
        ),
        Framed(testDescription: "close", response: "HTTP/1.1 200 OK\r\n\r\nhello", body: "hello", isClosing: true),
        Framed(testDescription: "close, no bytes", response: "HTTP/1.1 200 OK\r\n\r\n", body: "", isClosing: true),
        Framed(
            testDescription: "HTTP/1.0, close",
            response: "HTTP/1.0 200 OK\r\n\r\nhello",
            body: "hello",
            isClosing: true
        ),
        Framed(
            testDescription: "HTTP/1.0, length",
            response: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            body: "hello",
            isClosing: true,
            hasLength: true
        ),
        Framed(
            testDescription: "HTTP/1.0, kept",
            response: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
            body: "hello",
            hasLength: true
        ),
    ]

    @Test("a response body arrives whole, and the connection serves on", arguments: responses)
    func response(_ framed: Framed) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                while try !connection.isAtEnd() {
                    _ = try connection.receiveRequest()
                    try connection.send(framed.response)
                    if framed.isClosing { return }
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                let response = try client.receiveResponse()
                #expect(response.body.text == framed.body)
                #expect(response.isChunked == !framed.hasLength)
                #expect(response["Content-Length"] == (framed.hasLength ? "\(framed.body.count)" : nil))
            }
            client.close()
            #expect(origin.connections == (framed.isClosing ? 2 : 1))

            // HTTP/1.0 knows no chunks: there the connection's end is the body's.
            let old = try balancer.connect()
            try old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let response = try old.receiveResponse()
            #expect(response.body.text == framed.body)
            #expect(!response.isChunked)
            #expect(response["Connection"] == (framed.hasLength ? "keep-alive" : "close"))
            old.close()
        }
    }

    @Test(
        "a response that has no body by its nature is not waited for",
        arguments: [
            ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
            ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
            ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
            ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
            ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ("HEAD", "HTTP/1.1 200 OK\r\n\r\n"),
            ("HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n"),
        ]
    )
    func bodiless(method: String, answer: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin(answering: answer)
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<2 {
                try client.send("\(method) / HTTP/1.1\r\nHost: test\r\n\r\n")
                let response = try client.receiveResponse(to: method)
                #expect(response.startLine == answer.prefix { !$0.isNewline })
                #expect(response["Content-Length"] == (try Message(head: answer.bytes))["Content-Length"])
            }
            #expect(client.receivedSoFar().isEmpty)
            client.close()
            #expect(origin.connections == 1)
        }
    }

    @Test("a request body arrives whole, framed as it came", arguments: [0, 1, 5, 65_535, 65_536, 65_537, 300_000])
    func request(size: Int) throws {
        let body = [UInt8].pattern(size)
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: \(size)\r\n\r\n".bytes + body)
            #expect(try client.receiveResponse().status == 200)
            for chunk in [max(1, size / 97), max(1, size)] {
                let head = "POST /chunks HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                try client.send(head.bytes + body.chunked(by: chunk))
                #expect(try client.receiveResponse().status == 200)
            }
            client.close()
            let requests = origin.requests
            #expect(requests.map(\.isChunked) == [false, true, true])
            #expect(requests.map { $0["Content-Length"] } == ["\(size)", nil, nil])
            #expect(requests.allSatisfy { $0.body == body })
            #expect(origin.connections == 1)
        }
    }

    @Test("chunks may be cut anywhere", arguments: [1, 2, 3, 7, 1000])
    func cutChunks(piece: Int) throws {
        let body = [UInt8].pattern(3000)
        let chunked = body.chunked(by: 700)
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                let answer = request.body.chunked(by: 700)
                for start in stride(from: 0, to: answer.count, by: piece) {
                    try connection.send(Array(answer[start..<min(start + piece, answer.count)]))
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<2 {
                try client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
                for start in stride(from: 0, to: chunked.count, by: piece) {
                    try client.send(Array(chunked[start..<min(start + piece, chunked.count)]))
                }
                #expect(try client.receiveResponse().body == body)
            }
            client.close()
            #expect(origin.connections == 1)
        }
    }

    @Test("bodies of 8 MiB pass both ways unchanged", arguments: [false, true])
    func large(isChunked: Bool) throws {
        let body = [UInt8].pattern(8 << 20)
        let hash = SHA256.hash(data: body)
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                let isWhole = SHA256.hash(data: request.body) == hash
                let fields = "X-Whole: \(isWhole)\r\n"
                if isChunked {
                    try connection.send("HTTP/1.1 200 OK\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n")
                    try connection.send(request.body.chunked(by: 100_000))
                } else {
                    try connection.send("HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(request.body.count)\r\n\r\n")
                    try connection.send(request.body)
                }
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)"
            try client.send("PUT / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n")
            try client.send(isChunked ? body.chunked(by: 30_000) : body)
            let response = try client.receiveResponse()
            #expect(response["X-Whole"] == "true")
            #expect(response.body.count == body.count)
            #expect(SHA256.hash(data: response.body) == hash)
            client.close()
            #expect(try balancer.logLine().contains(" in=8388608 out=8388608 "))
        }
    }

    @Test func `pipelined requests are answered in order, one at a time`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                let target = String(request.startLine.split(separator: " ")[1])
                try connection.send(Reply.ok(target))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            let requests = (0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined()
            try client.send(requests)
            for number in 0..<500 { #expect(try client.receiveResponse().body.text == "/\(number)") }
            client.close()
            #expect(origin.connections == 1)
        }
    }

    @Test func `pipelined requests keep their bodies`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in try connection.send(Reply.ok(request.body.text)) }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            var requests: [UInt8] = []
            var bodies: [[UInt8]] = []
            for number in 0..<12 {
                let body = [UInt8].pattern(number * 1777)
                bodies.append(body)
                if number.isMultiple(of: 2) {
                    requests += "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n".bytes + body
                } else {
                    requests += "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n".bytes
                    requests += body.chunked(by: 1000)
                }
            }
            try client.send(requests)
            for body in bodies { #expect(try client.receiveResponse().body == body) }
            client.close()
        }
    }

    @Test func `a pipelined request behind a malformed one is not looked at`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            let hosts = [("/a", "Host: test"), ("/b", "Host : test"), ("/c", "Host: test")]
            try client.send(hosts.map { "GET \($0) HTTP/1.1\r\n\($1)\r\n\r\n" }.joined())
            #expect(try client.receiveResponse().status == 200)
            #expect(try client.receiveResponse().status == 400)
            #expect(try client.drainToEnd() == .closed)
            client.close()
            #expect(origin.requests.map(\.startLine) == ["GET /a HTTP/1.1"])
        }
    }
}
