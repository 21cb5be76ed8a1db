// Tests of backends behind TLS and behind Unix-domain sockets.

import Testing

@Suite(.timeLimit(.minutes(5))) struct TransportTests {
    // MARK: TLS

    @Test func `a backend is believed by the authority and the name that are set, and its connection is kept`() throws {
        try Scene.play { scene in
            let paths = try scene.certificate(for: "backend.test")
            let port = try scene.nginx(
                isSecure: true,
                Self.secureServer(paths, "return 200 \"$ssl_server_name $connection\";")
            )
            let url = "https://127.0.0.1:\(port);cacert=\(paths.certificate);sni=backend.test"
            let balancer = try scene.curlLB([url])
            let answers = try (0..<4).map { _ in try balancer.get().body.text }
            #expect(answers[0].hasPrefix("backend.test "))
            #expect(Set(answers).count == 1)
        }
    }

    @Test(
        "a certificate that does not fit is told, and nothing is sent",
        arguments: [";cacert=CERTIFICATE;sni=other.test", ";cacert=CERTIFICATE", "", ";sni=backend.test"]
    )
    func untrusted(options: String) throws {
        try Scene.play { scene in
            let paths = try scene.certificate(for: "backend.test")
            let port = try scene.nginx(isSecure: true, Self.secureServer(paths, "return 200;"))
            let options = options.split(separator: "CERTIFICATE", omittingEmptySubsequences: false)
            let url = "https://127.0.0.1:\(port)\(options.joined(separator: paths.certificate))"
            let balancer = try scene.curlLB([url])
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=tls_certificate_error")
            #expect(try balancer.logLine().contains(" tls_certificate_error "))

            // Nothing was sent: also what may not be done twice goes to the next backend.
            let origin = try scene.origin()
            let pair = try scene.curlLB([url, origin.url])
            #expect(try pair.response(to: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").status == 200)
        }
    }

    @Test func `verify=off takes any certificate`() throws {
        try Scene.play { scene in
            let paths = try scene.certificate(for: "backend.test")
            let port = try scene.nginx(isSecure: true, Self.secureServer(paths, "return 200 \"$scheme $host\";"))
            let balancer = try scene.curlLB(["https://127.0.0.1:\(port);verify=off"])
            #expect(try balancer.get().body.text == "https test")
        }
    }

    @Test func `a backend that speaks no TLS is told as such`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receive(1)
                try connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            }
            let balancer = try scene.curlLB(["https://\(origin.name)"])
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=tls_protocol_error")
        }
    }

    @Test func `large bodies pass through TLS both ways unchanged`() throws {
        let body = [UInt8].pattern(8 << 20)
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                try connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n".bytes + request.body
                )
            }
            let paths = try scene.certificate(for: "backend.test")
            let lines = """
                client_max_body_size 0;
                location / { proxy_pass \(origin.url); proxy_request_buffering off; proxy_http_version 1.1; }
                """
            let port = try scene.nginx(isSecure: true, Self.secureServer(paths, lines))
            let balancer = try scene.curlLB(["https://127.0.0.1:\(port);cacert=\(paths.certificate);sni=backend.test"])
            let client = try balancer.connect()
            for framing in ["Content-Length: \(body.count)", "Transfer-Encoding: chunked"] {
                try client.send("PUT / HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n")
                try client.send(framing.contains("chunked") ? body.chunked(by: 100_000) : body)
                #expect(try client.receiveResponse().body == body)
            }
            client.close()
            #expect(origin.requests.allSatisfy { $0.body == body })
        }
    }

    private static func secureServer(_ paths: (certificate: String, key: String), _ lines: String) -> String {
        "ssl_certificate \(paths.certificate); ssl_certificate_key \(paths.key);\n\(lines)"
    }

    // MARK: Unix-domain sockets

    @Test func `a backend behind a path is reached, and its connection is kept`() throws {
        try Scene.play { scene in
            let path = "\(try scene.folder())/app.sock"
            let origin = try scene.origin(path: path) { request, connection in
                try connection.send(Reply.ok(request.body.text))
            }
            let balancer = try scene.curlLB([origin])
            for _ in 0..<3 {
                let response = try balancer.response(
                    to: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
                )
                #expect(response.body.text == "hello")
            }
            #expect(origin.connections == 1)
            #expect(origin.requests.first?["Host"] == "test")
            #expect(try balancer.logLine().contains(" backend=unix:\(path) "))
        }
    }

    @Test func `a path without a server is a refused connection`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(["http+unix://\(try scene.folder())/none.sock"])
            let response = try balancer.get()
            #expect(response.status == 502)
            #expect(response["Proxy-Status"] == "curl-lb; error=connection_refused")
        }
    }
}
