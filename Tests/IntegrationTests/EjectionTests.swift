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
}
