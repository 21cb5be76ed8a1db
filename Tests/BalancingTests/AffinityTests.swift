// Affinity: tokens and their table, and when a client that is bound reaches its backend.

import TestSupport
import Synchronization
import Testing

@testable import Balancing

@Suite("Affinity tokens")
struct AffinityTokenTests {
    private func token(_ text: String) -> AffinityToken? {
        let bytes = Array(text.utf8)
        return AffinityToken(bytes.span)
    }

    @Test func `a token is the text that it was made of, and no other length is one`() throws {
        let text = "ABCDEFGHijklmnop-_0123"
        let made = self.token(text)
        let token = try #require(made)
        #expect(String(decoding: (0..<AffinityToken.length).map { token[$0] }, as: UTF8.self) == text)
        for length in 0...64 where length != AffinityToken.length {
            #expect(self.token(String(repeating: "a", count: length)) == nil)
        }
    }

    @Test func `every byte of a token counts`() {
        let text = Array("ABCDEFGHijklmnop-_0123".utf8)
        let original = AffinityToken(text.span)
        for index in text.indices {
            var changed = text
            changed[index] ^= 1
            #expect(AffinityToken(changed.span) != original)
        }
    }

    @Test(arguments: [0, 1, 2, 3, 100, 5000])
    func `each of many tokens leads to its backend, and a foreign one to none`(count: Int) {
        let pool = Pool((0..<count).map { PoolEntry(name: "n\($0)") })
        let table = pool.balancer.snapshot.affinity
        for backend in pool.backends { #expect(table[Pool.token(backend.name)]?.backend === backend) }
        for stranger in ["n\(count)", "", "x"] { #expect(table[Pool.token(stranger)] == nil) }
    }

    @Test func `tokens that fall on the same slot are told apart`() throws {
        // Whatever the hash: with 64 of 128 slots taken some must collide.
        let pool = Pool((0..<64).map { PoolEntry(name: "n\($0)") })
        let hashes = Set(pool.balancer.snapshot.members.compactMap { $0.affinityToken.map { $0.hash & 127 } })
        try #require(hashes.count < 64)
        for backend in pool.backends { #expect(pool.next(pin: backend.name) == backend.name) }
    }

    @Test func `where nobody makes tokens there are none`() throws {
        var roster = PoolRoster(policy: .roundRobin)
        let backend = try roster.add(PoolEntry(name: "a"))
        let balancer = Balancer(roster.makeSnapshot(), seed: 1)
        #expect(balancer.snapshot.affinityToken(of: backend) == nil)
        #expect(!balancer.keeps(Pool.token("a")))
        #expect(balancer.acquire(excluding: TriedBackends(), at: 0, pin: Pool.token("a"))?.backend === backend)
    }
}

@Suite("Affinity")
struct AffinityTests {
    @Test(arguments: EligibilityTests.policies)
    func `a client reaches the backend that it is bound to, whatever the policy says`(policy: Policy) {
        let pool = Pool(weights: [5, 1, 1], policy)
        for name in ["a", "b", "c"] {
            for key in 0..<10 as Range<UInt64> { #expect(pool.next(key: KeyHash.mixed(key), pin: name) == name) }
        }
    }

    @Test func `clients that are bound take no turn from the others`() {
        let pool = Pool(weights: [1, 1, 1])
        let names = (0..<6).map { _ in
            #expect(pool.next(pin: "c") == "c")
            return pool.next() ?? "-"
        }
        #expect(names.joined() == "abcabc")
    }

    @Test func `an unknown token is as none`() {
        let pool = Pool(weights: [1, 1])
        #expect((0..<4).map { _ in pool.next(pin: "stranger") ?? "-" }.joined() == "abab")
        #expect(!pool.balancer.keeps(Pool.token("stranger")))
    }

    @Test(
        arguments: [
            (.up, .ready, true), (.up, .drain, true), (.up, .maintenance, false), (.down, .ready, false),
            (.down, .drain, false), (.down, .maintenance, false),
        ] as [(OperationalState, AdministrativeState, Bool)]
    )
    func `the states say whether a backend keeps its clients`(
        operational: OperationalState,
        administrative: AdministrativeState,
        isKept: Bool
    ) throws {
        var pool = Pool(weights: [1, 1])
        try pool.change {
            try $0.set(operational, for: "b")
            try $0.set(administrative, for: "b")
        }
        #expect(pool.balancer.keeps(Pool.token("b")) == isKept)
        #expect(pool.next(pin: "b") == (isKept ? "b" : "a"))
    }

    @Test func `weight zero takes no new clients and keeps those that it has`() {
        let pool = Pool(weights: [1, 0])
        #expect(pool.sequence(2) == "a a")
        #expect(pool.next(pin: "b") == "b")
    }

    @Test func `a client may be bound to a backup`() {
        let pool = Pool([PoolEntry(name: "a"), PoolEntry(name: "spare", isBackup: true)])
        #expect(pool.next(pin: "spare") == "spare")
        #expect(pool.next() == "a")
    }

    @Test func `a backend that was tried or is full is passed over for another`() {
        let pool = Pool([PoolEntry(name: "a", maximumInFlight: 2), PoolEntry(name: "b")])
        #expect(pool.next(excluding: ["a"], pin: "a") == "b")
        pool.load(["a": 2])
        #expect(pool.next(pin: "a") == "b")
        #expect(pool.balancer.keeps(Pool.token("a")))
        pool.load(["a": 1])
        #expect(pool.next(pin: "a") == "a")
    }

    @Test func `the place of a drained backend can be waited for by who is bound to it, and by nobody else`() throws {
        var pool = Pool([PoolEntry(name: "a", maximumInFlight: 1)])
        #expect(pool.balancer.hasLimits && !pool.balancer.keepsPlacesForBound)
        try pool.change { try $0.set(.drain, for: "a") }
        #expect(pool.balancer.hasLimits && pool.balancer.keepsPlacesForBound)
        pool.load(["a": 1])
        #expect(pool.next(pin: "a") == nil)
        let nothing = TriedBackends()
        #expect(pool.balancer.isFull(excluding: nothing, pin: Pool.token("a")))
        #expect(!pool.balancer.isFull(excluding: nothing, pin: Pool.token("b")))
        #expect(!pool.balancer.isFull(excluding: nothing))
        var tried = TriedBackends()
        tried.insert(pool.backend("a").index)
        #expect(!pool.balancer.isFull(excluding: tried, pin: Pool.token("a")))
        try pool.change { try $0.set(.maintenance, for: "a") }
        #expect(!pool.balancer.hasLimits)
    }

    @Test func `a drained backend has no more in flight than it may`() throws {
        var pool = Pool([PoolEntry(name: "a", maximumInFlight: 1), PoolEntry(name: "b")])
        try pool.change { try $0.set(.drain, for: "a") }
        let lease = pool.acquire(pin: "a")
        #expect(pool.backend("a").inFlight.load(ordering: .relaxed) == 1)
        #expect(pool.next(pin: "a") == "b")
        lease?.end(.answered, at: 0)
        #expect(pool.next(pin: "a") == "a")
    }

    @Test func `a backend that goes and comes back under its name has its clients again`() throws {
        var pool = Pool(weights: [1, 1])
        try pool.change { try $0.remove("b") }
        #expect(pool.next(pin: "b") == "a")
        try pool.change { try $0.add(PoolEntry(name: "b")) }
        #expect(pool.next(pin: "b") == "b")
    }

    @Test func `an attempt of a bound client is accounted for as any other`() {
        let pool = Pool(weights: [1, 1])
        let lease = pool.acquire(pin: "b")
        #expect(pool.backend("b").inFlight.load(ordering: .relaxed) == 1)
        lease?.end(.failed, at: 0)
        #expect(pool.backend("b").inFlight.load(ordering: .relaxed) == 0)
        #expect(pool.backend("b").attempts.load(ordering: .relaxed) == 1)
        #expect(pool.backend("b").failures.load(ordering: .relaxed) == 1)
    }

    @Test func `other tokens hold from the next snapshot on, and the former ones are strangers'`() throws {
        var roster = PoolRoster(policy: .roundRobin)
        let backend = try roster.add(PoolEntry(name: "a"))
        roster.setAffinity { Pool.token("new \($0)") }
        var balancer = Balancer(roster.makeSnapshot(), seed: 1)
        #expect(balancer.keeps(Pool.token("new a")) && !balancer.keeps(Pool.token("a")))
        #expect(balancer.snapshot.affinityToken(of: backend) == Pool.token("new a"))
        try roster.add(PoolEntry(name: "b"))
        balancer = Balancer(roster.makeSnapshot(), seed: 1)
        #expect(balancer.keeps(Pool.token("new b")))
        roster.setAffinity(nil)
        #expect(!Balancer(roster.makeSnapshot(), seed: 1).keeps(Pool.token("new a")))
    }
}
