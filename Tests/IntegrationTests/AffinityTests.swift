// Tests of clients that are bound to backends by a cookie, over all workers.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AffinityTests {
    private static let secret = "a secret for tests"
    private static let sticky = ["LB_STICKY": "cookie", "LB_STICKY_SECRET": secret, "LB_WORKERS": "4"]

    /// Origins named a, b, c …, each answering with its name, and how the balancer is told of them.
    private func backends(_ count: Int, in scene: Scene) throws -> (origins: [ScriptedOrigin], urls: [String]) {
        let names = Array("abcdef".prefix(count)).map(String.init)
        let origins = try names.map { try scene.origin(answering: Reply.ok($0)) }
        return (origins, zip(origins, names).map { "\($0.url);name=\($1)" })
    }

    /// A GET on a connection of its own, with these field lines.
    private func get(_ balancer: CurlLB, _ lines: String = "") throws -> Message {
        try balancer.response(to: "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(lines)\r\n")
    }

    /// The cookie that a response sets, as it is sent back.
    private func cookie(_ response: Message, name: String = "lb_backend") throws -> String {
        let value = try #require(response["Set-Cookie"])
        let pair = String(value.prefix { $0 != ";" })
        #expect(pair.hasPrefix("\(name)=") && pair.count == name.count + 1 + 22)
        return "Cookie: \(pair)\r\n"
    }

    @Test func `a client comes back to the backend that has answered it, on whichever of four workers`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(backends(3, in: scene).urls, Self.sticky)
            for name in ["a", "b", "c"] {
                let first = try get(balancer)
                #expect(first.body.text == name)
                #expect(first.values("Set-Cookie").count == 1)
                #expect(try #require(first["Set-Cookie"]).hasSuffix("; Path=/; HttpOnly; SameSite=Lax"))
                #expect(first["Cache-Control"] == "private")
                let cookie = try cookie(first)
                let clients = try (0..<4).map { _ in try balancer.connect() }
                for turn in 0..<12 {
                    try clients[turn % 4].send("GET / HTTP/1.1\r\nHost: test\r\n\(cookie)\r\n")
                    let response = try clients[turn % 4].receiveResponse()
                    #expect(response.body.text == name)
                    // Nothing is said about what has not changed.
                    #expect(response.values("Set-Cookie").isEmpty && response["Cache-Control"] == nil)
                }
                for client in clients { client.close() }
            }
        }
    }

    @Test func `the cookie reaches the backend, among the others`() throws {
        try Scene.play { scene in
            let (origins, urls) = try backends(1, in: scene)
            let balancer = try scene.curlLB(urls, Self.sticky)
            let cookie = try cookie(try get(balancer)).replacing("Cookie: ", with: "Cookie: theme=dark; ")
            _ = try get(balancer, cookie)
            #expect(origins[0].requests.last?["Cookie"].map { "Cookie: \($0)\r\n" } == cookie)
        }
    }

    @Test func `a cookie tells neither name nor address, and no other secret's cookie is taken`() throws {
        try Scene.play { scene in
            let (origins, urls) = try backends(2, in: scene)
            let balancer = try scene.curlLB(urls, Self.sticky)
            let other = try scene.curlLB(
                urls,
                Self.sticky.merging(["LB_STICKY_SECRET": "another secret, as long"]) { $1 }
            )
            let same = try scene.curlLB(urls, Self.sticky)
            _ = try get(other)
            let cookie = try cookie(try get(other))
            #expect(!cookie.contains(origins[1].name) && !cookie.contains("127"))
            // Both would answer a first request with a: the foreign cookie changes nothing, and is replaced.
            let foreign = try get(balancer, cookie)
            #expect(foreign.body.text == "a" && foreign["Set-Cookie"] != nil)
            // A balancer with the same secret and names takes it.
            _ = try get(balancer)
            let own = try self.cookie(try get(balancer))
            let shared = try get(same, own)
            #expect(shared.body.text == "a" && shared["Set-Cookie"] == nil)
            #expect(try get(same, own).body.text == "a")
        }
    }

    @Test(arguments: [
        "Cookie: lb_backend=a\r\n", "Cookie: lb_backend=\r\n", "Cookie: lb_backend\r\n", "Cookie: =\r\n",
        "Cookie: lb_backend=AAAAAAAAAAAAAAAAAAAAAA\r\n", "Cookie: lb_backend=127.0.0.1:3000\r\n",
        "Cookie: lb_backend=\u{0}\u{1}\r\n",
        "Cookie: \(String(repeating: "lb_backend=AAAAAAAAAAAAAAAAAAAAAA;", count: 1500))\r\n",
        "Cookie: LB_BACKEND=AAAAAAAAAAAAAAAAAAAAAA\r\n", "Cookie: lb_backend=\u{E9}AAAAAAAAAAAAAAAAAAAAA\r\n",
    ])
    func `a cookie that we have not made is as none`(line: String) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB(backends(2, in: scene).urls, Self.sticky)
            let isRefused = line.contains("\u{0}")
            for name in ["a", "b", "a"] {
                let response = try get(balancer, line)
                #expect(response.status == (isRefused ? 400 : 200))
                #expect((response["Set-Cookie"] != nil) == !isRefused)
                if !isRefused { #expect(response.body.text == name) }
            }
        }
    }

    @Test func `when its backend fails a client is bound to another, and told so`() throws {
        try Scene.play { scene in
            let (origins, urls) = try backends(3, in: scene)
            let balancer = try scene.curlLB(urls, Self.sticky.merging(["LB_UPSTREAM_IDLE": "0"]) { $1 })
            let first = try get(balancer)
            #expect(first.body.text == "a")
            origins[0].stop()
            let second = try get(balancer, try cookie(first))
            let name = second.body.text
            #expect(second.status == 200 && name != "a")
            let cookie = try cookie(second)
            #expect(try self.cookie(first) != cookie)
            for _ in 0..<6 {
                let response = try get(balancer, cookie)
                #expect(response.body.text == name && response["Set-Cookie"] == nil)
            }
        }
    }

    @Test func `a page of ours binds nobody, and unbinds nobody`() throws {
        try Scene.play { scene in
            let (origins, urls) = try backends(1, in: scene)
            let balancer = try scene.curlLB(urls, Self.sticky.merging(["LB_UPSTREAM_IDLE": "0"]) { $1 })
            let cookie = try cookie(try get(balancer))
            origins[0].stop()
            for line in ["", cookie] {
                let response = try get(balancer, line)
                #expect(response.status == 502)
                #expect(response.values("Set-Cookie").isEmpty)
            }
            let refused = try balancer.response(to: "GET / HTTP/1.1\r\n\(cookie)\r\n")
            #expect(refused.status == 400 && refused.values("Set-Cookie").isEmpty)
        }
    }

    @Test func `an error that the backend itself answers with binds as any answer`() throws {
        try Scene.play { scene in
            let origin = try scene.origin(
                answering: "HTTP/1.1 500 Oops\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
            )
            let balancer = try scene.curlLB([origin], Self.sticky)
            let response = try get(balancer)
            #expect(response.status == 500)
            let values = response.values("Set-Cookie")
            #expect(values.count == 2 && values[0] == "a=b" && values[1].hasPrefix("lb_backend="))
        }
    }

    @Test func `a full backend lends its client to another, for which it is bound anew`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let held = try scene.origin { request, connection in
                if request.startLine.contains("/held") { try gate.wait() }
                try connection.send(Reply.ok("a"))
            }
            let other = try scene.origin(answering: Reply.ok("b"))
            let balancer = try scene.curlLB(["\(held.url);max_conns=1", other.url], Self.sticky)
            let first = try get(balancer)
            #expect(first.body.text == "a")
            let cookie = try cookie(first)
            let client = try balancer.connect()
            try client.send("GET /held HTTP/1.1\r\nHost: test\r\n\(cookie)\r\n")
            try eventually("the request at a") { held.requests.count == 2 }
            let response = try get(balancer, cookie)
            #expect(response.body.text == "b")
            #expect(try self.cookie(response) != cookie)
            gate.open()
            let answer = try client.receiveResponse()
            #expect(answer.body.text == "a" && answer["Set-Cookie"] == nil)
            client.close()
            #expect(try get(balancer, cookie).body.text == "a")
        }
    }

    @Test func `a backend without weight keeps its clients, a backup those that it was given`() throws {
        try Scene.play { scene in
            let (origins, urls) = try backends(3, in: scene)
            let all = try scene.curlLB(urls, Self.sticky)
            let cookies = try (0..<3).map { _ in try cookie(try get(all)) }
            let balancer = try scene.curlLB(
                ["\(urls[0]);weight=0", urls[1], "\(urls[2]);backup=on"],
                Self.sticky
            )
            #expect(try cookies.map { try get(balancer, $0).body.text } == ["a", "b", "c"])
            #expect(try (0..<3).map { _ in try get(balancer).body.text } == ["b", "b", "b"])
            #expect(origins[0].requests.count == 2)
        }
    }

    @Test func `name, lifetime and attributes are as they are set`() throws {
        try Scene.play { scene in
            let settings = [
                "LB_STICKY": "cookie:__Host-shop;lifetime=1h;secure=on;samesite=none", "LB_STICKY_SECRET": Self.secret,
            ]
            let balancer = try scene.curlLB(backends(2, in: scene).urls, settings)
            let response = try get(balancer)
            let end = "; Path=/; Max-Age=3600; HttpOnly; SameSite=None; Secure"
            #expect(try #require(response["Set-Cookie"]).hasSuffix(end))
            #expect(try get(balancer, try cookie(response, name: "__Host-shop")).body.text == "a")
        }
    }

    @Test func `the cookie is Secure when a trusted proxy says that the client came over TLS`() throws {
        try Scene.play { scene in
            let urls = try backends(1, in: scene).urls
            let trusting = try scene.curlLB(urls, Self.sticky.merging(["LB_TRUSTED": "127.0.0.1"]) { $1 })
            let line = "X-Forwarded-Proto: https\r\n"
            #expect(try #require(try get(trusting, line)["Set-Cookie"]).hasSuffix("; Secure"))
            #expect(try !#require(try get(trusting)["Set-Cookie"]).hasSuffix("; Secure"))
            let other = try scene.curlLB(urls, Self.sticky)
            #expect(try !#require(try get(other, line)["Set-Cookie"]).hasSuffix("; Secure"))
        }
    }

    @Test func `a response without a body, and one that switches protocols, bind too`() throws {
        try Scene.play { scene in
            let origin = try scene.origin { request, connection in
                let isUpgrade = request["Upgrade"] != nil
                try connection.send(
                    isUpgrade
                        ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
                        : "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
                )
            }
            let balancer = try scene.curlLB([origin], Self.sticky)
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.receiveHead().values("Set-Cookie").isEmpty)
            #expect(try client.receiveHead().values("Set-Cookie").count == 1)
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            let switched = try client.receiveHead()
            #expect(switched.status == 101 && switched.values("Set-Cookie").count == 1)
            client.close()
        }
    }

    @Test func `without a secret clients are bound all the same, and standard error says for how long`() throws {
        try Scene.play { scene in
            let urls = try backends(2, in: scene).urls
            let warning = "until this process ends, and by this balancer alone: set LB_STICKY_SECRET"
            scene.expectLine(containing: warning)
            let first = try scene.curlLB(urls, ["LB_STICKY": "cookie", "LB_WORKERS": "2"])
            try eventually("the warning") { first.process.standardError.text.contains(warning) }
            let cookie = try cookie(try get(first))
            for _ in 0..<4 { #expect(try get(first, cookie).body.text == "a") }
            let second = try scene.curlLB(urls, ["LB_STICKY": "cookie"])
            #expect(try get(second, cookie)["Set-Cookie"] != nil)
            let third = try scene.curlLB(urls, Self.sticky)
            #expect(!third.process.standardError.text.contains("LB_STICKY"))
        }
    }

    @Test func `the secret may stand in a file`() throws {
        try Scene.play { scene in
            let urls = try backends(2, in: scene).urls
            let path = "\(try scene.folder())/secret"
            try "\(Self.secret)\n".write(toFile: path, atomically: true, encoding: .utf8)
            let first = try scene.curlLB(urls, Self.sticky)
            let second = try scene.curlLB(urls, Self.sticky.merging(["LB_STICKY_SECRET": "file:\(path)"]) { $1 })
            _ = try get(first)
            let response = try get(second, try cookie(try get(first)))
            #expect(response.body.text == "b" && response["Set-Cookie"] == nil)
        }
    }
}
