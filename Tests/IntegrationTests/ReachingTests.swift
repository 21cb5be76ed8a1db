// Tests of how a backend is reached and addressed: proxies on the way, certificates of ours, the Host that it gets.

import Testing

@Suite(.timeLimit(.minutes(5))) struct ReachingTests {
    private static let post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"

    // MARK: Proxies

    @Test(arguments: ["socks5", "socks5h", "http"])
    func `a backend is reached through a proxy, which sees nothing of the requests but its bytes`(kind: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                try connection.send(Reply.ok(request.body.text))
            }
            let record = Record()
            let proxy = try kind == "http" ? scene.connectProxy(record) : scene.socksProxy(record)
            let balancer = try scene.curlLB(["\(origin.url);proxy=\(kind)://\(proxy.name)"])
            for _ in 0..<3 { #expect(try balancer.response(to: Self.post).body.text == "hello") }
            #expect(record.all == [kind == "http" ? "CONNECT \(origin.name) HTTP/1.1" : origin.name])
            #expect(proxy.connections == 1 && origin.connections == 1, "the connection is kept")
            #expect(origin.requests.allSatisfy { $0.startLine == "POST / HTTP/1.1" && $0["Host"] == "test" })
            #expect(origin.requests.allSatisfy { $0["Proxy-Connection"] == nil && $0["Proxy-Authorization"] == nil })
            #expect(try balancer.logLine().contains(" backend=\(origin.name) "))
        }
    }

    @Test(arguments: ["socks5h", "http"])
    func `such a proxy resolves the backend's name`(kind: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let port = origin.name.split(separator: ":")[1]
            let record = Record()
            let proxy = try kind == "http" ? scene.connectProxy(record) : scene.socksProxy(record)
            let balancer = try scene.curlLB(["http://backend.invalid:\(port);proxy=\(kind)://\(proxy.name)"])
            #expect(try balancer.get().status == 200)
            #expect(record.all[0].contains("backend.invalid:\(port)"))
        }
    }

    @Test func `for SOCKS 5 without h the name is resolved here`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let port = origin.name.split(separator: ":")[1]
            let record = Record()
            let proxy = try scene.socksProxy(record)
            let balancer = try scene.curlLB(["http://localhost:\(port);proxy=socks5://\(proxy.name)"])
            #expect(try balancer.get().status == 200)
            #expect(["127.0.0.1:\(port)", "0000000000000001:\(port)"].contains(record.all.first), "\(record.all)")
        }
    }

    @Test(arguments: ["socks5", "http"])
    func `TLS goes through the proxy to the backend, which is believed by its certificate`(kind: String) throws {
        try Scene.play { scene in
            let paths = try scene.certificate(for: "backend.test")
            let port = try scene.nginx(
                isSecure: true,
                "ssl_certificate \(paths.certificate); ssl_certificate_key \(paths.key); return 200 \"$ssl_server_name\";"
            )
            let record = Record()
            let proxy = try kind == "http" ? scene.connectProxy(record) : scene.socksProxy(record)
            let options = "proxy=\(kind)://\(proxy.name);cacert=\(paths.certificate);sni=backend.test"
            let balancer = try scene.curlLB(["https://127.0.0.1:\(port);\(options)"])
            #expect(try balancer.get().body.text == "backend.test")
            #expect(record.all.count == 1)
        }
    }

    @Test(arguments: ["socks5", "http"])
    func `user name and password reach the proxy decoded, and stand in no line`(kind: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let record = Record()
            let behaviour = ProxyBehaviour(credentials: "joe@x:s:cret")
            let proxy = try kind == "http" ? scene.connectProxy(record) : scene.socksProxy(record, behaviour)
            let url = "\(origin.url);proxy=\(kind)://joe%40x:s%3Acret@\(proxy.name)"
            let balancer = try scene.curlLB([url], ["LB_LOG_LEVEL": "trace"])
            #expect(try balancer.get().status == 200)
            if kind == "http" { #expect(record.all[0].hasSuffix(" Basic am9lQHg6czpjcmV0")) }
            let lines = balancer.process.standardError.lines + balancer.log
            #expect(!lines.contains { $0.contains("cret") || $0.contains("joe") })
        }
    }

    @Test(
        "what a proxy refuses is told, and another backend is asked since nothing was sent",
        arguments: [
            ("socks5", "5", "(5)"), ("socks5h", "4", "(4)"), ("http", "403 Forbidden", "403"),
            ("http", "407 Proxy Authentication Required", "407"), ("http", "502 Bad Gateway", "502"),
        ]
    )
    func refusal(kind: String, refusal: String, words: String) throws {
        try Scene.play { scene in
            let behaviour = ProxyBehaviour(refusal: refusal)
            let proxy =
                try kind == "http" ? scene.connectProxy(Record(), behaviour) : scene.socksProxy(Record(), behaviour)
            let origin = try scene.origin(answering: Reply.ok("other"))
            let url = "\(origin.url);name=behind;proxy=\(kind)://\(proxy.name)"
            let alone = try scene.curlLB([url])
            let response = try alone.get()
            #expect(response.status == 502)
            let line = try alone.logLine()
            #expect(line.contains(" connection_failed ") && line.contains(words), "\(line)")

            let pair = try scene.curlLB([url, origin.url])
            #expect(try pair.response(to: Self.post).body.text == "other")
        }
    }

    @Test func `a proxy that is not there is a refused connection`() throws {
        try Scene.play { scene in
            for kind in ["socks5", "http"] {
                let port = try scene.refusingPort()
                let balancer = try scene.curlLB(["http://127.0.0.1:9;proxy=\(kind)://127.0.0.1:\(port)"])
                let response = try balancer.get()
                #expect(response["Proxy-Status"] == "curl-lb; error=connection_refused")
            }
        }
    }

    @Test func `a proxy that says nothing is a connection that is not made in time`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let proxy = try scene.origin { connection, _ in
                _ = try connection.receive(1)
                try gate.wait()
            }
            scene.atEnd { gate.open() }
            for kind in ["socks5", "http"] {
                let balancer = try scene.curlLB(
                    ["http://127.0.0.1:9;proxy=\(kind)://\(proxy.name)"],
                    ["LB_CONNECT_TIMEOUT": "200ms"]
                )
                let response = try balancer.get()
                #expect(response.status == 504)
                #expect(response["Proxy-Status"] == "curl-lb; error=connection_timeout")
            }
        }
    }

    // MARK: Certificates of ours

    @Test func `a backend that wants a certificate gets ours, and one that does not believe it says so`() throws {
        try Scene.play { scene in
            let server = try scene.certificate(for: "backend.test")
            let client = try scene.certificate(for: "lb.test")
            let other = try scene.certificate(for: "other.test")
            let port = try scene.nginx(
                isSecure: true,
                """
                ssl_certificate \(server.certificate); ssl_certificate_key \(server.key);
                ssl_client_certificate \(client.certificate); ssl_verify_client on;
                return 200 $ssl_client_s_dn;
                """
            )
            let url = "https://127.0.0.1:\(port);cacert=\(server.certificate);sni=backend.test"
            let balancer = try scene.curlLB(["\(url);cert=\(client.certificate);key=\(client.key)"])
            for _ in 0..<2 { #expect(try balancer.get().body.text == "CN=lb.test") }
            let stranger = try scene.curlLB(["\(url);cert=\(other.certificate);key=\(other.key)"])
            #expect(try stranger.get().status == 400)
            let nobody = try scene.curlLB([url])
            #expect(try nobody.get().body.text.contains("No required SSL certificate was sent"))
        }
    }

    // MARK: Host

    @Test(
        "the Host that a backend gets",
        arguments: [
            ("", "test"), (";host=preserve", "test"), (";host=backend", "ORIGIN"),
            (";host=Shop.example", "shop.example"),
        ]
    )
    func host(option: String, expected: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB(["\(origin.url)\(option)"])
            _ = try balancer.get()
            _ = try balancer.response(to: Self.post)
            _ = try balancer.response(to: "GET http://test/a HTTP/1.1\r\nHost: other\r\n\r\n")
            let host = expected == "ORIGIN" ? origin.name : expected
            #expect(origin.requests.map { $0["Host"] } == [host, host, host])
            #expect(origin.requests.allSatisfy { $0["X-Forwarded-Host"] == "test" })
            #expect(origin.requests[1].body.text == "hello")
        }
    }

    @Test(
        "each attempt has the Host of its backend, and the whole body",
        arguments: [(";host=a.test", ";host=b.test"), ("", ";host=b.test"), (";host=a.test", "")],
        [
            "Content-Length: 60000\r\n\r\n", "Transfer-Encoding: chunked\r\nTrailer: T\r\n\r\n",
            "Content-Length: 0\r\n\r\n",
        ]
    )
    func attempts(options: (String, String), framing: String) throws {
        try Scene.play { scene in
            let broken = try scene.origin { connection, _ in _ = try connection.receiveRequest() }
            let good = try scene.origin()
            let balancer = try scene.curlLB(["\(broken.url)\(options.0)", "\(good.url)\(options.1)"])
            let body: [UInt8] = framing.contains(" 0") ? [] : .pattern(60_000)
            let client = try balancer.connect()
            try client.send("PUT /a HTTP/1.1\r\nHost: test\r\n\(framing)")
            try client.send(framing.contains("chunked") ? body.chunked(by: 7000) : body)
            #expect(try client.receiveResponse().status == 200)
            client.close()
            func host(_ option: String) -> String { option.isEmpty ? "test" : String(option.dropFirst(6)) }
            #expect(broken.requests.map { $0["Host"] } == [host(options.0)])
            #expect(good.requests.map { $0["Host"] } == [host(options.1)])
            #expect([broken, good].allSatisfy { $0.requests.first?.body == body })
        }
    }

    @Test func `a body too large to be kept goes with the backend's Host, too`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let balancer = try scene.curlLB(["\(origin.url);host=\(String(repeating: "a", count: 63)).test:65535"])
            let body = [UInt8].pattern(1 << 20)
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n")
            try client.send(body)
            #expect(try client.receiveResponse().status == 200)
            client.close()
            #expect(origin.requests.first?.body == body)
            #expect(origin.requests.first?["Host"] == String(repeating: "a", count: 63) + ".test:65535")
        }
    }
}
