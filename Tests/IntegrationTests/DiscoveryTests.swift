// Tests of backends that come and go while the program runs.

import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct DiscoveryTests {
    /// Clients that ask one request after the other until they are told to stop.
    private final class Load: Sendable {
        private let isOver = Atomic<Bool>(false)
        private let running = Counter()
        private let ended = Counter()
        /// What was answered that is no success, and what was not answered.
        let failures = Record()
        let answers = Counter()

        init(_ count: Int, on balancer: CurlLB) {
            for _ in 0..<count {
                running.add()
                Thread.detachNewThread { [self] in
                    do {
                        let client = try balancer.connect()
                        while !isOver.load(ordering: .relaxed) {
                            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                            let response = try client.receiveResponse()
                            if response.status == 200 { answers.add() } else { failures.add(response.startLine) }
                        }
                        client.close()
                    } catch { failures.add("\(error)") }
                    ended.add()
                }
            }
        }

        func stop() throws {
            isOver.store(true, ordering: .relaxed)
            try eventually("the clients' end") { ended.value == running.value }
        }
    }

    private func write(_ origins: [ScriptedOrigin], _ options: String = "", to path: String) throws {
        let text = origins.map { "\($0.url)\(options)\n" }.joined()
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test func `members come and go under load without a failed request, and who stays keeps every connection`() throws
    {
        try Scene.play { scene in
            let origins = try (0..<4).map { _ in try scene.origin() }
            let path = "\(try scene.folder())/backends"
            try write(Array(origins[0...1]), to: path)
            let balancer = try scene.curlLB(
                ["file:\(path)"],
                ["LB_WORKERS": "2", "LB_UPSTREAM_IDLE": "60s", "LB_RETRIES": "0"]
            )
            #expect(balancer.process.standardError.text.contains("2 backends: \(origins[0].name) ("))
            let load = Load(8, on: balancer)
            func served(_ origin: ScriptedOrigin, _ what: String) throws {
                let count = origin.requests.count
                try eventually(what) { origin.requests.count > count + 10 }
            }
            for members in [[0, 2], [0, 2, 3], [0], [0, 1, 3]] {
                try write(members.map { origins[$0] }, to: path)
                for index in 1..<4 {
                    if members.contains(index) {
                        try served(origins[index], "requests at \(index)")
                    } else {
                        try eventually("the end of the connections to \(index)") { origins[index].openConnections == 0 }
                    }
                }
                try served(origins[0], "requests at the one that stays")
            }
            // Another weight, in place.
            let before = origins[1].connections
            try write([origins[0], origins[1], origins[3]], ";weight=3", to: path)
            try served(origins[1], "requests at 1")
            try load.stop()
            #expect(load.failures.all == [])
            #expect(origins[0].connections <= 8, "no more than there were requests at a time")
            #expect(origins[0].openConnections == origins[0].connections)
            #expect(origins[1].connections <= before + 8)
            let lines = balancer.process.standardError.lines.filter { $0.contains("file:") }
            #expect(lines.contains { $0.contains("added \(origins[2].name); removed \(origins[1].name); 2 backends") })
        }
    }

    @Test func `a list with a mistake changes nothing, and the line names it`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let path = "\(try scene.folder())/backends"
            try write([origins[0]], to: path)
            let balancer = try scene.curlLB(["file:\(path)"])
            #expect(try balancer.get().body.text == "a")
            scene.expectLine(containing: "line 2:")
            try "\(origins[1].url)\nhttp:/x\n".write(toFile: path, atomically: true, encoding: .utf8)
            try eventually("the line") {
                balancer.process.standardError.text.contains("line 2: \"http:/x\": expected a URL")
            }
            #expect(try balancer.get().body.text == "a")
            try write([origins[1]], to: path)
            try eventually("the other backend") { try balancer.get().body.text == "b" }
        }
    }

    @Test func `without a backend the answer is 503 at once, until there is one`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let path = "\(try scene.folder())/backends"
            scene.expectLine(containing: "No such file or directory; it has given no backends yet")
            let balancer = try scene.curlLB(["file:\(path)"])
            let response = try balancer.get()
            #expect(response.status == 503)
            #expect(response["Proxy-Status"] == "curl-lb; error=destination_unavailable")
            try write([origin], to: path)
            try eventually("the backend") { try balancer.get().status == 200 }
        }
    }

    @Test func `each address of a name is a backend`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let port = origin.name.split(separator: ":")[1]
            let balancer = try scene.curlLB(["dns://localhost:\(port);host=backend"])
            #expect(try balancer.get().status == 200)
            #expect(try balancer.logLine().contains("backend=localhost:\(port)/127.0.0.1 "))
            #expect(origin.requests.first?["Host"] == "localhost:\(port)")
        }
    }

    @Test func `over TLS the certificate bears the name, not the address`() throws {
        try Scene.play { scene in
            let paths = try scene.certificate(for: "localhost")
            let port = try scene.nginx(
                isSecure: true,
                "ssl_certificate \(paths.certificate); ssl_certificate_key \(paths.key); return 200 \"$ssl_server_name\";"
            )
            let balancer = try scene.curlLB(["dns+https://localhost:\(port);cacert=\(paths.certificate)"])
            #expect(try balancer.get().body.text == "localhost")
        }
    }

    @Test func `a program's backends are used, and it is run again and again`() throws {
        try Scene.play { scene in
            let origins = try ["a", "b"].map { try scene.origin(answering: Reply.ok($0)) }
            let folder = try scene.folder()
            try origins[0].url.write(toFile: "\(folder)/list", atomically: true, encoding: .utf8)
            try "#!/bin/sh\ncat '\(folder)/list'\n".write(toFile: "\(folder)/run", atomically: true, encoding: .utf8)
            #expect(chmod("\(folder)/run", 0o755) == 0)
            let balancer = try scene.curlLB(["exec:\(folder)/run;weight=2"], ["LB_EXEC_INTERVAL": "100ms"])
            #expect(try balancer.get().body.text == "a")
            try origins[1].url.write(toFile: "\(folder)/list", atomically: true, encoding: .utf8)
            try eventually("the other backend") { try balancer.get().body.text == "b" }
        }
    }
}
