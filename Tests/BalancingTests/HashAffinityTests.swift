// Hash: where keys go, how few move when backends come and go, and when one is asked too much.

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
}
