// Accepting by several workers, and how it ends.

import Glibc
import Logging
import Synchronization
import Testing

@testable import EventLoop
@testable import Front

@Suite("Listener group")
struct ListenerGroupTests {
    /// A client's socket, connected to the group's first address; -1 when it is refused.
    private func connect(to group: ListenerGroup) throws -> CInt {
        guard case .tcp(_, let port) = try #require(group.addresses.first) else { return -1 }
        let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        try #require(client >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return client }
        close(client)
        return -1
    }

    /// Collects what is delivered; the loops of these tests run on the test's own thread.
    private final class Deliveries {
        var sockets: [AcceptedSocket] = []
    }

    private final class Stops: Sendable {
        let count = Atomic<Int>(0)
    }

    private func group(workers: Int, _ stops: Stops) throws -> ListenerGroup {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ListenerGroup(on: [.tcp(host: "127.0.0.1", port: 0)], workers: workers, diagnostics: logger) {
            stops.count.wrappingAdd(1, ordering: .relaxed)
        }
    }

    @Test("each worker delivers what waits when it stops; the last closes the sockets and tells, once")
    func stopping() throws {
        let stops = Stops()
        let group = try group(workers: 2, stops)
        let loops = [EventLoop(), EventLoop()]
        let deliveries = Deliveries()
        let parts = loops.map { loop in group.accept(on: loop) { deliveries.sockets.append($0) } }

        let clients = [try connect(to: group), try connect(to: group)]
        #expect(clients.allSatisfy { $0 >= 0 })
        parts[0].close()
        #expect(deliveries.sockets.count == 2)
        #expect(stops.count.load(ordering: .relaxed) == 0)

        let late = try connect(to: group)
        #expect(late >= 0, "the other worker still listens")
        parts[1].close()
        parts[1].close()
        #expect(deliveries.sockets.count == 3)
        #expect(stops.count.load(ordering: .relaxed) == 1)
        #expect(try connect(to: group) == -1, "nobody listens any more")

        for socket in deliveries.sockets { socket.close() }
        for client in clients + [late] { close(client) }
        for loop in loops { loop.tearDown() }
    }

    @Test("a connection that comes before any worker accepts is served by the first that does")
    func earlyConnection() throws {
        let stops = Stops()
        let group = try group(workers: 1, stops)
        let client = try connect(to: group)
        let loop = EventLoop()
        let deliveries = Deliveries()
        let part = group.accept(on: loop) { deliveries.sockets.append($0) }
        loop.turn()
        #expect(deliveries.sockets.count == 1)
        part.close()
        #expect(stops.count.load(ordering: .relaxed) == 1)
        for socket in deliveries.sockets { socket.close() }
        close(client)
        loop.tearDown()
    }

    // MARK: Sockets that go over to another process

    @Test("what waits at a socket that another process goes on with is left to that process, which finds it by looking")
    func leaving() throws {
        let stops = Stops()
        let former = try group(workers: 1, stops)
        let formerLoop = EventLoop()
        let formerDeliveries = Deliveries()
        let formerPart = former.accept(on: formerLoop) { formerDeliveries.sockets.append($0) }
        // As after a message with descriptors: other numbers for the same sockets.
        let passed = former.heritage.map { socket in
            InheritedSocket(
                descriptor: dup(socket.descriptor),
                wanted: socket.wanted,
                address: socket.address,
                isOwned: socket.isOwned
            )
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let next = try ListenerGroup(
            on: [.tcp(host: "127.0.0.1", port: 0)],
            inheriting: passed,
            workers: 1,
            diagnostics: logger
        ) {}
        #expect(next.addresses == former.addresses)

        let client = try connect(to: former)
        former.leave(Set(former.heritage.map(\.descriptor)))
        formerPart.close()
        #expect(formerDeliveries.sockets.isEmpty)
        #expect(stops.count.load(ordering: .relaxed) == 1)

        let loop = EventLoop()
        let deliveries = Deliveries()
        let part = next.accept(on: loop) { deliveries.sockets.append($0) }
        part.look()
        #expect(deliveries.sockets.count == 1)
        let late = try connect(to: next)
        #expect(late >= 0)
        loop.turn()
        #expect(deliveries.sockets.count == 2)
        part.close()
        #expect(try connect(to: next) == -1)
        for socket in deliveries.sockets { socket.close() }
        for client in [client, late] { close(client) }
        loop.tearDown()
        formerLoop.tearDown()
    }

    @Test("the path of a socket stays when another process goes on with it, and when another program has made it")
    func paths() throws {
        let path = Self.freshPath
        defer { unlink(path) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        func group(_ inherited: [InheritedSocket] = []) throws -> ListenerGroup {
            try ListenerGroup(on: [.unix(path: path)], inheriting: inherited, workers: 1, diagnostics: logger) {}
        }
        func end(_ group: ListenerGroup) {
            let loop = EventLoop()
            group.accept(on: loop) { $0.close() }.close()
            loop.tearDown()
        }
        let first = try group()
        let copy = dup(first.heritage[0].descriptor)
        first.leave([first.heritage[0].descriptor])
        end(first)
        #expect(access(path, F_OK) == 0)

        let adopted = try InheritedSocket(adopting: copy)
        #expect(adopted.address == .unix(path: path) && !adopted.isOwned)
        let second = try group([adopted])
        end(second)
        #expect(access(path, F_OK) == 0)
    }

    /// A path in the file system that nobody has.
    private static var freshPath: String { "/tmp/curl-lb-\(getpid())-\(UInt32.random(in: .min ... .max)).sock" }

    /// Listens on a path, and says nothing of what goes wrong.
    private static func group(at path: String) throws -> ListenerGroup {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ListenerGroup(on: [.unix(path: path)], workers: 1, diagnostics: logger) {}
    }

    @Test("what may be another process's is left, until that process is known to be gone")
    func passing() throws {
        let path = Self.freshPath
        defer { unlink(path) }
        func group() throws -> ListenerGroup { try Self.group(at: path) }
        let first = try group()
        #expect(first.pass { true })
        first.abandon()
        #expect(access(path, F_OK) == 0)
        #expect(!first.pass { true }, "the numbers may be other files' now")

        let second = try group()
        #expect(!second.pass { false })
        second.takeBack()
        second.abandon()
        #expect(access(path, F_OK) != 0)
    }

    @Test("a path that has become another socket's stays")
    func strangers() throws {
        let path = Self.freshPath
        defer { unlink(path) }
        func group() throws -> ListenerGroup { try Self.group(at: path) }
        let first = try group()
        // Kept until the end, so that the other file has another number.
        rename(path, path + ".old")
        defer { unlink(path + ".old") }
        let second = try group()
        first.abandon()
        #expect(access(path, F_OK) == 0)
        second.abandon()
        #expect(access(path, F_OK) != 0)
    }

    @Test("an address that nobody has passed on is bound, and a socket that no address wants is closed")
    func mixing() throws {
        let former = try group(workers: 1, Stops())
        let copy = dup(former.heritage[0].descriptor)
        let inherited = InheritedSocket(
            descriptor: copy,
            wanted: .tcp(host: "127.0.0.1", port: 1),
            address: .tcp(host: "127.0.0.1", port: 1),
            isOwned: true
        )
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let next = try ListenerGroup(
            on: [.tcp(host: "127.0.0.1", port: 0)],
            inheriting: [inherited],
            workers: 1,
            diagnostics: logger
        ) {}
        #expect(next.addresses != former.addresses)
        #expect(fcntl(copy, F_GETFD) == -1 || next.heritage.map(\.descriptor).contains(copy))
        for socket in former.heritage + next.heritage { socket.close() }
    }

    @Test("what is no socket that listens is refused")
    func foreignDescriptors() throws {
        let plain = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(plain) }
        #expect(throws: InheritanceError.self) { try InheritedSocket(adopting: plain) }
        #expect(throws: InheritanceError.self) { try InheritedSocket(adopting: 0) }
    }
}
