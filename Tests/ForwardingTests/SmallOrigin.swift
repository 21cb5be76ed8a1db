// A backend and a client for tests of running workers: blocking sockets, no more than a request needs.

import Foundation
import Synchronization
import Upstream

/// Answers every request with its name, and counts.
///
/// Any thread.
final class SmallOrigin: Sendable {
    let name: String
    let origin: Origin
    /// Whether it plays a proxy that it is behind: connections are made while answers do not wait.
    private let isProxied: Bool
    private let listener: CInt
    private let state = Mutex((connections: 0, open: 0, requests: 0, isHeld: false, isBroken: false, isStopped: false))

    init(_ name: String, isProxied: Bool = false) throws {
        self.name = name
        self.isProxied = isProxied
        // Programs that tests of other targets start meanwhile do not inherit it.
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (descriptor, size) = (listener, length)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        let port = UInt16(bigEndian: address.sin_port)
        var origin = Origin(scheme: .http, host: "127.0.0.1", port: port)
        if isProxied { origin.proxy = ProxyServer(kind: .http, host: "127.0.0.1", port: port) }
        self.origin = origin
        Thread.detachNewThread { self.accept() }
    }

    var connections: Int { state.withLock { $0.connections } }
    var openConnections: Int { state.withLock { $0.open } }
    var requests: Int { state.withLock { $0.requests } }

    /// Whether answers wait.
    var isHeld: Bool {
        get { state.withLock { $0.isHeld } }
        set { state.withLock { $0.isHeld = newValue } }
    }

    /// Whether it closes connections in place of answering.
    var isBroken: Bool {
        get { state.withLock { $0.isBroken } }
        set { state.withLock { $0.isBroken = newValue } }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, CInt(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let descriptor = Foundation.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                close(listener)
                return
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            state.withLock {
                $0.connections += 1
                $0.open += 1
            }
            Thread.detachNewThread { self.serve(SmallConnection(descriptor)) }
        }
    }

    private func waitWhileHeld() {
        while state.withLock({ $0.isHeld && !$0.isStopped }) { usleep(1000) }
    }

    private func serve(_ connection: SmallConnection) {
        if isProxied {
            _ = connection.receive(until: "\r\n\r\n")
            waitWhileHeld()
            connection.send("HTTP/1.1 200 Connected\r\n\r\n")
        }
        while connection.receive(until: "\r\n\r\n") != nil {
            state.withLock { $0.requests += 1 }
            waitWhileHeld()
            if isBroken { break }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
        }
        connection.close()
        state.withLock { $0.open -= 1 }
    }
}

/// A connected socket that waits for what it reads, though not for ever.
struct SmallConnection {
    let descriptor: CInt

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Two ends of one connection.
    static func pair() -> (SmallConnection, SmallConnection) {
        var ends: [CInt] = [0, 0]
        let isMade = socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
        precondition(isMade, "two descriptors are to be had")
        return (SmallConnection(ends[0]), SmallConnection(ends[1]))
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Foundation.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    /// What comes up to an ending; nil when the connection ends before it.
    func receive(until ending: String) -> String? {
        var text = ""
        var byte: UInt8 = 0
        while !text.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) {
            guard read(descriptor, &byte, 1) == 1 else { return nil }
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return text
    }

    func close() { _ = Foundation.close(descriptor) }
}
