// Changing a pool: who comes and goes, and which index each stands at.

import Synchronization
import TestSupport
import Testing

@testable import Balancing

@Suite("Pool roster")
struct PoolRosterTests {
    private func names(_ pool: Pool) -> [String] { pool.balancer.snapshot.members.map(\.backend.name) }

    @Test func `members stand in the order in which they came`() {
        let pool = Pool(weights: [1, 1, 1])
        #expect(names(pool) == ["a", "b", "c"])
        #expect(pool.backends.map(\.index) == [0, 1, 2])
    }

    @Test func `those that stay keep identity, counters and index`() throws {
        var pool = Pool(weights: [1, 1, 1])
        let (b, c) = (pool.backend("b"), pool.backend("c"))
        _ = pool.sequence(6)
        try pool.change {
            try $0.remove("a")
            try $0.add(PoolEntry(name: "d"))
            try $0.setWeight(of: "c", to: 7)
        }
        #expect(names(pool) == ["b", "c", "d"])
        #expect(pool.backend("b") === b && pool.backend("c") === c)
        #expect(pool.backends.map(\.index) == [1, 2, 3])
        #expect(c.attempts.load(ordering: .relaxed) == 2)
    }

    @Test func `a change of weight holds from the next choice on`() throws {
        var pool = Pool(weights: [1, 1])
        #expect(pool.sequence(2) == "a b")
        try pool.change { try $0.setWeight(of: "a", to: 0) }
        #expect(pool.sequence(3) == "b b b")
        try pool.change { try $0.setWeight(of: "a", to: 3) }
        #expect(pool.counts(400) == [300, 100])
    }

    @Test func `who has a snapshot keeps it: changes reach it only with another`() throws {
        var pool = Pool(weights: [1, 1])
        let other = Balancer(pool.balancer.snapshot, seed: 1)
        try pool.change { try $0.remove("a") }
        let names = (0..<2).map { _ in other.acquire(excluding: TriedBackends(), at: 0)?.backend.name }
        #expect(Set(names) == ["a", "b"])
        other.adopt(pool.balancer.snapshot)
        let later = (0..<2).map { _ in other.acquire(excluding: TriedBackends(), at: 0)?.backend.name }
        #expect(later == ["b", "b"])
    }

    @Test func `an index is free again when all have adopted the change and nothing is in flight`() throws {
        var roster = PoolRoster(policy: .roundRobin)
        let a = try roster.add(PoolEntry(name: "a"))
        _ = roster.makeSnapshot()
        a.inFlight.store(1, ordering: .relaxed)
        try roster.remove("a")
        let version = roster.makeSnapshot().version
        #expect(roster.draining.map(\.name) == ["a"])

        // Of the same name, but another one.
        #expect(try roster.add(PoolEntry(name: "a")).index == 1)
        roster.release(adopted: version)
        #expect(try roster.add(PoolEntry(name: "b")).index == 2)
        a.inFlight.store(0, ordering: .relaxed)
        #expect(roster.draining.isEmpty)
        roster.release(adopted: version - 1)
        #expect(try roster.add(PoolEntry(name: "c")).index == 3)
        roster.release(adopted: version)
        #expect(try roster.add(PoolEntry(name: "d")).index == 0)
        #expect(try roster.add(PoolEntry(name: "e")).index == 4)
    }

    @Test func `members are put into another order; those that are not named come last`() throws {
        var pool = Pool(weights: [1, 1, 1, 1])
        try pool.change { try $0.arrange(["d", "b"]) }
        #expect(names(pool) == ["d", "b", "a", "c"])
        #expect(pool.backends.map(\.index) == [3, 1, 0, 2])
        try pool.change { try $0.arrange(["a", "b", "c", "d"]) }
        #expect(names(pool) == ["a", "b", "c", "d"])
    }

    @Test func `a backup becomes an ordinary member and the other way round`() throws {
        var pool = Pool([PoolEntry(name: "a"), PoolEntry(name: "b", isBackup: true)])
        #expect(pool.sequence(2) == "a a")
        try pool.change {
            try $0.setBackup(of: "a", to: true)
            try $0.setBackup(of: "b", to: false)
        }
        #expect(pool.sequence(2) == "b b")
    }

    @Test func `round robin goes on where it stood when another policy has come and gone`() {
        var pool = Pool(weights: [1, 1, 1])
        #expect(pool.sequence(4) == "a b c a")
        pool.change { $0.setPolicy(.first) }
        #expect(pool.sequence(3) == "a a a")
        pool.change { $0.setPolicy(.roundRobin) }
        #expect(pool.sequence(3) == "b c a")
    }

    @Test func `what cannot be done is refused and changes nothing`() throws {
        var roster = PoolRoster(policy: .roundRobin)
        try roster.add(PoolEntry(name: "a"))
        #expect(throws: PoolRefusal.taken(name: "a")) { try roster.add(PoolEntry(name: "a")) }
        #expect(throws: PoolRefusal.outOfRange(65536)) { try roster.add(PoolEntry(name: "b", weight: 65536)) }
        #expect(throws: PoolRefusal.outOfRange(-1)) { try roster.add(PoolEntry(name: "b", maximumInFlight: -1)) }
        #expect(throws: PoolRefusal.outOfRange(-1)) { try roster.setWeight(of: "a", to: -1) }
        #expect(throws: PoolRefusal.outOfRange(-2)) { try roster.setMaximumInFlight(of: "a", to: -2) }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.remove("b") }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.setWeight(of: "b", to: 1) }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.setBackup(of: "b", to: true) }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.arrange(["a", "b"]) }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.set(.drain, for: "b") }
        #expect(throws: PoolRefusal.unknown(name: "b")) { try roster.set(.down, for: "b") }
        #expect(roster.members.map(\.backend.name) == ["a"])
        #expect(roster.members[0].weight == 1 && roster.members[0].state == BackendState())
    }

    @Test(arguments: SeededGenerator.seeds)
    func `whatever comes and goes, no two backends share an index while one is asked`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var roster = PoolRoster(policy: .roundRobin)
        var removed: [Backend] = []
        for step in 0..<300 {
            if roster.members.isEmpty || generator.once(in: 2) {
                let backend = try roster.add(PoolEntry(name: "n\(step)"))
                backend.inFlight.store(generator.number(in: 0...1), ordering: .relaxed)
            } else {
                let backend = roster.members[generator.number(in: 0...roster.members.count - 1)].backend
                try roster.remove(backend.name)
                removed.append(backend)
            }
            for backend in removed where generator.once(in: 3) { backend.inFlight.store(0, ordering: .relaxed) }
            roster.release(adopted: roster.makeSnapshot().version)
            let asked = removed.filter { $0.inFlight.load(ordering: .relaxed) > 0 } + roster.members.map(\.backend)
            #expect(Set(asked.map(\.index)).count == asked.count, "seed \(seed)")
            #expect((asked.map(\.index).max() ?? 0) < 300)
        }
    }
}
