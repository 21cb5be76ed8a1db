// Failing open, shares of weights, and what snapshots work out only once.

import Testing

@testable import Balancing

@Suite("Panic and shares")
struct PanicTests {
    private func roster(_ weights: [Int], _ policy: Policy = .roundRobin, failsOpen: Bool = true) throws -> PoolRoster {
        var roster = PoolRoster(policy: policy, failsOpen: failsOpen)
        for (index, weight) in weights.enumerated() {
            try roster.add(PoolEntry(name: Pool.name(index), weight: weight))
        }
        return roster
    }

    private func sequence(_ snapshot: PoolSnapshot, _ count: Int) -> String {
        let balancer = Balancer(snapshot, seed: 1)
        return (0..<count).map { _ in
            balancer.acquire(excluding: TriedBackends(), at: 0, key: 1)?.backend.name ?? "-"
        }.joined(separator: " ")
    }

    @Test(arguments: EligibilityTests.policies)
    func `only when nothing is usable all that are ready are used`(policy: Policy) throws {
        var roster = try roster([1, 1, 1, 0], policy)
        try roster.set(.ejected, for: "a")
        try roster.set(.down, for: "b")
        #expect(!roster.makeSnapshot().isPanic)
        #expect(sequence(roster.makeSnapshot(), 3) == "c c c")

        try roster.set(.maintenance, for: "c")
        let snapshot = roster.makeSnapshot()
        #expect(snapshot.isPanic)
        let given = Set(
            (0..<40).compactMap { key in
                Balancer(snapshot, seed: UInt64(key)).acquire(excluding: TriedBackends(), at: 0, key: UInt64(key))?
                    .backend.name
            }
        )
        #expect(given.isSubset(of: ["a", "b"]) && !given.isEmpty)
        let wasGivenInPanic = Balancer(snapshot, seed: 1).acquire(excluding: TriedBackends(), at: 0, key: 1)?
            .wasGivenInPanic
        #expect(wasGivenInPanic == true)

        try roster.set(.up, for: "b")
        #expect(!roster.makeSnapshot().isPanic)
        #expect(sequence(roster.makeSnapshot(), 2) == "b b")
    }

    @Test func `when that is switched off, or nobody is ready, nobody is given`() throws {
        var closed = try roster([1], failsOpen: false)
        try closed.set(.down, for: "a")
        #expect(!closed.makeSnapshot().isPanic)
        #expect(sequence(closed.makeSnapshot(), 1) == "-")
        var drained = try roster([1])
        try drained.set(.drain, for: "a")
        #expect(!drained.makeSnapshot().isPanic)
        #expect(sequence(drained.makeSnapshot(), 1) == "-")
        #expect(!(try roster([]).makeSnapshotOnce().isPanic))
    }

    @Test func `in panic a ramp does not count, and backups come last`() throws {
        var roster = PoolRoster(policy: .roundRobin, failsOpen: true)
        let a = try roster.add(PoolEntry(name: "a"))
        let b = try roster.add(PoolEntry(name: "b"))
        try roster.add(PoolEntry(name: "spare", isBackup: true))
        for (backend, percent) in [(a, 10), (b, 100)] {
            roster.set(
                BackendCondition(backend: backend, operational: .down, requested: .ready, weightPercent: percent)
            )
        }
        try roster.set(.down, for: "spare")
        #expect(sequence(roster.makeSnapshot(), 4) == "a b a b")
    }

    @Test func `a backup that is usable is no panic`() throws {
        var roster = PoolRoster(policy: .roundRobin, failsOpen: true)
        try roster.add(PoolEntry(name: "a"))
        try roster.add(PoolEntry(name: "spare", isBackup: true))
        try roster.set(.down, for: "a")
        #expect(!roster.makeSnapshot().isPanic)
        #expect(sequence(roster.makeSnapshot(), 2) == "spare spare")
    }

    @Test func `a percentage of a weight is that share of the requests`() throws {
        var roster = try roster([1, 1, 1])
        let backend = roster.members[2].backend
        roster.set(BackendCondition(backend: backend, operational: .up, requested: .ready, weightPercent: 10))
        #expect(isByWeight(counts(roster.makeSnapshot(), 2100), [10, 10, 1]))
        roster.set(BackendCondition(backend: backend, operational: .up, requested: .ready, weightPercent: 0))
        #expect(sequence(roster.makeSnapshot(), 4).split(separator: " ").allSatisfy { $0 != "c" })
    }

    private func counts(_ snapshot: PoolSnapshot, _ total: Int) -> [Int] {
        let given = sequence(snapshot, total).split(separator: " ")
        return snapshot.members.map { member in given.count { $0 == member.backend.name } }
    }

    @Test func `a condition of one that is no member any more changes nothing`() throws {
        var roster = try roster([1, 1])
        let backend = roster.members[0].backend
        try roster.remove("a")
        try roster.add(PoolEntry(name: "a"))
        roster.set(BackendCondition(backend: backend, operational: .down, requested: .drain, weightPercent: 1))
        #expect(roster.members.allSatisfy { $0.state == BackendState() && $0.weightPercent == 100 })
    }

    @Test func `the order of 5, 1 and 1 is the same before and after a ramp`() throws {
        var roster = try roster([5, 1, 1])
        #expect(sequence(roster.makeSnapshot(), 7) == "a a b a c a a")
        let backend = roster.members[1].backend
        let share = { BackendCondition(backend: backend, operational: .up, requested: .ready, weightPercent: $0) }
        roster.set(share(50))
        #expect(roster.makeSnapshot().ordinary.schedule.count == 13)
        roster.set(share(100))
        #expect(roster.makeSnapshot().ordinary.schedule == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func `what is not needed is not worked out`() throws {
        let weights = [Int](repeating: 2, count: 8) + [1]
        let ordered = try roster(weights, .roundRobin).makeSnapshotOnce().ordinary
        #expect(ordered.schedule.count == 17 && ordered.lot.isEmpty)
        let drawn = try roster(weights, .peakEWMA).makeSnapshotOnce().ordinary
        #expect(drawn.schedule.isEmpty && !drawn.lot.isEmpty)
        let first = try roster(weights, .first).makeSnapshotOnce().ordinary
        #expect(first.schedule.isEmpty && first.lot.isEmpty)
        #expect(try roster([1, 1], .randomTwo).makeSnapshotOnce().ordinary.lot.isEmpty)
    }

    @Test(arguments: [false, true])
    func `when nothing is known to be usable, those that nothing is known of are used`(failsOpen: Bool) throws {
        var roster = try roster([1, 1, 1, 1, 0], failsOpen: failsOpen)
        for name in ["a", "b", "e"] { try roster.set(.unchecked, for: name) }
        try roster.set(.down, for: "c")
        #expect(!roster.makeSnapshot().usesUntried)
        #expect(sequence(roster.makeSnapshot(), 2) == "d d")
        try roster.remove("d")
        let snapshot = roster.makeSnapshot()
        #expect(snapshot.usesUntried && !snapshot.isPanic)
        let two = Set(sequence(snapshot, 2).split(separator: " "))
        #expect(two == ["a", "b"])
        try roster.set(.up, for: "a")
        #expect(!roster.makeSnapshot().usesUntried)
        #expect(sequence(roster.makeSnapshot(), 2) == "a a")
    }
}

extension PoolRoster {
    fileprivate func makeSnapshotOnce() -> PoolSnapshot {
        var roster = self
        return roster.makeSnapshot()
    }
}
