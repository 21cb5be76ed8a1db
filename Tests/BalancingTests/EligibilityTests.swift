// Who may be chosen at all, whatever the policy: weights of 0, states, limits, backups, what was tried.

import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Balancing

@Suite("Eligibility")
struct EligibilityTests {
    static let policies: [Policy] = [
        .roundRobin, .leastConnections, .randomTwo, .peakEWMA, .first, .hash(.clientAddress),
    ]

    private func entries(_ weights: [Int]) -> [PoolEntry] {
        weights.enumerated().map { PoolEntry(name: Pool.name($0.offset), weight: $0.element) }
    }

    @Test(arguments: policies)
    func `an empty pool has no backend to give, and none is full`(policy: Policy) {
        let pool = Pool([], policy)
        #expect(pool.next() == nil)
        #expect(!pool.balancer.isFull(excluding: TriedBackends()))
    }

    @Test(arguments: policies)
    func `weight zero never receives a request`(policy: Policy) {
        let pool = Pool(weights: [0, 1, 0, 2] + [Int](repeating: 0, count: 20), policy)
        let counts = pool.counts(500) { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
        #expect(counts[1] + counts[3] == 500)
        #expect(Pool(weights: [0, 0], policy).next(key: 1) == nil)
    }

    @Test(arguments: policies, [1, 2, 3, 8, 9, 100])
    func `an exchange that tries on gets each backend once, then none`(policy: Policy, count: Int) {
        let pool = Pool(weights: (0..<count).map { $0 % 3 + 1 }, policy)
        var tried = TriedBackends()
        var names: Set<String> = []
        while let lease = pool.balancer.acquire(excluding: tried, at: 0, key: 7) {
            #expect(names.insert(lease.backend.name).inserted)
            tried.insert(lease.backend.index)
        }
        #expect(names.count == count)
        #expect(!pool.balancer.isFull(excluding: tried))
    }

    @Test(arguments: policies)
    func `a full backend is passed over, and when all are full none is given`(policy: Policy) {
        let pool = Pool(
            [
                PoolEntry(name: "a", weight: 9, maximumInFlight: 2), PoolEntry(name: "b", maximumInFlight: 1),
            ],
            policy
        )
        pool.load(["a": 2])
        #expect(pool.sequence(3, key: 1) == "b b b")
        pool.load(["b": 1])
        #expect(pool.next(key: 1) == nil)
        #expect(pool.balancer.isFull(excluding: TriedBackends()))
        pool.load(["a": 1])
        #expect(pool.sequence(3, key: 1) == "a a a")
    }

    @Test func `several threads never have more in flight than a backend may have`() {
        let pool = Pool([PoolEntry(name: "a", maximumInFlight: 3)])
        let snapshot = pool.balancer.snapshot
        let backend = pool.backends[0]
        let excess = Atomic<Int>(0)
        let given = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let balancer = Balancer(snapshot, seed: UInt64(thread))
            for _ in 0..<2000 {
                guard let lease = balancer.acquire(excluding: TriedBackends(), at: 0) else { continue }
                given.wrappingAdd(1, ordering: .relaxed)
                if backend.inFlight.load(ordering: .relaxed) > 3 { excess.wrappingAdd(1, ordering: .relaxed) }
                lease.end(.answered, at: 0)
            }
        }
        #expect(excess.load(ordering: .relaxed) == 0)
        #expect(given.load(ordering: .relaxed) > 0)
        #expect(backend.inFlight.load(ordering: .relaxed) == 0)
    }

    @Test(arguments: policies)
    func `a backup is used only when no ordinary member is eligible`(policy: Policy) throws {
        var pool = Pool(
            [
                PoolEntry(name: "spare", weight: 100, isBackup: true), PoolEntry(name: "a", maximumInFlight: 1),
                PoolEntry(name: "b"),
            ],
            policy
        )
        #expect(pool.counts(50) { UInt64($0) }[0] == 0)
        // Both tried.
        #expect(pool.next(excluding: ["a", "b"], key: 1) == "spare")
        #expect(pool.next(excluding: ["a", "b", "spare"], key: 1) == nil)
        // One down, the other full.
        try pool.change { try $0.set(.down, for: "b") }
        #expect(pool.sequence(2, key: 1) == "a a")
        pool.load(["a": 1])
        #expect(pool.sequence(2, key: 1) == "spare spare")
        pool.load(["a": 0])
        #expect(pool.sequence(2, key: 1) == "a a")
    }

    @Test(arguments: policies)
    func `only who is up and ready is given, and who nothing is known of when there is nobody else`(
        policy: Policy
    ) throws {
        for operational in OperationalState.allCases {
            for administrative in AdministrativeState.allCases {
                var pool = Pool(weights: [1], policy)
                try pool.change {
                    try $0.set(operational, for: "a")
                    try $0.set(administrative, for: "a")
                }
                let isGiven = pool.next(key: 1) != nil
                #expect(isGiven == ((operational == .up || operational == .unchecked) && administrative == .ready))
            }
        }
    }
}

@Suite("Backend states")
struct BackendStateTests {
    /// Operational, administrative; takes requests, keeps affinity, is probed.
    static let table: [(OperationalState, AdministrativeState, Bool, Bool, Bool)] = [
        (.up, .ready, true, true, true), (.down, .ready, false, false, true),
        (.ejected, .ready, false, false, true), (.unchecked, .ready, false, false, true),
        (.up, .drain, false, true, true), (.down, .drain, false, false, true),
        (.ejected, .drain, false, false, true), (.unchecked, .drain, false, false, true),
        (.up, .maintenance, false, false, false), (.down, .maintenance, false, false, false),
        (.ejected, .maintenance, false, false, false), (.unchecked, .maintenance, false, false, false),
    ]

    @Test(arguments: table)
    func `two states make one use`(
        operational: OperationalState,
        administrative: AdministrativeState,
        takesRequests: Bool,
        keepsAffinity: Bool,
        isProbed: Bool
    ) {
        let state = BackendState(operational, administrative)
        #expect(state.use == .init(takesRequests: takesRequests, keepsAffinity: keepsAffinity, isProbed: isProbed))
        #expect(state.servesInPanic == (administrative == .ready))
        // The backend's own word does the same, but is probed on: only its answers can take it back.
        let wished = BackendState(operational, requested: administrative)
        #expect(wished.use == .init(takesRequests: takesRequests, keepsAffinity: keepsAffinity, isProbed: true))
        #expect(wished.servesInPanic == state.servesInPanic)
    }

    @Test func `of the operator's and the backend's word the stricter holds`() {
        let states: [AdministrativeState] = [.ready, .drain, .maintenance]
        for (mine, own) in states.flatMap({ mine in states.map { (mine, $0) } }) {
            let effective = BackendState(.up, mine, requested: own).effectiveAdministrative
            let expected = states[max(states.firstIndex(of: mine) ?? 0, states.firstIndex(of: own) ?? 0)]
            #expect(effective == expected)
        }
    }
}
