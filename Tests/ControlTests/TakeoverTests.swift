// Tests of what processes say to each other: messages of a takeover, descriptors, names, sockets and signs for systemd.

import CLinux
import Foundation
import Front
import Glibc
import Logging
import Synchronization
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
        let client = try LocalConnection.connect(to: name, within: 5).get()
        let server = try #require(listener.accept())
        #expect(client.isOurs && server.isOurs)
        var ends: [CInt] = [-1, -1]
        try #require(lb_pipe(&ends) == 0)
        #expect(server.send("two", descriptors: ends))
        let (text, passed) = try client.receive().get()
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

    /// A running process's side, which counts what it is told.
    private final class Running: Sendable {
        let listeners: ListenerGroup
        let giver: TakeoverGiver
        let lines = KeptLines()
        private let counts: Counts

        private final class Counts: Sendable {
            let left = Atomic<Int>(0)
            let stayed = Atomic<Int>(0)
        }

        init(_ listeners: ListenerGroup, patience: Duration = .seconds(60), at place: TakeoverPlace = .automatic) {
            let counts = Counts()
            self.counts = counts
            self.listeners = listeners
            giver = TakeoverGiver(
                listeners,
                at: place,
                patience: patience,
                diagnostics: lines.logger,
                TakeoverGiver.Parts(
                    leave: { counts.left.wrappingAdd(1, ordering: .relaxed) },
                    stay: { counts.stayed.wrappingAdd(1, ordering: .relaxed) }
                )
            )
            giver.start()
        }

        /// How often it has been asked to leave.
        var leaves: Int { counts.left.load(ordering: .relaxed) }
        /// How often it has heard that it is the one that serves on.
        var stays: Int { counts.stayed.load(ordering: .relaxed) }

        func ask() throws -> TakeoverTaker? { try TakeoverTaker.ask(at: .automatic, addresses: listeners.addresses) }

        func end() {
            giver.acceptingHasEnded()
            giver.waitForFarewell()
            listeners.abandon()
        }
    }

    @Test func `sockets go over when the other process is ready, and not before`() throws {
        let running = Running(try listeners())
        do {
            let hesitant = try running.ask()
            #expect(hesitant?.pid == Int(getpid()))
            for socket in hesitant?.sockets ?? [] { socket.close() }
        }
        try eventually("the word") { running.stays == 1 }
        let taker = try #require(try running.ask())
        #expect(taker.sockets.map(\.address) == running.listeners.addresses)
        #expect(taker.sockets.map(\.descriptor) != running.listeners.heritage.map(\.descriptor))
        let next = try listeners(taker.sockets)
        #expect(next.addresses == running.listeners.addresses)
        try taker.demandSuccession()
        taker.sayReady(next)
        try eventually("the leave") { running.leaves == 1 }
        running.end()
        #expect(taker.outcome() == .gone)
        #expect(try running.ask() == nil, "nobody can any more")
        #expect(running.leaves == 1 && running.stays == 1)
        next.abandon()
    }

    @Test func `who asks later takes the place of one that is not ready, and that one hears that it must not serve`()
        throws
    {
        let running = Running(try listeners())
        let first = try #require(try running.ask())
        let second = try #require(try running.ask())
        #expect(throws: TakeoverError.self) { try first.demandSuccession() }
        let next = try listeners(second.sockets)
        first.sayReady(next)
        second.sayReady(next)
        try eventually("the leave") { running.leaves == 1 }
        running.end()
        #expect(second.outcome() == .gone)
        for socket in first.sockets { socket.close() }
        next.abandon()
    }

    @Test func `who takes too long hears it, and so does the service manager`() throws {
        let running = Running(try listeners(), patience: .milliseconds(20))
        let taker = try #require(try running.ask())
        #expect(taker.outcome() == .refused("it has taken too long"))
        try eventually("the word") { running.stays == 1 }
        #expect(running.lines.all.contains { $0.contains("was not ready in time: it has taken too long; serving on") })
        #expect(running.leaves == 0)
        for socket in taker.sockets { socket.close() }
        running.end()
    }

    @Test func `a process that was started to take over is served without a name, and ended when it hangs`() throws {
        let running = Running(try listeners(), patience: .milliseconds(20), at: .off)
        var pair: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
        let isEnded = Atomic<Bool>(false)
        running.giver.invite(
            TakeoverGiver.Invitation(connection: LocalConnection(pair[0])) {
                isEnded.store(true, ordering: .relaxed)
            }
        )
        let taker = try TakeoverTaker.ask(
            at: .off,
            addresses: [],
            environment: ["CURL_LB_TAKEOVER_FD": String(pair[1])]
        )
        #expect(taker?.sockets.map(\.address) == running.listeners.addresses)
        #expect(taker?.outcome() == .refused("it has taken too long"))
        try eventually("its end") { isEnded.load(ordering: .relaxed) }
        for socket in taker?.sockets ?? [] { socket.close() }
        running.end()
        // And one that cannot reach who has started it does not begin by itself.
        try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
        close(pair[0])
        #expect(throws: TakeoverError.self) {
            try TakeoverTaker.ask(at: .off, addresses: [], environment: ["CURL_LB_TAKEOVER_FD": String(pair[1])])
        }
    }

    @Test func `those that say nothing are in nobody's way`() throws {
        let running = Running(try listeners())
        let name = TakeoverPlace.automatic.names(for: running.listeners.addresses)[0]
        let silent = try (0..<30).map { _ in try LocalConnection.connect(to: name, within: 5).get() }
        let taker = try #require(try running.ask())
        for socket in taker.sockets { socket.close() }
        #expect(silent.count == 30)
        running.end()
    }

    @Test func `who has connected to a process that ends learns that nobody is there`() throws {
        let running = Running(try listeners())
        let name = TakeoverPlace.automatic.names(for: running.listeners.addresses)[0]
        let silent = try LocalConnection.connect(to: name, within: 5).get()
        running.end()
        guard case .failure(.closed) = silent.receive() else { Issue.record("it waits"); return }
        #expect(try running.ask() == nil)
        // The name is anybody's.
        try LocalListener.listen(on: name).get().close()
    }

    @Test func `who has got the sockets goes on with them when the other process ends before it is ready`() throws {
        let path = "/tmp/curl-lb-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
        let running = Running(try listeners(on: [.unix(path: path)]))
        let taker = try #require(try running.ask())
        running.end()
        #expect(access(path, F_OK) == 0, "it is the other one's")
        let next = try listeners(taker.sockets, on: [.unix(path: path)])
        taker.sayReady(next)
        #expect(taker.outcome() == .gone)
        next.takeBack()
        next.abandon()
        #expect(access(path, F_OK) != 0)
    }

    @Test func `a process that has ended says nothing, and that is heard, too`() throws {
        let running = try listeners()
        let name = TakeoverPlace.automatic.names(for: running.addresses)[0]
        let listener = try LocalListener.listen(on: name).get()
        let isOver = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let connection = listener.accept()
            _ = connection?.receive()
            _ = connection?.send(TakeoverMessage.sockets(pid: 1, []).text)
            isOver.signal()
        }
        let taker = try #require(try TakeoverTaker.ask(at: .automatic, addresses: running.addresses))
        isOver.wait()
        taker.sayReady(running)
        #expect(taker.outcome() == .ended)
        listener.close()
        running.abandon()
    }

    @Test func `a name that another process has yet is had as soon as that one ends`() throws {
        let group = try listeners()
        let name = TakeoverPlace.automatic.names(for: group.addresses)[0]
        let former = try LocalListener.listen(on: name).get()
        let running = Running(group)
        former.close()
        var taker: TakeoverTaker?
        try eventually("the name") {
            taker = try running.ask()
            return taker != nil
        }
        for socket in taker?.sockets ?? [] { socket.close() }
        running.end()
    }

    @Test func `nobody waits for ever at a name where nobody is let in`() throws {
        let name = LocalName.abstract("curl-lb-test/\(getpid())/\(UInt64.random(in: .min ... .max))")
        let listener = try LocalListener.listen(on: name).get()
        var waiting: [LocalConnection] = []
        var failure: LocalFailure?
        while failure == nil, waiting.count < 100 {
            switch LocalConnection.connect(to: name, within: 1) {
            case .success(let connection): waiting.append(connection)
            case .failure(let problem): failure = problem
            }
        }
        #expect(failure?.isLate == true)
        listener.close()
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
        notifier.mainProcess(is: 7)
        #expect(manager.next == "MAINPID=7")
        // Another process is the service, and is not kept alive by this one.
        notifier.fallSilent()
        notifier.isAlive()
        notifier.stopping(status: "draining")
        #expect(manager.next == "")
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
