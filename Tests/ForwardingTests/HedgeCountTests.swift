// What is counted of second attempts, and leaving silent backends while there are two.

import Synchronization
import Telemetry
import Testing

@testable import Balancing
@testable import Forwarding

@Suite("Hedges, counted", .timeLimit(.minutes(5)))
struct HedgeCountTests {
    private typealias Running = PoolChangeTests.Running

    private func play(_ names: String..., test: (Running, [SmallOrigin]) throws -> Void) throws {
        let origins = try names.map { try SmallOrigin($0) }
        let running = try Running(origins, policy: .first, hedge: 10_000_000)
        defer {
            for origin in origins { origin.stop() }
            running.stop()
        }
        try test(running, origins)
    }

    private func stats(_ running: Running) -> StatsSnapshot {
        running.group.stats(BuildStats(version: "1", libcurl: "2", tls: "3"), accessLog: nil)
    }

    private func counts(_ running: Running, _ name: String) throws -> BackendStats {
        try #require(stats(running).backends.first { $0.name == name })
    }

    @Test func `who is outrun has not failed, and the winner is counted as one`() throws {
        try play("slow", "fast") { running, origins in
            origins[0].isHeld = true
            running.ask(0)
            #expect(running.answer(0) == "fast")
            try PoolChangeTests.wait("the request's end") { stats(running).clients.requestsEnded == 1 }
            let slow = try counts(running, "slow")
            #expect(slow.counts.attempts == 1 && slow.counts.outrun == 1 && slow.counts.hedges == 0)
            #expect(slow.counts.failures.allSatisfy { $0.count == 0 })
            #expect(slow.counts.wait.isEmpty && slow.inFlight == 0 && slow.counts.connections == 0)
            let fast = try counts(running, "fast")
            #expect(fast.counts.attempts == 1 && fast.counts.hedges == 1 && fast.counts.hedgesWon == 1)
            #expect(fast.counts.retries == 0 && fast.counts.outrun == 0 && fast.inFlight == 0)
            #expect(fast.counts.wait.count == 1 && fast.counts.connect.count == 1)
            let backends = running.group.pool.members.map(\.backend)
            #expect(backends.map { $0.failures.load(ordering: .relaxed) } == [0, 0])
            #expect(backends.map { $0.unanswered.load(ordering: .relaxed) } == [1, 0])
            #expect(running.group.retriesInProgress == 0)
        }
    }

    @Test func `who is outrun as the second is counted as that`() throws {
        try play("first", "second") { running, origins in
            for origin in origins { origin.isHeld = true }
            running.ask(0)
            try PoolChangeTests.wait("both to be asked") { origins.allSatisfy { $0.requests == 1 } }
            origins[0].isHeld = false
            #expect(running.answer(0) == "first")
            try PoolChangeTests.wait("the request's end") { stats(running).clients.requestsEnded == 1 }
            let second = try counts(running, "second").counts
            #expect(second.hedges == 1 && second.hedgesWon == 0 && second.outrun == 1)
            #expect(try counts(running, "first").counts.outrun == 0)
        }
    }

    @Test func `a second attempt that is due and cannot be made is counted`() throws {
        try play("only") { running, origins in
            origins[0].isHeld = true
            running.ask(0)
            try PoolChangeTests.wait("the time for a second attempt") {
                stats(running).clients.hedgesNotMade == [
                    LabelledCount(label: "retry_budget", count: 0), LabelledCount(label: "no_place", count: 1),
                ]
            }
            #expect(running.group.retriesInProgress == 0)
            origins[0].isHeld = false
            #expect(running.answer(0) == "only")
        }
    }

    @Test func `either of two backends that are found silent is left, and the other goes on`() throws {
        try play("a", "b", "c") { running, origins in
            for origin in origins { origin.isHeld = true }
            running.ask(0)
            try PoolChangeTests.wait("two to be asked") { origins[0].requests == 1 && origins[1].requests == 1 }
            try find(running, "a", isSilent: true)
            try PoolChangeTests.wait("the third to be asked") { origins[2].requests == 1 }
            try find(running, "c", isSilent: true)
            let backends = running.group.pool.members.map(\.backend)
            try PoolChangeTests.wait("both to have failed") {
                backends.map { $0.inFlight.load(ordering: .relaxed) } == [0, 1, 0]
            }
            origins[1].isHeld = false
            #expect(running.answer(0) == "b")
            #expect(backends.map { $0.failures.load(ordering: .relaxed) } == [1, 0, 1])
        }
    }

    @Test func `the one that is left has the request's body, also when the other is not connected yet`() throws {
        let origins = [try SmallOrigin("a"), try SmallOrigin("late", isProxied: true)]
        let running = try Running(origins, policy: .first, hedge: 10_000_000)
        defer {
            for origin in origins { origin.stop() }
            running.stop()
        }
        for origin in origins { origin.isHeld = true }
        // The body's end looks like a head's, so that the origin counts it as a request.
        running.clients[0].send("QUERY / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello\r\n\r\n")
        try PoolChangeTests.wait("two to be asked") { origins[0].requests == 1 && origins[1].connections == 1 }
        try find(running, "a", isSilent: true)
        let backends = running.group.pool.members.map(\.backend)
        try PoolChangeTests.wait("the first to be left") { backends[0].inFlight.load(ordering: .relaxed) == 0 }
        origins[1].isHeld = false
        #expect(running.answer(0) == "late")
        try PoolChangeTests.wait("the body") { origins[1].requests == 2 }
    }

    /// Has a backend be ejected because it answers nobody.
    private func find(_ running: Running, _ name: String, isSilent: Bool) throws {
        let member = try #require(running.group.pool.members.first { $0.backend.name == name })
        running.group.take([
            BackendCondition(
                backend: member.backend,
                operational: .ejected,
                requested: .ready,
                weightPercent: 100,
                isSilent: isSilent
            )
        ])
    }
}
