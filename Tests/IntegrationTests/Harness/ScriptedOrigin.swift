// A backend made of a script: what it answers, and when, down to the byte.

import CLinux
import Foundation
import Synchronization

/// Listens, and plays its script on each connection, each on a thread of its own.
///
/// Any thread.
final class ScriptedOrigin: Sendable {
    /// What the origin does on one connection; the number counts its connections from 0.
    ///
    /// Returning closes the connection.
    typealias Script = @Sendable (_ connection: Connection, _ number: Int) throws -> Void

    private struct State {
        var heads: [Message] = []
        var requests: [Message] = []
        var connections = 0
        var open: Set<CInt> = []
        var isStopped = false
    }

    /// How it stands in the list of backends.
    let url: String
    private let listener: CInt
    private let state = Mutex(State())

    /// Listens on a port of the kernel's choice, or on a path.
    init(path: String? = nil, _ script: @escaping Script) throws {
        listener = try (path.map { .unix(path: $0) } ?? SocketAddress.loopback(port: 0)).bind()
        guard listen(listener, 512) == 0 else { throw Disappointment("cannot listen: errno \(errno)") }
        url = path.map { "http+unix://\($0)" } ?? "http://127.0.0.1:\(SocketAddress.port(of: listener))"
        Thread.detachNewThread { self.accept(script) }
    }

    /// Listens, and plays a script for each whole request of each connection, until the other end closes it.
    convenience init(
        path: String? = nil,
        replying reply: @escaping @Sendable (_ request: Message, _ connection: Connection) throws -> Void
    ) throws {
        try self.init(path: path) { connection, _ in
            while try !connection.isAtEnd() { try reply(try connection.receiveRequest(), connection) }
        }
    }

    /// The name that logs call the origin by.
    var name: String { url.hasPrefix("http://") ? String(url.dropFirst(7)) : "unix:\(url.dropFirst(12))" }

    /// The heads that were received, on any connection.
    var heads: [Message] { state.withLock { $0.heads } }

    /// The requests that were received whole, on any connection.
    var requests: [Message] { state.withLock { $0.requests } }

    /// How many connections were made.
    var connections: Int { state.withLock { $0.connections } }

    /// How many of them are open on this side.
    var openConnections: Int { state.withLock { $0.open.count } }

    /// Closes everything; the scripts end with an error.
    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for descriptor in state.open { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
    }

    private func accept(_ script: @escaping Script) {
        defer { close(listener) }
        while true {
            var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 50)
            let isStopped = state.withLock { $0.isStopped }
            guard !isStopped else { return }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = lb_accept(listener, &storage, &length)
            guard descriptor >= 0 else { continue }
            // What is sent leaves at once, also behind bytes that are not acknowledged yet.
            if storage.ss_family == sa_family_t(AF_INET) { _ = lb_set_no_delay(descriptor) }
            begin(descriptor, script)
        }
    }

    private func begin(_ descriptor: CInt, _ script: @escaping Script) {
        let number = state.withLock { state in
            state.open.insert(descriptor)
            state.connections += 1
            return state.connections - 1
        }
        Thread.detachNewThread {
            let connection = Connection(descriptor: descriptor, ended: self.end)
            connection.heard = { [unowned self] message, isWhole in
                state.withLock { state in
                    if isWhole { state.requests.append(message) } else { state.heads.append(message) }
                }
            }
            // A script fails when its connection ends early, which is what many tests are about.
            try? script(connection, number)
            connection.close()
        }
    }

    /// Closes a connection under the lock, so that its number is not used again while ``stop()`` looks.
    private func end(_ descriptor: CInt) {
        state.withLock { state in
            state.open.remove(descriptor)
            _ = close(descriptor)
        }
    }
}

/// Something that a script waits for and a test lets happen.
///
/// Any thread.
final class Gate: Sendable {
    private let isOpened = Mutex(false)

    var isOpen: Bool { isOpened.withLock { $0 } }

    func open() { isOpened.withLock { $0 = true } }

    func wait() throws { try eventually("a gate's opening") { isOpen } }
}

/// A number that scripts raise and tests read.
///
/// Any thread.
final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    func add(_ count: Int = 1) { number.withLock { $0 += count } }
}
