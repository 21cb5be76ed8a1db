// What the admin API bears: connections beyond its limit, and clients that send what nobody wants to read.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminLimitTests {
    private static let anyPort = ["LB_ADMIN": "127.0.0.1:0"]
    private static let token = "abcdefghijklmnopqrstuvwxyz"
    private static let withToken = ["LB_ADMIN": "127.0.0.1:0", "LB_ADMIN_TOKEN": token]
    private static let limit = 256

    @Test func `when every connection is used, another one is told, and the traffic of others goes on`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([scene.origin()], Self.anyPort)
            let admin = try balancer.admin
            let readers = try (0..<Self.limit).map { _ in try admin.events() }
            let excess = try Connection.to(admin.address)
            let response = try excess.receiveResponse()
            #expect(response.status == 503 && response.problem == "too_many_connections")
            #expect(try balancer.get().status == 200)
            #expect(readers.allSatisfy { !$0.isLeft })
            for connection in readers + [excess] { connection.close() }
            try eventually("room") { (try? admin.get("/healthz").status) == 200 }
        }
    }

    @Test("who says nothing, or nothing that shows who it is, locks nobody out", arguments: ["", "/healthz", "/stats"])
    func strangers(path: String) throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([scene.origin()], Self.withToken)
            var admin = try balancer.admin
            admin.token = Self.token
            let operators = try Connection.to(admin.address)
            try operators.send(admin.request("GET", "/stats", isLast: false))
            #expect(try operators.receiveResponse().status == 200)
            admin.token = nil
            let strangers = try (0..<Self.limit).map { _ in
                let stranger = try Connection.to(admin.address)
                guard !path.isEmpty else { return stranger }
                try stranger.send(admin.request("GET", path, isLast: false))
                #expect([200, 401].contains(try stranger.receiveResponse().status))
                return stranger
            }
            // Probes, and those who have the token.
            #expect(try admin.get("/healthz").status == 200)
            #expect(try admin.get("/readyz").status == 200)
            admin.token = Self.token
            #expect(try admin.get("/stats").status == 200)
            // The one that had been silent for longest has made room, not the one that is known.
            #expect(try strangers[0].isAtEnd())
            try operators.send(admin.request("GET", "/stats", isLast: false))
            #expect(try operators.receiveResponse().status == 200)
            for connection in strangers + [operators] { connection.close() }
        }
    }

    @Test func `of those who are known one at rest makes room`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([scene.origin()], Self.anyPort)
            let admin = try balancer.admin
            let known = try (0..<Self.limit).map { _ in
                let connection = try Connection.to(admin.address)
                try connection.send(admin.request("GET", "/config", isLast: false))
                #expect(try connection.receiveResponse().status == 200)
                return connection
            }
            #expect(try admin.get("/healthz").status == 200)
            #expect(try known[0].isAtEnd() && !known[1].isLeft)
            for connection in known { connection.close() }
        }
    }

    @Test(
        "the body of a request that is refused is not read on and on",
        arguments: ["Host: evil.example", "Origin: http://evil.example", "Content-Type: text/plain"]
    )
    func refusedBodies(field: String) throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let admin = try scene.curlLB([origin], Self.anyPort).admin
            let connection = try Connection.to(admin.address)
            defer { connection.close() }
            let fields = [field, "Transfer-Encoding: chunked"]
            try connection.send(admin.request("PATCH", "/backends/\(origin.name)", fields: fields, isLast: false))
            let response = try connection.receiveResponse(to: "PATCH")
            #expect([403, 415].contains(response.status) && response["Connection"] == "close")
            let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 16) + Array("\r\n".utf8)
            var rest = chunk[...]
            var sent = 0
            // What is read and dropped, and what the two sockets hold, is a few megabytes.
            try eventually("the end of a connection that has taken \(sent) bytes") {
                while sent < 256 << 20 {
                    let count = connection.sendSome(rest)
                    if count < 0 { return true }
                    if count == 0 { return false }
                    sent += count
                    rest = rest.count == count ? chunk[...] : rest.dropFirst(count)
                }
                throw Disappointment("\(sent) bytes of a refused request were read")
            }
        }
    }

    @Test func `a refused request whose body has come is followed by another one`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            let connection = try Connection.to(admin.address)
            defer { connection.close() }
            try connection.send(
                admin.request("POST", "/backends", "{}", fields: ["Host: evil.example"], isLast: false)
                    + admin.request("GET", "/healthz", isLast: false)
            )
            #expect(try connection.receiveResponse(to: "POST").problem == "host_not_allowed")
            #expect(try connection.receiveResponse().body.text == "ok\n")
        }
    }

    @Test func `what a page elsewhere embeds is refused`() throws {
        try Scene.play { scene in
            let admin = try scene.curlLB([scene.origin()], Self.anyPort).admin
            for (fields, status) in [
                (["Sec-Fetch-Site: cross-site"], 403), (["sec-fetch-site: same-site"], 403),
                (["Sec-Fetch-Site: none", "Sec-Fetch-Site: none"], 403), (["Sec-Fetch-Site: none"], 200), ([], 200),
            ] {
                #expect(try admin.ask("GET", "/stats", fields: fields).status == status, "\(fields)")
            }
            #expect(try admin.ask("GET", "/", fields: ["Sec-Fetch-Site: cross-site"]).status == 200)
        }
    }
}
