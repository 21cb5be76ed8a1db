// Changing the pool while workers run: who gets the next request, and what happens to connections.

import Balancing
import Dispatch
import Foundation
import HTTPWire
import Logging
import Synchronization
import Telemetry
import Testing
import Upstream

@testable import EventLoop
@testable import Forwarding
@testable import Front

@Suite("Pool changes", .timeLimit(.minutes(5)))
struct PoolChangeTests {
    /// Two workers and a client on each.
    final class Running {
        let group: WorkerGroup
        let clients: [SmallConnection]
        private let stopped = DispatchSemaphore(value: 0)

        init(
            _ origins: [SmallOrigin],
            policy: Policy = .roundRobin,
            limit: Int = 0,
            affinity: CookieAffinity? = nil,
            hedge: UInt64? = nil
        ) throws {
            if let problem = CurlLibrary.prepare() { throw POSIXError(.ENOSYS, userInfo: ["problem": problem]) }
            var settings = Self.settings()
            settings.overload.hedge = hedge
            settings.affinity = affinity
            let group = WorkerGroup(
                settings: settings,
                policy: policy,
                backends: origins.map {
                    BackendConfiguration(name: $0.name, origin: $0.origin, maximumInFlight: limit)
                },
                limits: ConnectionLimits(total: 10, perClient: 0, diagnostics: Logger(label: "test")),
                metrics: Metrics(workers: 2),
                accessLog: nil
            )
            clients = (0..<2).map { _ in
                let (client, server) = SmallConnection.pair()
                _ = fcntl(server.descriptor, F_SETFL, O_NONBLOCK)
                group.serve(AcceptedSocket(descriptor: server.descriptor, peer: .unix))
                return client
            }
            group.notifyWhenStopped { [stopped] in stopped.signal() }
            self.group = group
        }

        /// Limits that no test runs into.
        static func settings() -> ForwardingSettings {
            let second: UInt64 = 1_000_000_000
            return ForwardingSettings(
                name: "test",
                retries: 2,
                connectTimeout: 10 * second,
                headTimeout: 60 * second,
                responseTimeout: 60 * second,
                idleTimeout: 60 * second,
                upstreamIdle: 60 * second,
                tunnelIdle: 60 * second,
                writeTimeout: 60 * second,
                bodyProgress: nil,
                maximumPipelined: 10,
                headLimits: .init(),
                accessLogStyle: nil,
                overload: OverloadSettings(queueTimeout: 60 * second)
            )
        }

        /// Changes the pool and waits until both workers have gone over to it.
        func change(_ changes: PoolChange...) throws {
            try group.change(changes)
            try PoolChangeTests.wait("both workers") { group.adoptedVersion == group.pool.version }
        }

        /// The names of who answers, one request by each client in turn.
        func answers(_ count: Int) -> String {
            (0..<count).map { turn in
                ask(turn % 2)
                return answer(turn % 2)
            }.joined(separator: " ")
        }

        func ask(_ client: Int, _ lines: String = "") {
            clients[client].send("GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n")
        }

        /// The name in the answer, or its status.
        func answer(_ client: Int) -> String { response(client).body }

        /// The head of an answer, and the name in it, or its status.
        func response(_ client: Int) -> (head: String, body: String) {
            guard let head = clients[client].receive(until: "\r\n\r\n") else { return ("", "-") }
            let length = head.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.1) } ?? 0
            var body = [UInt8](repeating: 0, count: length)
            let count = recv(clients[client].descriptor, &body, length, CInt(MSG_WAITALL))
            let isGood = head.hasPrefix("HTTP/1.1 200 ") && count == length
            return (head, isGood ? String(decoding: body, as: UTF8.self) : String(head.dropFirst(9).prefix(3)))
        }

        func stop() {
            for client in clients { client.close() }
            group.drain(.zero)
            stopped.wait()
        }
    }

    static func configuration(_ origin: SmallOrigin) -> BackendConfiguration {
        BackendConfiguration(name: origin.name, origin: origin.origin)
    }

    static func wait(_ what: String, _ condition: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < end else {
                Issue.record("in vain waited for: \(what)")
                throw CancellationError()
            }
            usleep(1000)
        }
    }

    /// Runs a test before origins of these names.
    ///
    /// - Parameters:
    ///   - count: How many of them are in the pool at first.
    ///   - limit: The most requests in flight at each of these; 0 for any number.
    private func play(
        _ names: String...,
        count: Int = 2,
        limit: Int = 0,
        test: (Running, [SmallOrigin]) throws -> Void
    ) throws {
        let origins = try names.map { try SmallOrigin($0) }
        let running = try Running(Array(origins.prefix(count)), limit: limit)
        defer {
            for origin in origins { origin.stop() }
            running.stop()
        }
        try test(running, origins)
    }

    @Test func `a new weight holds on every worker, and no connection is touched`() throws {
        try play("a", "b") { running, origins in
            #expect(running.answers(4) == "a b a b")
            let before = origins.map(\.connections)
            try running.change(.weight(name: "b", 0))
            #expect(running.answers(4) == "a a a a")
            try running.change(.weight(name: "b", 3), .weight(name: "a", 0))
            #expect(running.answers(4) == "b b b b")
            #expect(running.group.pool.members.map(\.weight) == [0, 3])
            // Each worker has at most one to each backend, and each is still there.
            #expect(origins.allSatisfy { $0.connections <= 2 && $0.openConnections == $0.connections })
            #expect(zip(origins, before).allSatisfy { $0.connections >= $1 })
        }
    }

    @Test(
        arguments: [
            .administrative(name: "a", .drain), .administrative(name: "a", .maintenance),
            .operational(name: "a", .down),
        ] as [PoolChange]
    )
    func `a backend that is not ready or not up gets nothing until it is`(change: PoolChange) throws {
        try play("a", "b") { running, _ in
            try running.change(change)
            #expect(running.answers(4) == "b b b b")
            try running.change(.administrative(name: "a", .ready), .operational(name: "a", .up))
            #expect(Set(running.answers(2).split(separator: " ")) == ["a", "b"])
        }
    }

    @Test
    func `a backend that is added gets requests, one that is removed none, and the others keep their connections`()
        throws
    {
        try play("a", "b", "c") { running, origins in
            #expect(running.answers(4) == "a b a b")
            let kept = origins[1].connections
            try running.change(.add(Self.configuration(origins[2])), .remove(name: "a"))
            #expect(Set(running.answers(4).split(separator: " ")) == ["b", "c"])
            try Self.wait("the connections to a to be closed") { origins[0].openConnections == 0 }
            #expect(origins[1].openConnections == origins[1].connections)
            #expect(origins[1].connections <= max(2, kept))
            try running.change(.remove(name: "b"), .remove(name: "c"))
            #expect(running.answers(2) == "503 503")
        }
    }

    @Test func `a backend that is removed finishes what it has, and its place is nobody's until then`() throws {
        try play("a", "b", "c", "d") { running, origins in
            origins[0].isHeld = true
            running.ask(0)
            try Self.wait("the request at a") { origins[0].requests == 1 }
            try running.change(.remove(name: "a"))
            #expect(running.group.drainingBackends.map(\.name) == ["a"])
            try running.change(.add(Self.configuration(origins[2])))
            #expect(running.group.pool.members.map(\.backend.index) == [1, 2])

            origins[0].isHeld = false
            #expect(running.answer(0) == "a")
            try Self.wait("the connection to a to be closed") { origins[0].openConnections == 0 }
            #expect(running.group.drainingBackends.isEmpty)
            try running.change(.add(Self.configuration(origins[3])))
            #expect(running.group.pool.members.map(\.backend.index) == [1, 2, 0])
            #expect(Set(running.answers(6).split(separator: " ")) == ["b", "c", "d"])
        }
    }

    @Test func `who gets the index of a backend that was tried has not been tried`() throws {
        try play("a", "b", "c", "d") { running, origins in
            try running.change(.policy(.first))
            origins[0].isBroken = true
            origins[1].isHeld = true
            running.ask(0)
            try Self.wait("the request at b, after a") { origins[1].requests == 1 }
            try running.change(.remove(name: "a"))
            try running.change(.add(Self.configuration(origins[2])))
            #expect(running.group.pool.members.map(\.backend.index) == [1, 0])
            origins[1].isBroken = true
            origins[1].isHeld = false
            #expect(running.answer(0) == "c")
        }
    }

    @Test func `another policy and another order hold on every worker, and no connection is touched`() throws {
        try play("a", "b") { running, origins in
            #expect(running.answers(4) == "a b a b")
            try running.change(.policy(.first))
            #expect(running.answers(4) == "a a a a")
            try running.change(.order(names: ["b"]))
            #expect(running.answers(4) == "b b b b")
            try running.change(.backup(name: "b", true), .policy(.leastConnections))
            #expect(running.answers(2) == "a a")
            #expect(origins.allSatisfy { $0.openConnections == $0.connections })
        }
    }

    @Test func `of changes that are refused none is made`() throws {
        try play("a", "b", "c") { running, origins in
            let version = running.group.pool.version
            #expect(throws: PoolRefusal.unknown(name: "x")) {
                try running.group.change([.weight(name: "a", 0), .remove(name: "x")])
            }
            #expect(throws: PoolRefusal.taken(name: "a")) {
                try running.group.change([.add(Self.configuration(origins[2])), .add(Self.configuration(origins[0]))])
            }
            #expect(throws: PoolRefusal.outOfRange(65536)) { try running.group.change([.weight(name: "a", 65536)]) }
            #expect(running.group.pool.version == version)
            #expect(running.answers(4) == "a b a b")
        }
    }

    // MARK: Who waits

    /// Has a hold both clients, the second of which waits.
    private func fill(_ running: Running, _ origin: SmallOrigin) throws {
        origin.isHeld = true
        running.ask(0)
        try Self.wait("the request at a") { origin.requests == 1 }
        running.ask(1)
        try Self.wait("the other one in the queue") { running.group.queuedRequests == 1 }
    }

    @Test func `a backend that is added serves who waits`() throws {
        try play("a", "b", count: 1, limit: 1) { running, origins in
            try fill(running, origins[0])
            try running.change(.add(Self.configuration(origins[1])))
            #expect(running.answer(1) == "b")
            origins[0].isHeld = false
            #expect(running.answer(0) == "a")
            #expect(running.group.queuedRequests == 0)
        }
    }

    @Test func `a backend that is back serves who waits`() throws {
        try play("a", "b", limit: 1) { running, origins in
            try running.change(.operational(name: "b", .down))
            try fill(running, origins[0])
            try running.change(.operational(name: "b", .up))
            #expect(running.answer(1) == "b")
            origins[0].isHeld = false
            #expect(running.answer(0) == "a")
        }
    }

    @Test(arguments: [0, 2]) func `a limit that is raised lets who waits in`(limit: Int) throws {
        try play("a", count: 1, limit: 1) { running, origins in
            try fill(running, origins[0])
            try running.change(.maximumInFlight(name: "a", limit))
            try Self.wait("both at a") { origins[0].requests == 2 }
            origins[0].isHeld = false
            #expect(running.answer(0) == "a" && running.answer(1) == "a")
        }
    }

    @Test func `places taken before there was a limit are told of, too`() throws {
        try play("a", count: 1) { running, origins in
            origins[0].isHeld = true
            running.ask(0)
            try Self.wait("the request at a") { origins[0].requests == 1 }
            try running.change(.maximumInFlight(name: "a", 1))
            running.ask(1)
            try Self.wait("the other one in the queue") { running.group.queuedRequests == 1 }
            origins[0].isHeld = false
            #expect(running.answer(0) == "a" && running.answer(1) == "a")
        }
    }

    @Test func `when no backend is left, who waits is told so`() throws {
        try play("a", count: 1, limit: 1) { running, origins in
            try fill(running, origins[0])
            try running.change(.remove(name: "a"))
            #expect(running.answer(1) == "503")
            #expect(running.group.queuedRequests == 0)
            origins[0].isHeld = false
            #expect(running.answer(0) == "a")
        }
    }

    // MARK: Other settings

    @Test func `other settings hold on every worker, what is in flight goes on, and no connection is touched`() throws {
        try play("a", "b") { running, origins in
            #expect(running.answers(4) == "a b a b")
            origins[0].isHeld = true
            origins[1].isHeld = true
            running.ask(0)
            try Self.wait("the request") { origins[0].requests + origins[1].requests == 5 }
            var settings = Running.settings()
            settings.overload.deadline = 10_000_000
            settings.overload.queueLimit = 0
            running.group.change(settings, pool: PoolSettings(), accessLog: nil)
            try Self.wait("both workers") { running.group.adoptedVersion == running.group.pool.version }
            running.ask(1)
            #expect(running.answer(1) == "504")
            origins[0].isHeld = false
            origins[1].isHeld = false
            #expect(running.answer(0) == "a")
            #expect(origins[0].openConnections == origins[0].connections)
        }
    }

    @Test func `workers that turn answer for their pulse, and those that have ended are not asked`() throws {
        try play("a") { running, _ in
            var pulse = running.group.pulse
            #expect(pulse.take() == [])
            try Self.wait("both workers") { pulse.take().isEmpty }
        }
        let share = WorkerShare(
            index: 0,
            mailbox: Mailbox(),
            limits: ConnectionLimits(total: 1, perClient: 0, diagnostics: Logger(label: "test")),
            metrics: Metrics(workers: 1),
            overload: OverloadControl(OverloadSettings(), mailboxes: [])
        )
        var pulse = WorkerPulse(of: [share])
        #expect(pulse.take() == [])
        #expect(pulse.take() == [0], "it does not turn")
        #expect(pulse.take() == [0])
        _ = share.mailbox.closeAndDrain()
        #expect(pulse.take() == [])
    }
}
