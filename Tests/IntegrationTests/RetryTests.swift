// Tests of what happens when an attempt fails: another backend, or an answer that says why there is none.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct RetryTests {
    private let get = "GET /a HTTP/1.1\r\nHost: test\r\n\r\n"

    /// A script that reads a whole request and closes without a word.
    private static let readAndClose: ScriptedOrigin.Script = { connection, _ in _ = try connection.receiveRequest() }

    // MARK: Nothing was sent

    @Test("a refused connection costs no request", arguments: ["GET", "POST"])
    func refused(method: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let refusing = try scene.refusingURL()
            let balancer = try scene.curlLB([refusing, origin.url])
            for _ in 0..<4 {
                let response = try balancer.response(
                    to: "\(method) / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
                )
                #expect(response.status == 200)
            }
            #expect(origin.requests.count == 4)
            #expect(origin.requests.allSatisfy { $0.body.text == "abc" })
            let line = try balancer.logLine()
            let name = refusing.dropFirst(7)
            #expect(line.contains(" backend=\(origin.name) attempts=2 failed=[\(name) connection_refused "))
            #expect(!line.contains("reason="))
        }
    }

    @Test func `when all refuse, the client is told so, and no backend's address`() throws {
        try Scene.play { scene in
            let ports = try (0..<3).map { _ in try scene.refusingPort() }
            let balancer = try scene.curlLB(ports.map { "http://127.0.0.1:\($0)" })
            let client = try balancer.connect()
            try client.send(get)
            let response = try client.receiveResponse()
            #expect(response.startLine == "HTTP/1.1 502 Bad Gateway")
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_refused")
            #expect(response["Content-Type"] == "text/plain; charset=utf-8")
            #expect(response["Cache-Control"] == "no-store")
            #expect(response["Date"]?.hasSuffix(" GMT") == true)
            let identifier = try #require(response["X-Request-Id"])
            #expect(response.body.text.contains("\nReason: connection_refused\nRequest: \(identifier)\n"))
            for port in ports { #expect(!(response.head + response.body.text).contains("\(port)")) }

            // The connection is kept: nothing was wrong with the request.
            try client.send(get)
            #expect(try client.receiveResponse().status == 502)
            client.close()

            let line = try balancer.logLine()
            #expect(line.contains(" 502 "))
            #expect(line.contains(" backend=- attempts=3 failed=[127.0.0.1:\(ports[0]) connection_refused "))
            #expect(line.hasSuffix("] reason=connection_refused id=\(identifier)"))
        }
    }

    @Test(
        "the page comes in the form that the client asks for",
        arguments: [
            ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
            ("application/json", "application/problem+json"), ("application/problem+json", "application/problem+json"),
            ("text/plain", "text/plain; charset=utf-8"), ("*/*", "text/plain; charset=utf-8"),
            ("image/png", "text/plain; charset=utf-8"),
        ]
    )
    func page(accept: String, type: String) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.refusingURL()])
            let response = try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\nAccept: \(accept)\r\n\r\n")
            #expect(response["Content-Type"] == type)
            #expect(response.body.text.contains("connection_refused"))
            #expect(!response.body.text.contains("127.0.0.1"))
            if type.hasSuffix("json") {
                let object = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
                #expect(object?["status"] as? Int == 502)
                #expect(object?["reason"] as? String == "connection_refused")
                #expect(object?["request_id"] as? String == response["X-Request-Id"])
            }
            if type.hasPrefix("text/html") { #expect(response.body.text.hasPrefix("<!doctype html>\n")) }
        }
    }

    @Test func `the page for HEAD is its head`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.refusingURL()])
            let client = try balancer.connect()
            try client.send("HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            let bytes = try client.receiveToEnd()
            #expect(bytes.text.hasSuffix("\r\n\r\n"))
            #expect(try #require(Int(try Message(head: bytes)["Content-Length"] ?? "")) > 0)
            client.close()
        }
    }

    @Test func `a backend that does not accept in time is passed over`() throws {
        try Scene.play { scene in
            // A queue of one place, and connections that fill it: the kernel answers no further one.
            let full = try SocketAddress.loopback(port: 0).bind()
            scene.atEnd { close(full) }
            #expect(listen(full, 0) == 0)
            let address = SocketAddress.loopback(port: SocketAddress.port(of: full))
            for _ in 0..<4 {
                let filler = socket(
                    AF_INET,
                    CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
                    0
                )
                _ = address.connect(filler)
                scene.atEnd { close(filler) }
            }
            let url = "http://127.0.0.1:\(SocketAddress.port(of: full))"
            let origin = try scene.origin()
            let balancer = try scene.curlLB([url, origin.url], ["LB_CONNECT_TIMEOUT": "100ms"])
            #expect(
                try balancer.response(to: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").status == 200
            )
            #expect(try balancer.logLine().contains(" connection_timeout "))

            let alone = try scene.curlLB([url], ["LB_CONNECT_TIMEOUT": "100ms"])
            let response = try alone.get()
            #expect(response.status == 504)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_timeout")
        }
    }

    @Test func `a name that does not resolve is passed over`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB(["http://no-such-host.invalid", origin.url])
            #expect(try balancer.get().status == 200)
            #expect(try balancer.logLine().contains("failed=[no-such-host.invalid:80 dns_error "))
            let alone = try scene.curlLB(["http://no-such-host.invalid"])
            let response = try alone.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=dns_error")
        }
    }

    // MARK: Something was sent

    @Test(
        "a backend that closes after reading an idempotent request is followed by the next",
        arguments: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"]
    )
    func closedAfterReading(method: String) throws {
        try Scene.play { scene in
            let failing = try scene.origin(Self.readAndClose)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            let response = try balancer.response(to: "\(method) / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(response.status == 200)
            #expect(failing.requests.count == 1)
            #expect(origin.requests.count == 1)
            #expect(failing.requests.first?.head == origin.requests.first?.head)
            #expect(try balancer.logLine().contains("failed=[\(failing.name) connection_terminated "))
        }
    }

    @Test("a request that may not be done twice is never sent twice", arguments: ["POST", "PATCH", "CHECKOUT", "get"])
    func notTwice(method: String) throws {
        try Scene.play { scene in
            let failing = try scene.origin(Self.readAndClose)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            let response = try balancer.response(
                to: "\(method) / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc"
            )
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_terminated")
            #expect(failing.requests.count == 1)
            #expect(origin.connections == 0)
        }
    }

    @Test("a reset is no different from a close", arguments: [("GET", 200), ("POST", 502)])
    func reset(method: String, status: Int) throws {
        try Scene.play { scene in
            let failing = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                connection.reset()
            }
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            #expect(try balancer.response(to: "\(method) / HTTP/1.1\r\nHost: test\r\n\r\n").status == status)
            #expect(origin.requests.count == (status == 200 ? 1 : 0))
            #expect(try balancer.logLine().contains("\(failing.name) connection_terminated "))
        }
    }

    @Test(
        "a body that is kept goes to the next backend byte for byte",
        arguments: [1, 100, 10_000, 65_536],
        [false, true]
    )
    func replayed(size: Int, isChunked: Bool) throws {
        let body = [UInt8].pattern(size)
        try Scene.play { scene in
            let failing = try scene.origin(Self.readAndClose)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            let client = try balancer.connect()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(size)"
            try client.send("PUT / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n")
            try client.send(isChunked ? body.chunked(by: 4000) : body)
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(failing.requests.map(\.body) == [body])
            #expect(origin.requests.map(\.body) == [body])
        }
    }

    @Test("a body that is still arriving goes to the next backend from its start", arguments: [false, true])
    func replayedHalfway(isChunked: Bool) throws {
        let body = [UInt8].pattern(20_000)
        try Scene.play { scene in
            let failing = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                _ = try connection.receive(5000)
            }
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            let client = try balancer.connect()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)"
            let bytes = isChunked ? body.chunked(by: 3000) : body
            try client.send("PUT / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n".bytes + bytes[..<10_000])
            try eventually("the second backend to be asked") { origin.heads.count == 1 }
            try client.send(Array(bytes[10_000...]))
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(origin.requests.map(\.body) == [body])
            #expect(failing.connections == 1)
        }
    }

    @Test func `a body too large to be kept is not sent again`() throws {
        try Scene.play { scene in
            let failing = try scene.origin(Self.readAndClose)
            let origin = try scene.origin()
            let balancer = try scene.curlLB([failing, origin])
            let client = try balancer.connect()
            let body = [UInt8].pattern(200_000)
            try client.send("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n".bytes + body)
            let response = try client.receiveResponse()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_terminated")
            client.close()
            #expect(failing.requests.count == 1)
            #expect(origin.connections == 0)
        }
    }

    @Test("there are as many further attempts as are set", arguments: [("0", 1), ("1", 2), ("2", 3), ("100", 4)])
    func retries(setting: String, attempts: Int) throws {
        try Scene.play { scene in
            let origins = try (0..<4).map { _ in try scene.origin(Self.readAndClose) }
            let balancer = try scene.curlLB(origins, ["LB_RETRIES": setting])
            #expect(try balancer.get().status == 502)
            #expect(origins.map(\.requests.count).reduce(0, +) == attempts)
            #expect(origins.allSatisfy { $0.requests.count <= 1 })
            #expect(try balancer.logLine().contains(" attempts=\(attempts) "))
        }
    }

    @Test func `at debug level each failed attempt is told as a command, without secrets`() throws {
        try Scene.play { scene in
            let port = try scene.refusingPort()
            let balancer = try scene.curlLB(["http://127.0.0.1:\(port);name=red"], ["LB_LOG_LEVEL": "debug"])
            let response = try balancer.response(
                to: "GET /a?token=hush HTTP/1.1\r\nHost: test\r\nCookie: hush\r\nX-Request-Id: id-1\r\n\r\n"
            )
            #expect(response.status == 502)
            let words = "connection_refused at red (request id-1); reproduce with: curl "
            try eventually("the command") { balancer.process.standardError.text.contains(words) }
            let text = balancer.process.standardError.text
            #expect(text.contains("'http://127.0.0.1:\(port)/a?token=REDACTED'") && text.contains("'Cookie: REDACTED'"))
            #expect(!text.contains("hush"))
        }
    }

    // MARK: Stale connections

    /// Serves one request on the first connection, then closes it when told, without an event before the next request.
    private func staleScene(
        method: String,
        _ check: @escaping (_ response: Message, _ origin: ScriptedOrigin, _ balancer: CurlLB) throws -> Void
    ) throws {
        try Scene.play { scene in
            let closes = Gate()
            let closed = Gate()
            let origin = try scene.origin { connection, number in
                while try !connection.isAtEnd() {
                    _ = try connection.receiveRequest()
                    try connection.send(Reply.ok("\(number)"))
                    if number == 0 {
                        try closes.wait()
                        connection.close()
                        closed.open()
                        return
                    }
                }
            }
            let balancer = try scene.curlLB([origin], ["LB_RETRIES": "0"])
            let client = try balancer.connect()
            try client.send(get)
            #expect(try client.receiveResponse().body.text == "0")
            // Stopped, it learns of the close and of the request at the same moment, the request first.
            try balancer.process.pause()
            try client.send("\(method) /b HTTP/1.1\r\nHost: test\r\n\r\n")
            closes.open()
            try closed.wait()
            balancer.process.send(SIGCONT)
            let response = try client.receiveResponse(to: method)
            client.close()
            try check(response, origin, balancer)
        }
    }

    @Test("a connection that has died of old age costs nothing", arguments: ["GET", "POST", "PUT"])
    func stale(method: String) throws {
        try staleScene(method: method) { response, origin, _ in
            #expect(response.status == 200)
            #expect(response.body.text == "1")
            #expect(origin.requests.map(\.startLine) == ["GET /a HTTP/1.1", "\(method) /b HTTP/1.1"])
        }
    }

    @Test("a reused connection that closes on the request", arguments: [("GET", 200), ("POST", 502)])
    func closedOnReuse(method: String, status: Int) throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, number in
                _ = try connection.receiveRequest()
                try connection.send(Reply.ok("\(number)"))
                _ = try connection.receiveRequest()
                if number > 0 { try connection.send(Reply.ok("\(number)")) }
            }
            let balancer = try scene.curlLB([origin], ["LB_RETRIES": "0"])
            let client = try balancer.connect()
            try client.send(get)
            #expect(try client.receiveResponse().body.text == "0")
            try client.send("\(method) /b HTTP/1.1\r\nHost: test\r\n\r\n")
            let response = try client.receiveResponse()
            #expect(response.status == status)
            client.close()
            let count = origin.requests.count { $0.startLine == "\(method) /b HTTP/1.1" }
            #expect(count == (status == 200 ? 2 : 1))
        }
    }

    @Test("stray bytes on a resting connection answer nobody", arguments: ["bytes first", "request first"])
    func strayBytes(order: String) throws {
        try Scene.play { scene in
            let speaks = Gate()
            let spoken = Gate()
            let origin = try scene.origin { connection, number in
                _ = try connection.receiveRequest()
                try connection.send(Reply.ok("\(number)"))
                if number == 0 {
                    try speaks.wait()
                    try connection.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 5\r\n\r\nstray")
                    spoken.open()
                }
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            #expect(try client.receiveResponse().body.text == "0")
            // Stopped, it learns of both at the same moment; the bytes are there before the request goes out.
            try balancer.process.pause()
            if order == "request first" { try client.send(get) }
            speaks.open()
            try spoken.wait()
            if order == "bytes first" { try client.send(get) }
            balancer.process.send(SIGCONT)
            let response = try client.receiveResponse()
            #expect(response.status == 200)
            #expect(response.body.text == "1")
            client.close()
        }
    }

    @Test func `bytes behind a response end the connection's use`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                try connection.send(Reply.ok("ok") + Reply.ok("stray"))
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            for _ in 0..<3 {
                try client.send(get)
                #expect(try client.receiveResponse().body.text == "ok")
            }
            client.close()
            #expect(origin.connections == 3)
        }
    }
}
