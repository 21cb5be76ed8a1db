// Proxies on the way to a backend, made of scripts: SOCKS version 5 (RFC 1928, RFC 1929) and CONNECT (RFC 9110 section 9.3.6).

import Glibc
import Synchronization

/// What a proxy was asked for.
///
/// Any thread.
final class Record: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// How a proxy of a test behaves.
struct ProxyBehaviour: Sendable {
    /// `user:password` that it wants; nil for none.
    var credentials: String?
    /// What it answers in place of connecting: a status and reason, or a reply code of SOCKS.
    var refusal: String?
}

extension Scene {
    /// A SOCKS proxy that connects to ports of this machine, whatever host it is told.
    ///
    /// - Parameter record: Gets `host:port` of each connection asked for.
    func socksProxy(_ record: Record, _ behaviour: ProxyBehaviour = .init()) throws -> ScriptedOrigin {
        try origin { connection, _ in
            let offered = try connection.receive(Int(try connection.receive(2)[1]))
            if let credentials = behaviour.credentials {
                guard offered.contains(2) else {
                    try connection.send([5, 0xFF])
                    return
                }
                try connection.send([5, 2])
                let user = try connection.receive(Int(try connection.receive(2)[1]))
                let password = try connection.receive(Int(try connection.receive(1)[0]))
                let isRight = user + ":".bytes + password == credentials.bytes
                try connection.send([1, isRight ? 0 : 1])
                guard isRight else { return }
            } else {
                try connection.send([5, 0])
            }
            let kind = try connection.receive(4)[3]
            let host: String
            switch kind {
            case 1: host = try connection.receive(4).map { String($0) }.joined(separator: ".")
            case 3: host = try connection.receive(Int(try connection.receive(1)[0])).text
            default: host = try connection.receive(16).map { String($0, radix: 16) }.joined()
            }
            let port = try connection.receive(2).reduce(0) { $0 << 8 | UInt16($1) }
            record.add("\(host):\(port)")
            let address: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0]
            if let refusal = behaviour.refusal.flatMap({ UInt8($0) }) {
                try connection.send([5, refusal] + address)
                return
            }
            let backend = try Connection.to(port: port)
            try connection.send([5, 0] + address)
            try relay(connection, backend)
        }
    }

    /// An HTTP proxy that connects to ports of this machine, whatever host it is told.
    ///
    /// - Parameter record: Gets the request line of each connection asked for, and what stands in Proxy-Authorization.
    func connectProxy(_ record: Record, _ behaviour: ProxyBehaviour = .init()) throws -> ScriptedOrigin {
        try origin { connection, _ in
            let request = try connection.receiveHead()
            record.add(request.startLine + (request["Proxy-Authorization"].map { " \($0)" } ?? ""))
            if let refusal = behaviour.refusal {
                try connection.send("HTTP/1.1 \(refusal)\r\nContent-Length: 4\r\n\r\nno!\n")
                return
            }
            let port = request.startLine.split(separator: " ")[1].split(separator: ":").last.flatMap { UInt16($0) }
            let backend = try Connection.to(port: port ?? 0)
            try connection.send("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            try relay(connection, backend)
        }
    }
}

/// Passes bytes on both ways until one side ends.
private func relay(_ first: Connection, _ second: Connection) throws {
    defer {
        first.close()
        second.close()
    }
    while first.ending == nil, second.ending == nil {
        let there = try first.receive(first.receivedSoFar().count)
        let back = try second.receive(second.receivedSoFar().count)
        if !there.isEmpty { try second.send(there) }
        if !back.isEmpty { try first.send(back) }
        if there.isEmpty, back.isEmpty { usleep(500) }
    }
}
