// Tests of who is not ejected, and of who comes back, though a request or a response takes its time.

import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct EjectionTests {
    private static let ejections = ["LB_EJECT": "on", "LB_SLOW_START": "0"]

    /// Whether standard error has a line with all of these parts.
    private func hasSaid(_ balancer: CurlLB, _ parts: String...) -> Bool {
        balancer.process.standardError.lines.contains { line in parts.allSatisfy { line.contains($0) } }
    }

    @Test func `a backend whose clients are slow to send is not taken for one that is silent`() throws {
        try Scene.play { scene in
            let gate = Gate()
            let names = ["slow", "silent", "one", "two"]
            let origins = try names.map { name in
                try scene.origin { request, connection in
                    if request.startLine.hasPrefix("GET /hang ") { try gate.wait() }
                    try connection.send(Reply.ok(name))
                }
            }
            scene.expectLine(containing: "backend silent is ejected, was up: ")
            let balancer = try scene.curlLB(
                zip(origins, names).map { "\($0.url);name=\($1)" },
                Self.ejections.merging(["LB_STICKY": "cookie", "LB_STICKY_SECRET": "a secret for tests"]) { $1 }
            )
            var cookies: [String: String] = [:]
            for _ in names {
                let response = try balancer.get()
                cookies[response.body.text] = response["Set-Cookie"].map { String($0.prefix { $0 != ";" }) }
            }
            func head(_ line: String, for name: String) -> String {
                "\(line) HTTP/1.1\r\nHost: test\r\nCookie: \(cookies[name] ?? "")\r\n"
            }
            // First those whose requests are not whole; when others that are have waited for long enough, so have they.
            let clients = try (0..<16).map { _ in try balancer.connect() }
            for client in clients[..<8] {
                try client.send(head("POST /up", for: "slow") + "Content-Length: 1000\r\n\r\nabc")
            }
            try eventually("eight uploads") { origins[0].openConnections >= 8 }
            for client in clients[8...] { try client.send(head("GET /hang", for: "silent") + "\r\n") }
            try eventually("the ejection") {
                for name in ["one", "two"] {
                    let text = try balancer.response(to: head("GET /", for: name) + "\r\n").body.text
                    #expect(text == name)
                }
                return hasSaid(balancer, "backend silent is ejected, was up: ", "requests wait and none is answered")
            }
            #expect(!hasSaid(balancer, "backend slow is ejected"))
            gate.open()
            for client in clients { client.close() }
        }
    }

    @Test(arguments: [false, true])
    func `a backend whose front page is a stream without an end passes its checks and its trial`(isPathSet: Bool) throws
    {
        try Scene.play { scene in
            let isGood = Gate()
            let gate = Gate()
            let streaming = try scene.origin { request, connection in
                if request["User-Agent"] == "curl-lb-health" {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
                    try gate.wait()
                } else {
                    try connection.send(isGood.isOpen ? Reply.ok("b") : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                }
            }
            let good = try scene.origin(answering: Reply.ok("a", fields: "Connection: close\r\n"))
            scene.expectLine(containing: " is ejected, was up: ")
            var settings = Self.ejections.merging([
                "LB_HEALTH": "on", "LB_HEALTH_INTERVAL": "100ms", "LB_EJECT_TIME": "200ms",
            ]) { $1 }
            if isPathSet { settings["LB_HEALTH_PATH"] = "/events" }
            let balancer = try scene.curlLB([good, streaming], settings)
            #expect(!hasSaid(balancer, "is down"))
            try eventually("the ejection") {
                _ = try balancer.get()
                return hasSaid(balancer, "is ejected, was up: ", "answers in a row had a status of 500 or more")
            }
            isGood.open()
            try eventually("its return") {
                hasSaid(balancer, "is up, was ejected: its time is over and a trial passed: status 200")
            }
            #expect(!hasSaid(balancer, "is down"))
            gate.open()
            // The origins end before the balancer does, which may see them gone.
            for part in [" is down, was ", "no backend is usable"] { scene.expectLine(containing: part) }
        }
    }
}
