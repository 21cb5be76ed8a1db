// Hash: where keys go, how few move when backends come and go, and when one is asked too much.

import Synchronization
import TestSupport
import Testing

@testable import Balancing

@Suite("Hash")
struct HashAffinityTests {
    private static let policy = Policy.hash(.clientAddress)

    /// Where each of so many random keys goes.
    private func homes(_ pool: Pool, _ count: Int, seed: UInt64) -> [String?] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in pool.next(key: generator.next()) }
    }

    @Test func `a key always goes to the same backend, and to the same second one`() {
        let pool = Pool(weights: [1, 1, 1, 1], Self.policy)
        for key in 0..<50 as Range<UInt64> {
            let hash = KeyHash.mixed(key)
            let first = pool.next(key: hash)
            #expect((0..<5).allSatisfy { _ in pool.next(key: hash) == first })
            let second = pool.next(excluding: [first ?? ""], key: hash)
            #expect(second != first && pool.next(excluding: [first ?? ""], key: hash) == second)
        }
    }

    @Test func `a key's home depends on the backends' names alone`() {
        // Another order, other indices: another balancer in front of the same backends.
        let forwards = Pool(weights: [1, 1, 1, 1], Self.policy)
        let backwards = Pool(["d", "c", "b", "a"].map { PoolEntry(name: $0) }, Self.policy)
        #expect(homes(forwards, 200, seed: 1) == homes(backwards, 200, seed: 1))
    }

    @Test func `the hash of a key is the same in every version`() {
        // Numbers that a change would silently move all keys by.
        let bytes = Array("203.0.113.7".utf8)
        #expect(KeyHash.of(bytes.span) == 0x987C_7C19_2396_5ADE)
        #expect(homes(Pool(weights: [1, 1, 1], Self.policy), 8, seed: 1).compactMap(\.self).joined() == "bacccccb")
    }

    @Test(arguments: SeededGenerator.seeds, [[1, 1, 1], [5, 1, 1], [1, 2, 3, 4], (0..<12).map { $0 % 3 + 1 }])
    func `keys fall by weight`(seed: UInt64, weights: [Int]) {
        var generator = SeededGenerator(seed: seed)
        let keys = (0..<10000).map { _ in generator.next() }
        let counts = Pool(weights: weights, Self.policy).counts(keys.count) { keys[$0] }
        #expect(isByWeight(counts, weights), "seed \(seed): \(counts) for \(weights)")
    }

    @Test(arguments: SeededGenerator.seeds, [[1, 1, 1, 1, 1], [5, 1, 2, 1, 3]])
    func `when one goes only its keys move, and when it is back they return`(seed: UInt64, weights: [Int]) throws {
        var pool = Pool(weights: weights, Self.policy)
        let before = homes(pool, 500, seed: seed)
        try pool.change { try $0.set(.drain, for: "c") }
        let without = homes(pool, 500, seed: seed)
        for (old, new) in zip(before, without) { #expect(old == "c" ? new != "c" : new == old) }
        try pool.change { try $0.set(.ready, for: "c") }
        #expect(homes(pool, 500, seed: seed) == before)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `a greater weight draws keys and sends none away`(seed: UInt64) throws {
        var pool = Pool(weights: [2, 2, 2], Self.policy)
        let before = homes(pool, 500, seed: seed)
        try pool.change { try $0.setWeight(of: "b", to: 3) }
        for (old, new) in zip(before, homes(pool, 500, seed: seed)) { #expect(new == old || new == "b") }
    }

    @Test func `without a key requests go round`() {
        #expect(Pool(weights: [5, 1, 1], Self.policy).sequence(7) == "a a b a c a a")
    }

    @Test func `a backend far beyond its share lends its keys to the next one`() {
        let pool = Pool(weights: [1, 1, 1], Self.policy)
        let key = KeyHash.mixed(9)
        let home = pool.next(key: key) ?? ""
        let neighbour = pool.next(excluding: [home], key: key)
        // Fewer than eight are none too many, whatever the others have.
        pool.load([home: 7])
        #expect(pool.next(key: key) == home)
        pool.load([home: 8])
        #expect(pool.next(key: key) == neighbour)
        // With 20 in flight at each other one, a third of all and a quarter more is 29.2 beside 29, and 29.6 beside 30.
        for backend in pool.backends { pool.load([backend.name: 20]) }
        pool.load([home: 29])
        #expect(pool.next(key: key) == home)
        pool.load([home: 30])
        #expect(pool.next(key: key) == neighbour)
    }

    @Test func `held requests of one key fill no backend beyond its bound`() {
        let pool = Pool(weights: [1, 1, 1, 1], Self.policy)
        var loads: [String: Int] = [:]
        for _ in 0..<400 {
            guard let name = pool.next(key: 42) else { break }
            loads[name, default: 0] += 1
            pool.load(loads)
        }
        #expect(loads.values.reduce(0, +) == 400)
        // A quarter of 400 is 100.
        #expect(loads.values.allSatisfy { $0 <= 126 })
    }

    // MARK: More backends than a key has candidates

    /// Rendezvous hashing as it is written in the paper, among all.
    private func rendezvous(_ key: UInt64, _ pool: Pool) -> String? {
        let scored = pool.balancer.snapshot.members.map { member in
            let fraction = (Double(KeyHash.mixed(key ^ member.backend.hash) >> 12) + 0.5) * 0x1p-52
            return (score: -Double(member.weight) / logarithm(fraction), name: member.backend.name)
        }
        return scored.max { $0.score < $1.score }?.name
    }

    @Test(arguments: SeededGenerator.seeds, [3, 17, 256])
    func `up to 256 it is rendezvous hashing among all`(seed: UInt64, count: Int) {
        var generator = SeededGenerator(seed: seed)
        let even = Pool(weights: [Int](repeating: 1, count: count), Self.policy)
        let uneven = Pool(weights: (0..<count).map { _ in generator.number(in: 1...9) }, Self.policy)
        for pool in [even, uneven] {
            for _ in 0..<20 {
                let key = generator.next()
                #expect(pool.next(key: key) == rendezvous(key, pool), "seed \(seed)")
            }
        }
    }

    @Test(arguments: SeededGenerator.seeds.suffix(3), [257, 1000])
    func `of many one that goes moves at most as many others as it had, and back they return`(
        seed: UInt64,
        count: Int
    ) throws {
        var pool = Pool(weights: (0..<count).map { $0 % 3 + 1 }, Self.policy)
        let before = homes(pool, 4000, seed: seed)
        let leaver = Pool.name(count / 2)
        try pool.change { try $0.set(.drain, for: leaver) }
        let without = homes(pool, 4000, seed: seed)
        #expect(!without.contains(leaver))
        let own = before.count { $0 == leaver }
        let others = zip(before, without).count { $0 != leaver && $0 != $1 }
        // One more candidate beside each key that it was a candidate for: by chance about as many win as it had, or at 257 none.
        let share = 4000 * 3 / (2 * Double(count))
        #expect(
            Double(others) <= 2 * share + 5 * (2 * share).squareRoot(),
            "seed \(seed): \(own) own, \(others) others"
        )
        try pool.change { try $0.set(.ready, for: leaver) }
        #expect(homes(pool, 4000, seed: seed) == before)
    }

    @Test(arguments: SeededGenerator.seeds.suffix(3))
    func `growing beyond 256 moves no more keys than a newcomer does`(seed: UInt64) throws {
        var pool = Pool(weights: [Int](repeating: 1, count: 256), Self.policy)
        let before = homes(pool, 4000, seed: seed)
        try pool.change { try $0.add(PoolEntry(name: "newcomer")) }
        let after = homes(pool, 4000, seed: seed)
        let moved = zip(before, after).count { $0 != $1 }
        // A 257th of all, for the newcomer; and those whose home it has taken the last place of a candidate from.
        let share = 4000.0 / 257
        #expect(Double(moved) <= 2 * share + 5 * (2 * share).squareRoot(), "seed \(seed): \(moved)")
    }

    @Test(arguments: SeededGenerator.seeds.suffix(3))
    func `of many a greater weight draws keys and sends none away`(seed: UInt64) throws {
        var pool = Pool(weights: [Int](repeating: 2, count: 400), Self.policy)
        let before = homes(pool, 2000, seed: seed)
        try pool.change { try $0.setWeight(of: "b", to: 8) }
        for (old, new) in zip(before, homes(pool, 2000, seed: seed)) { #expect(new == old || new == "b") }
    }

    @Test(arguments: [1, 100])
    func `of many keys fall by weight, within what the circle allows`(most: Int) {
        var generator = SeededGenerator(seed: 1)
        let weights = (0..<400).map { $0 % most + 1 }
        let pool = Pool(weights: weights, Self.policy)
        let counts = pool.counts(30_000) { _ in generator.next() }
        let total = weights.reduce(0, +)
        for (count, weight) in zip(counts, weights) {
            let share = Double(30_000 * weight) / Double(total)
            // The circle's gaps vary shares by 6 %, uneven neighbours by as much again, and the draw by its root.
            #expect(abs(Double(count) - share) <= 5 * (share + (0.09 * share) * (0.09 * share)).squareRoot() + 1)
        }
    }

    @Test func `of many, one key's requests fill no backend beyond its bound while its neighbours are free`() {
        let pool = Pool(weights: [Int](repeating: 1, count: 600), Self.policy)
        var leases = Leases()
        for _ in 0..<4096 { leases.take(pool.acquire(key: 42)) }
        let loads = pool.backends.map { $0.inFlight.load(ordering: .relaxed) }.filter { $0 > 0 }
        // A quarter more than the 256th part of 4096 is 20.
        #expect(loads.reduce(0, +) == 4096)
        #expect(loads.count <= 256 && loads.allSatisfy { $0 <= 20 }, "\(loads)")
    }

    @Test func `when a key's neighbours are full it goes further`() {
        let pool = Pool((0..<600).map { PoolEntry(name: Pool.name($0), maximumInFlight: 1) }, Self.policy)
        var leases = Leases()
        for _ in 0..<600 { leases.take(pool.acquire(key: 7)) }
        #expect(leases.count == 600)
        #expect(pool.next(key: 7) == nil)
    }
}
