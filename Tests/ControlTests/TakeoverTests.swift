// Tests of what processes say to each other: messages of a takeover, descriptors, names, sockets and signs for systemd.

import CLinux
import Front
import Glibc
import Logging
import Testing

@testable import Control

@Suite struct TakeoverTests {
    private static let sockets = [
        TakeoverMessage.PassedSocket(
            wanted: .tcp(host: "127.0.0.1", port: 0),
            address: .tcp(host: "127.0.0.1", port: 4711),
            isOwned: true
        ),
        TakeoverMessage.PassedSocket(wanted: .unix(path: "/run/a"), address: .unix(path: "/run/a"), isOwned: false),
        TakeoverMessage.PassedSocket(
            wanted: .tcp(host: "::", port: 80),
            address: .tcp(host: "::", port: 80),
            isOwned: true
        ),
    ]

    @Test func `each message reads back as it was written`() {
        let messages: [TakeoverMessage] = [
            .hello, .sockets(pid: 12, Self.sockets), .sockets(pid: 1, []), .refused("not now"), .ready([0, 2]),
            .ready([]),
            .gone,
        ]
        for message in messages { #expect(TakeoverMessage(message.text) == message) }
    }

    @Test(arguments: [
        "", "x", "curl-lb takeover 2", "ready x", "curl-lb takeover 1\nwhat",
        "curl-lb takeover 1\npid 1\nsocket own a b",
    ])
    func `what is no message is none`(text: String) {
        #expect(TakeoverMessage(text) == nil)
    }

    @Test func `a process is found at any of its addresses, or at its path`() {
        let addresses: [ListenAddress] = [
            .tcp(host: "127.0.0.1", port: 80), .tcp(host: "a", port: 0), .unix(path: "/a"),
        ]
        let names = TakeoverPlace.automatic.names(for: addresses).map(\.description)
        #expect(names == ["@curl-lb/\(geteuid())/127.0.0.1:80", "@curl-lb/\(geteuid())/unix:/a"])
        let long = TakeoverPlace.automatic.names(for: [.unix(path: "/" + String(repeating: "x", count: 100))])
        #expect(long.count == 1 && long[0].description.utf8.count < 50)
        #expect(TakeoverPlace.path("/run/t").names(for: addresses) == [.path("/run/t")])
        #expect(TakeoverPlace.off.names(for: addresses).isEmpty)
    }

    @Test func `descriptors go from one process to another, and lead to the same file`() throws {
        let name = LocalName.abstract("curl-lb-test/\(getpid())/\(UInt64.random(in: .min ... .max))")
        let listener = try LocalListener.listen(on: name).get()
        let client = try #require(LocalConnection.connect(to: name))
        let server = try #require(listener.accept())
        #expect(client.isOurs && server.isOurs)
        var ends: [CInt] = [-1, -1]
        try #require(lb_pipe(&ends) == 0)
        #expect(server.send("two", descriptors: ends))
        let (text, passed) = try #require(client.receive())
        #expect(text == "two" && passed.count == 2)
        try #require(passed.count == 2)
        #expect(fcntl(passed[0], F_GETFD) & FD_CLOEXEC != 0)
        var byte: UInt8 = 42
        #expect(write(passed[1], &byte, 1) == 1)
        byte = 0
        #expect(read(ends[0], &byte, 1) == 1 && byte == 42)
        for descriptor in ends + passed { close(descriptor) }
        if case .success = LocalListener.listen(on: name) { Issue.record("the name is taken") }
        listener.close()
        try LocalListener.listen(on: name).get().close()
    }

    @Test func `the socket of a process that is gone is not in the way, and leaves no file`() throws {
        let path = "/tmp/curl-lb-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
        let former = try LocalListener.listen(on: .path(path)).get()
        close(former.descriptor)
        #expect(access(path, F_OK) == 0)
        let next = try LocalListener.listen(on: .path(path)).get()
        next.close()
        #expect(access(path, F_OK) != 0)
    }

    // MARK: A whole takeover

    private func listeners(
        _ inherited: [InheritedSocket] = [],
        on addresses: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 0)]
    ) throws -> ListenerGroup {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ListenerGroup(on: addresses, inheriting: inherited, workers: 1, diagnostics: logger) {}
    }

    @Test func `sockets go over when the other process is ready, and not before`() throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let running = try listeners()
        let giver = TakeoverGiver(running, at: .automatic, diagnostics: logger) { isGone in isGone() }
        giver.start()
        defer { giver.stop() }
        do {
            let hesitant = try TakeoverTaker.ask(at: .automatic, addresses: running.addresses)
            #expect(hesitant?.pid == Int(getpid()))
            for socket in hesitant?.sockets ?? [] { socket.close() }
        }
        let taker = try #require(try TakeoverTaker.ask(at: .automatic, addresses: running.addresses))
        #expect(taker.sockets.map(\.address) == running.addresses)
        #expect(taker.sockets.map(\.descriptor) != running.heritage.map(\.descriptor))
        let next = try listeners(taker.sockets)
        #expect(next.addresses == running.addresses)
        #expect(taker.isReady(next))
        #expect(try TakeoverTaker.ask(at: .automatic, addresses: running.addresses) == nil, "nobody can any more")
        for socket in running.heritage + next.heritage { socket.close() }
    }
}

@Suite struct ServiceTests {
    /// A socket as systemd has it; closed when it is let go of.
    private final class Manager {
        let path = "/tmp/curl-lb-notify-\(getpid())-\(UInt32.random(in: .min ... .max))"
        private let descriptor = lb_datagram_socket()

        init() { _ = LocalName.path(path).withAddress { bind(descriptor, $0, $1) } }

        deinit {
            close(descriptor)
            unlink(path)
        }

        var next: String {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        }
    }

    @Test func `systemd is told what happens, in its words`() {
        let manager = Manager()
        let notifier = ServiceNotifier(["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "3000000"])
        #expect(notifier.watchdog == 3_000_000)
        notifier.ready(status: "fine")
        #expect(manager.next == "READY=1\nMAINPID=\(getpid())\nSTATUS=fine")
        notifier.reloading()
        #expect(manager.next.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        notifier.reloaded()
        #expect(manager.next == "READY=1")
        notifier.isAlive()
        #expect(manager.next == "WATCHDOG=1")
        notifier.stopping(status: "draining")
        #expect(manager.next == "STOPPING=1\nSTATUS=draining")
    }

    @Test(
        arguments: [
            [:], ["NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "1"], ["WATCHDOG_USEC": "1"],
            ["NOTIFY_SOCKET": "/a", "WATCHDOG_USEC": "x"], ["NOTIFY_SOCKET": "/a", "WATCHDOG_USEC": "0"],
            ["NOTIFY_SOCKET": "/a", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"],
        ] as [[String: String]]
    )
    func `where nobody waits for a sign of life, none is given`(environment: [String: String]) {
        #expect(ServiceNotifier(environment).watchdog == nil)
        ServiceNotifier(environment).isAlive()
    }

    @Test(
        arguments: [
            (["LISTEN_PID": "7", "LISTEN_FDS": "2"], 2), (["LISTEN_PID": "8", "LISTEN_FDS": "2"], nil),
            (["LISTEN_FDS": "2"], nil), (["LISTEN_PID": "7"], nil), (["LISTEN_PID": "7", "LISTEN_FDS": "0"], nil),
            (["LISTEN_PID": "7", "LISTEN_FDS": "-1"], nil), ([:], nil),
        ] as [([String: String], Int?)]
    )
    func `sockets that were passed to another process are not ours`(environment: [String: String], count: Int?) {
        #expect(SocketActivation.count(environment, pid: 7) == count)
    }
}
