// Least connections in large pools: the index finds what looking at all finds, whatever comes and goes.

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Balancing

@Suite("Least connections among many")
struct ManyLeastConnectionsTests {
    @Test func `with nothing in flight each has its turn`() {
        let count = 200
        let pool = Pool(weights: [Int](repeating: 1, count: count), .leastConnections)
        let names = (0..<count).map(Pool.name)
        #expect(pool.sequence(count * 2).split(separator: " ").map(String.init) == names + names)
    }

    @Test func `equals take turns, and who is not among them is passed over`() {
        let pool = Pool(weights: [Int](repeating: 1, count: 130), .leastConnections)
        var leases = Leases()
        // All but two, of which one is beyond the first 64, get one; then those two are the least.
        for _ in 0..<130 { leases.take(pool.acquire()) }
        leases.end(100)
        leases.end(7)
        // Each is the next one for those turns that end at it.
        let chosen = pool.sequence(130).split(separator: " ")
        #expect(chosen.count { $0 == Pool.name(7) } == 37 && chosen.count { $0 == Pool.name(100) } == 93)
    }

    /// What a choice must not exceed: the least in flight for its weight of those that may be chosen.
    private func isLeast(_ chosen: Backend, in pool: Pool, excluding tried: TriedBackends) -> Bool {
        let members = pool.balancer.snapshot.members
        guard let own = members.first(where: { $0.backend === chosen }), own.takesRequests, !own.isBackup else {
            return false
        }
        // Its own attempt has begun.
        let load = chosen.inFlight.load(ordering: .relaxed) - 1
        return members.allSatisfy { other in
            let otherLoad = other.backend.inFlight.load(ordering: .relaxed)
            let isEligible =
                other.takesRequests && !other.isBackup && !tried.contains(other.backend.index)
                && (other.maximumInFlight == 0 || otherLoad < other.maximumInFlight)
            return !isEligible || load * other.weight <= otherLoad * own.weight
        }
    }

    @Test(arguments: SeededGenerator.seeds.suffix(3), [1, 3, 20])
    func `each choice is the least for its weight, while leases come and go and the pool changes`(
        seed: UInt64,
        weights: Int
    ) throws {
        var generator = SeededGenerator(seed: seed)
        var pool = Pool(
            (0..<200).map { index in
                PoolEntry(
                    name: Pool.name(index),
                    weight: generator.number(in: 1...weights),
                    isBackup: index == 199,
                    maximumInFlight: generator.once(in: 3) ? 4 : 0
                )
            },
            .leastConnections,
            seed: seed
        )
        var leases = Leases()
        var nextName = 200
        for step in 0..<1500 {
            if step == 700 {
                let names = pool.roster.members.map(\.backend.name).shuffled(using: &generator)
                try pool.change { try $0.arrange(names) }
            }
            switch generator.number(in: 0...99) {
            case 0: try pool.change { try $0.set(.drain, for: Pool.name(generator.number(in: 0...100))) }
            case 1: try pool.change { try $0.set(.ready, for: Pool.name(generator.number(in: 0...100))) }
            case 2:
                try pool.change { roster in
                    try roster.remove(Pool.name(nextName - 95))
                    try roster.add(PoolEntry(name: Pool.name(nextName), weight: generator.number(in: 1...weights)))
                }
                nextName += 1
            case 3...(step < 1000 ? 20 : 70) where leases.count > 0:
                leases.end(generator.number(in: 0...leases.count - 1))
            default:
                var tried = TriedBackends()
                if generator.once(in: 4) {
                    for _ in 0..<2 { tried.insert(generator.number(in: 0...199)) }
                }
                guard let lease = pool.balancer.acquire(excluding: tried, at: 0) else {
                    Issue.record("nobody was eligible")
                    return
                }
                // In a variable: a failure is to say which step it was, not what 200 members were like.
                let isLeast = isLeast(lease.backend, in: pool, excluding: tried)
                #expect(isLeast, "seed \(seed), step \(step)")
                leases.take(lease)
            }
        }
    }

    @Test func `with more in flight than the index knows of, all are looked at`() {
        let pool = Pool((0..<80).map { PoolEntry(name: Pool.name($0), weight: $0 % 2 + 1) }, .leastConnections)
        var leases = Leases()
        for _ in 0..<(80 * 220) {
            guard let lease = pool.acquire() else { break }
            if leases.count % 97 == 0 {
                let isLeast = isLeast(lease.backend, in: pool, excluding: TriedBackends())
                #expect(isLeast)
            }
            leases.take(lease)
        }
        let loads = pool.backends.map { $0.inFlight.load(ordering: .relaxed) }
        #expect(loads.reduce(0, +) == 80 * 220)
        #expect(loads.enumerated().allSatisfy { abs($0.element * 3 - 440 * ($0.offset % 2 + 1)) <= 6 }, "\(loads)")
    }

    @Test func `when all are tried or full there is none`() {
        let pool = Pool((0..<100).map { PoolEntry(name: Pool.name($0), maximumInFlight: 1) }, .leastConnections)
        #expect(pool.next(excluding: (0..<100).map(Pool.name)) == nil)
        var leases = Leases()
        for _ in 0..<100 { leases.take(pool.acquire()) }
        #expect(leases.count == 100)
        #expect(pool.next() == nil)
        leases.end(80)
        #expect(pool.next() != nil)
    }

    @Test func `a change that is not kept leaves no trace`() throws {
        // As when one change of several is refused: what was added to a copy of the roster is not there.
        var pool = Pool(weights: [Int](repeating: 1, count: 70), .leastConnections)
        var copy = pool.roster
        try copy.add(PoolEntry(name: "not kept"))
        try pool.change { try $0.add(PoolEntry(name: "kept")) }
        var names: Set<String> = []
        var leases = Leases()
        for _ in 0..<71 {
            guard let lease = pool.acquire() else { break }
            names.insert(lease.backend.name)
            leases.take(lease)
        }
        #expect(names.count == 71 && names.contains("kept"))
    }

    @Test func `many workers' leases leave each backend where it belongs`() {
        let groups = LoadGroups()
        let backends = (0..<100).map { Backend(index: $0, name: "\($0)", loadSlot: groups.nextSlot()) }
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            var generator = SeededGenerator(seed: UInt64(worker))
            var held: [Backend] = []
            for _ in 0..<20000 {
                if held.count > 300 || (generator.once(in: 2) && !held.isEmpty) {
                    held.remove(at: generator.number(in: 0...held.count - 1)).leavePlace()
                } else {
                    let backend = backends[generator.number(in: 0...99)]
                    if backend.takePlace(limit: generator.once(in: 2) ? 0 : 5) { held.append(backend) }
                }
            }
            // Some stay.
            for backend in held.dropFirst(50) { backend.leavePlace() }
        }
        for backend in backends {
            guard let slot = backend.loadSlot else { preconditionFailure("it has one") }
            let load = backend.inFlight.load(ordering: .relaxed)
            let levels = (0..<LoadGroup.levels).filter { slot.group.members(at: $0) & slot.bit != 0 }
            #expect(levels == [load])
        }
    }
}
