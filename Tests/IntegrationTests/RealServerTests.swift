// Tests with servers and a browser that know nothing of these tests.

import Crypto
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct RealServerTests {
    // MARK: nginx

    @Test func `files of several nginx, with all that HTTP offers for files`() throws {
        try Scene.play { scene in
            let folder = try scene.folder()
            let large = [UInt8].pattern(20 << 20)
            try Data(large).write(to: URL(fileURLWithPath: "\(folder)/large"))
            try "hello, world\n".write(toFile: "\(folder)/hello.txt", atomically: true, encoding: .utf8)
            let lines = "root \(folder); add_header X-Connection \"$pid $connection\";"
            let ports = try (0..<2).map { _ in try scene.nginx(lines) }
            let balancer = try scene.curlLB(ports.map { "http://127.0.0.1:\($0)" })
            let client = try balancer.connect()
            func ask(_ line: String, _ fields: String = "") throws -> Message {
                try client.send("\(line) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
                return try client.receiveResponse(to: String(line.prefix { $0 != " " }))
            }

            // Two servers in turn, one connection to each.
            let responses = try (0..<6).map { _ in try ask("GET /hello.txt") }
            #expect(responses.allSatisfy { $0.body.text == "hello, world\n" })
            #expect(Set(responses.map { $0["X-Connection"] ?? "" }).count == 2)

            let head = try ask("HEAD /large")
            #expect(head["Content-Length"] == "\(large.count)")
            let tag = try #require(responses[0]["ETag"])
            #expect(try ask("GET /hello.txt", "If-None-Match: \(tag)\r\n").status == 304)
            let part = try ask("GET /hello.txt", "Range: bytes=7-11\r\n")
            #expect(part.status == 206)
            #expect(part["Content-Range"] == "bytes 7-11/13")
            #expect(part.body.text == "world")
            #expect(try ask("GET /hello.txt", "Range: bytes=99-\r\n").status == 416)
            #expect(try ask("GET /none").status == 404)
            #expect(try ask("POST /hello.txt", "Content-Length: 0\r\n").status == 405)
            for _ in 0..<2 { #expect(try SHA256.hash(data: ask("GET /large").body) == SHA256.hash(data: large)) }
            client.close()
        }
    }

    @Test func `an nginx that closes its connections now and then costs no request`() throws {
        try Scene.play { scene in
            let port = try scene.nginx("keepalive_requests 3; location / { return 200 ok; }")
            let balancer = try scene.curlLB(["http://127.0.0.1:\(port)"], ["LB_RETRIES": "0"])
            let client = try balancer.connect()
            for number in 0..<50 {
                let method = number.isMultiple(of: 2) ? "GET" : "POST"
                try client.send("\(method) / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n")
                #expect(try client.receiveResponse().body.text == "ok")
            }
            client.close()
        }
    }

    // MARK: Flask and the demo origin

    @Test func `a Flask application`() throws {
        try Scene.play { scene in
            let urls = try ["one", "two"].map { try scene.flask($0) }
            let balancer = try scene.curlLB(urls)
            func json(_ response: Message) throws -> [String: Any] {
                try #require(try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
            }
            let names = try (0..<4).map { _ in try json(balancer.get())["name"] as? String }
            #expect(names == ["one", "two", "one", "two"])
            for framing in [
                "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ] {
                let object = try json(
                    try balancer.response(to: "POST /echo?a=b HTTP/1.1\r\nHost: shop.example\r\n\(framing)")
                )
                #expect(object["target"] as? String == "/echo?a=b")
                let headers = try #require(object["headers"] as? [String: String])
                #expect(headers["Host"] == "shop.example")
                #expect(headers["X-Forwarded-For"] == "127.0.0.1")
                if framing.hasPrefix("Content-Length") { #expect(object["body"] as? String == "hello") }
            }
        }
    }

    @Test func `the demo origin's bodies arrive whole`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(try ["one", "two"].map { try scene.demoOrigin($0) })
            let expected = (0..<3_000_000).map { UInt8($0 % 251) }
            for target in ["/bytes/3000000", "/bytes/3000000?chunked=1"] {
                for _ in 0..<2 { #expect(try balancer.get(target).body == expected) }
            }
            let hash = SHA256.hash(data: expected).map { String(format: "%02x", $0) }.joined()
            let client = try balancer.connect()
            for framing in ["Content-Length: \(expected.count)", "Transfer-Encoding: chunked"] {
                try client.send("POST /upload HTTP/1.1\r\nHost: test\r\n\(framing)\r\n\r\n")
                try client.send(framing.contains("chunked") ? expected.chunked(by: 12_345) : expected)
                #expect(try client.receiveResponse().body.text.contains(hash))
            }
            client.close()
        }
    }

    // MARK: A browser

    @Test(.enabled(if: Program.installed("chromium", "chromium-browser", "google-chrome") != nil))
    func `a browser gets a page whole whose parts come from three backends`() throws {
        try Scene.play { scene in
            let browser = try #require(Program.installed("chromium", "chromium-browser", "google-chrome"))
            let balancer = try scene.curlLB(try ["one", "two", "three"].map { try scene.demoOrigin($0) })
            let profile = try scene.folder()
            let process = try scene.process(
                browser,
                [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                    "--user-data-dir=\(profile)", "--virtual-time-budget=10000", "--dump-dom",
                    "http://127.0.0.1:\(balancer.port)/",
                ],
                environment: ["HOME": profile]
            )
            #expect(try process.waitForExit() == .code(0))
            #expect(process.standardOutput?.text.contains("data-ready=\"yes\"") == true)
            let lines = balancer.log
            #expect(lines.count >= 5)
            #expect(lines.allSatisfy { $0.contains("\" 200 ") })
            let backends = lines.compactMap { line in line.split(separator: " ").first { $0.hasPrefix("backend=") } }
            #expect(Set(backends).count == 3)
        }
    }
}
