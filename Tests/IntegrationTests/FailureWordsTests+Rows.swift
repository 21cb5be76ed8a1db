// How each row of the failure table comes about.

import Foundation
import Glibc

extension FailureWordsTests {
    static let rows: [Row] = reaching + responses + overload + ourselves + clients

    private static let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    /// Its body does not come to an end.
    private static let post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nx"
    private static let silent: ScriptedOrigin.Script = { connection, _ in _ = try connection.drainToEnd() }

    /// A balancer that fails a GET.
    private static func page(
        _ scene: Scene,
        _ backends: [String],
        _ environment: [String: String] = [:]
    ) throws -> Failing {
        let balancer = try scene.curlLB(backends, environment)
        return Failing(balancer: balancer, page: try balancer.get())
    }

    // MARK: Reaching a backend

    private static let reaching: [Row] = [
        Row("dns_error") { try page($0, ["http://no-such-host.invalid"], ["LB_CONNECT_TIMEOUT": "20s"]) },
        Row("dns_timeout") { scene in try page(scene, behindSilentResolver: "somewhere.example") },
        Row("connection_refused") { try page($0, [try $0.refusingURL()]) },
        // No connection is ever made to a broadcast address (connect(2), ENETUNREACH).
        Row("destination_ip_unroutable") { try page($0, ["http://255.255.255.255"]) },
        Row("connection_timeout") {
            let origin = try $0.origin(silent)
            return try page($0, ["https://\(origin.name)"], ["LB_CONNECT_TIMEOUT": "200ms"])
        },
        Row("connection_failed") {
            let proxy = try $0.connectProxy(Record(), ProxyBehaviour(refusal: "403 Forbidden"))
            return try page($0, ["http://127.0.0.1:9;proxy=http://\(proxy.name)"])
        },
        Row("tls_protocol_error") {
            let origin = try $0.origin { connection, _ in
                _ = try connection.receive(1)
                try connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            }
            return try page($0, ["https://\(origin.name)"])
        },
        Row("tls_certificate_error") {
            let paths = try $0.certificate(for: "backend.test")
            let lines = "ssl_certificate \(paths.certificate); ssl_certificate_key \(paths.key); return 200;"
            return try page($0, ["https://127.0.0.1:\(try $0.nginx(isSecure: true, lines))"])
        },
    ]

    /// A balancer whose resolver never answers: it gets another resolv.conf than everybody else.
    private static func page(_ scene: Scene, behindSilentResolver host: String) throws -> Failing {
        guard geteuid() == 0, let unshare = Program.installed("unshare") else {
            throw Unplayable(reason: "only root can put another resolver in place")
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(53).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_4D35).bigEndian
        let resolver = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        scene.atEnd { close(resolver) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(resolver, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound else { throw Unplayable(reason: "127.0.77.53 has a resolver already") }
        let file = "\(try scene.folder())/resolv.conf"
        try "nameserver 127.0.77.53\n".write(toFile: file, atomically: true, encoding: .utf8)
        let check = try ChildProcess(unshare, ["-m", "/bin/mount", "--bind", file, "/etc/resolv.conf"])
        guard try check.waitForExit() == .code(0) else { throw Unplayable(reason: check.standardError.text) }
        let balancer = try scene.curlLB(
            ["http://\(host)"],
            ["LB_CONNECT_TIMEOUT": "300ms"],
            behind: [
                unshare, "-m", "/bin/sh", "-c", "mount --bind \(file) /etc/resolv.conf && exec \"$0\"",
            ]
        )
        return Failing(balancer: balancer, page: try balancer.get())
    }

    // MARK: Its response

    private static let responses: [Row] = [
        Row("connection_terminated") {
            try page($0, [try $0.origin { connection, _ in _ = try connection.receiveRequest() }.url])
        },
        Row("http_response_timeout") {
            try page($0, [try $0.origin(silent).url], ["LB_RESPONSE_TIMEOUT": "150ms"])
        },
        Row("http_protocol_error") { try page($0, [try $0.origin(answering: "nonsense\r\n\r\n").url]) },
        Row("http_response_header_section_size") {
            let line = "A: \(String(repeating: "a", count: 4000))\r\n"
            let origin = try $0.origin(answering: "HTTP/1.1 200 OK\r\n\(line)\r\n")
            return try page($0, [origin.url], ["LB_MAX_HEADER": "2KiB"])
        },
        Row("http_response_incomplete", .noPage) { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            try client.drainToEnd()
            client.close()
            return Failing(balancer: balancer)
        },
        Row("retriable_status", .attempt) { scene in
            let failing = try scene.origin(answering: "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
            let balancer = try scene.curlLB(
                [failing, try scene.origin()],
                ["LB_RETRY_ON": "gateway", "LB_POLICY": "first"]
            )
            guard try balancer.get().status == 200 else { throw Disappointment("the other backend was not asked") }
            return Failing(balancer: balancer)
        },
    ]

    // MARK: Overload

    private static let overload: [Row] = [
        Row("destination_unavailable") { try page($0, ["\(try $0.origin().url);weight=0"]) },
        Row("connection_limit_reached") { try fullPage($0, ["LB_QUEUE": "0"]) },
        Row("queue_full") { scene in
            try fullPage(scene, ["LB_QUEUE": "1"]) { balancer in
                let second = try balancer.connect()
                try second.send(get)
                try second.waitUntilRead()
                return [second]
            }
        },
        Row("queue_timeout") { try fullPage($0, ["LB_QUEUE_TIMEOUT": "100ms"]) },
        Row("request_deadline") { try page($0, [try $0.origin(silent).url], ["LB_DEADLINE": "150ms"]) },
        Row("retry_budget_exhausted", .note) { scene in
            let gate = Gate()
            scene.atEnd { gate.open() }
            let failing = try scene.origin { connection, _ in _ = try connection.receiveRequest() }
            let holding = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let balancer = try scene.curlLB([failing, holding], ["LB_RETRY_BUDGET": "0", "LB_POLICY": "first"])
            let clients = try (0..<3).map { _ in try balancer.connect() }
            for (index, client) in clients.enumerated() {
                try client.send(get)
                try eventually("a retry") { holding.requests.count == index + 1 }
            }
            guard try balancer.get().status == 502 else { throw Disappointment("it was sent again") }
            gate.open()
            for client in clients {
                _ = try client.receiveResponse()
                client.close()
            }
            return Failing(balancer: balancer)
        },
    ]

    /// A page for whom there is no place at the only backend.
    private static func fullPage(
        _ scene: Scene,
        _ environment: [String: String],
        before: (CurlLB) throws -> [Connection] = { _ in [] }
    ) throws -> Failing {
        let gate = Gate()
        scene.atEnd { gate.open() }
        let origin = try scene.origin { _, connection in
            try gate.wait()
            try connection.send(Reply.ok("ok"))
        }
        let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], environment)
        let first = try balancer.connect()
        try first.send(get)
        try eventually("the first request") { origin.requests.count == 1 }
        let others = try before(balancer)
        let page = try balancer.get()
        gate.open()
        for client in [first] + others {
            _ = try client.receiveResponse()
            client.close()
        }
        return Failing(balancer: balancer, page: page)
    }

    // MARK: Ourselves

    private static let ourselves: [Row] = [
        Row("shutting_down") { try stopping($0).second },
        Row("stopped_in_flight") { try stopping($0).first },
        Row("open_file_limit") { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_UPSTREAM_IDLE": "0"])
            let connections = try (0..<5).map { _ in try balancer.connect() }
            for connection in connections {
                try connection.send(get)
                _ = try connection.receiveResponse()
            }
            try eventually("rest") { balancer.process.connectionCount == connections.count }
            try balancer.process.leaveDescriptors(0)
            try connections[0].send(get)
            let page = try connections[0].receiveResponse()
            for connection in connections { connection.close() }
            return Failing(balancer: balancer, page: page)
        },
        Row("proxy_loop_detected") { scene in
            let balancer = try scene.curlLB([try scene.origin()])
            let request = "GET / HTTP/1.1\r\nHost: test\r\nVia: 1.1 curl-lb\r\nConnection: close\r\n\r\n"
            return Failing(balancer: balancer, page: try balancer.response(to: request))
        },
    ]

    /// Ends a balancer while one request is with the backend and one waits for a place; what became of each.
    private static func stopping(_ scene: Scene) throws -> (first: Failing, second: Failing) {
        let origin = try scene.origin(silent)
        let balancer = try scene.curlLB(["\(origin.url);max_conns=1"], ["LB_DRAIN_TIMEOUT": "200ms"])
        let clients = try (0..<2).map { _ in
            let client = try balancer.connect()
            try client.send(get)
            try client.waitUntilRead()
            return client
        }
        try eventually("the first request") { origin.openConnections == 1 }
        balancer.process.send(SIGTERM)
        let pages = try clients.map { client in
            defer { client.close() }
            return try client.receiveResponse()
        }
        // A second signal, meanwhile, would be told to end it at once.
        _ = try balancer.process.waitForExit()
        return (Failing(balancer: balancer, page: pages[0]), Failing(balancer: balancer, page: pages[1]))
    }

    // MARK: The client

    private static let clients: [Row] = [
        Row("request_not_taken", .noPage) { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nx")
            _ = try client.receiveResponse()
            client.close()
            return Failing(balancer: balancer)
        },
        Row("client_gone", .noPage) { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveRequest()
                _ = try connection.isAtEnd()
            }
            let balancer = try scene.curlLB([origin])
            let client = try balancer.connect()
            try client.send(get)
            try eventually("the request") { origin.requests.count == 1 }
            client.close()
            return Failing(balancer: balancer)
        },
        Row("client_read_timeout", .noPage) { scene in
            let balancer = try scene.curlLB([try endless(scene)], ["LB_WRITE_TIMEOUT": "200ms"])
            let client = try balancer.connect(receiveBuffer: 4096)
            try client.send(get)
            _ = try balancer.logLine()
            client.close()
            return Failing(balancer: balancer)
        },
        Row("client_read_too_slow", .noPage) { scene in
            let balancer = try scene.curlLB([try endless(scene)], ["LB_BODY_PACE": "64MiB/500ms"])
            let client = try balancer.connect(receiveBuffer: 4096)
            try client.send(get)
            try eventually("the end of its patience") { !balancer.log.isEmpty }
            client.close()
            return Failing(balancer: balancer)
        },
        Row("tunnel_idle_timeout", .noPage) { scene in
            let origin = try scene.origin { connection, _ in
                _ = try connection.receiveHead()
                try connection.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                )
                _ = try connection.drainToEnd()
            }
            let balancer = try scene.curlLB([origin], ["LB_TUNNEL_IDLE": "150ms"])
            let client = try balancer.connect()
            try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            try client.drainToEnd()
            client.close()
            return Failing(balancer: balancer)
        },
        Row("request_head_timeout") {
            try partial($0, "GET / HTTP/1.1\r\nHost:", ["LB_HEADER_TIMEOUT": "150ms"])
        },
        Row("request_body_timeout") {
            try partial($0, post, ["LB_IDLE_TIMEOUT": "150ms"])
        },
        Row("request_body_too_slow") {
            try partial($0, post, ["LB_BODY_PACE": "1KiB/150ms"])
        },
        Row("pipelining_limit") { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_MAX_PIPELINED": "1"])
            let client = try balancer.connect()
            try client.send(String(repeating: get, count: 3))
            _ = try client.receiveResponse()
            let page = try client.receiveResponse()
            client.close()
            return Failing(balancer: balancer, page: page)
        },
        Row("connection_limit") { try crowded($0, "LB_MAX_CONNECTIONS") },
        Row("client_connection_limit") { try crowded($0, "LB_MAX_PER_CLIENT") },
    ]

    /// An origin whose response is larger than all buffers on its way.
    private static func endless(_ scene: Scene) throws -> ScriptedOrigin {
        try scene.origin { _, connection in
            try? connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(64 << 20)\r\n\r\n")
            try? connection.send(Array(repeating: UInt8(ascii: "x"), count: 64 << 20))
        }
    }

    /// The page for a request that does not go on.
    private static func partial(_ scene: Scene, _ bytes: String, _ environment: [String: String]) throws -> Failing {
        let balancer = try scene.curlLB([try scene.origin()], environment)
        let client = try balancer.connect()
        try client.send(bytes)
        let page = try client.receiveResponse()
        client.close()
        return Failing(balancer: balancer, page: page)
    }

    /// The page for one connection too many.
    private static func crowded(_ scene: Scene, _ variable: String) throws -> Failing {
        scene.expectLine(containing: "\(variable)=1 is reached")
        let balancer = try scene.curlLB([try scene.origin()], [variable: "1"])
        let first = try balancer.connect()
        try first.send(get)
        _ = try first.receiveResponse()
        let second = try balancer.connect()
        let page = try second.receiveResponse()
        for client in [first, second] { client.close() }
        return Failing(balancer: balancer, page: page)
    }
}
