// A pool for tests: a roster, a worker's balancer on it, and who is given.

import Synchronization

@testable import Balancing

struct Pool {
    var roster: PoolRoster
    let balancer: Balancer

    init(_ entries: [PoolEntry], _ policy: Policy = .roundRobin, seed: UInt64 = 1) {
        var roster = PoolRoster(policy: policy, affinityToken: Pool.token)
        for entry in entries {
            do { try roster.add(entry) } catch { preconditionFailure("\(error)") }
        }
        self.init(roster: roster, seed: seed)
    }

    /// Members named a, b, c … with these weights.
    init(weights: [Int], _ policy: Policy = .roundRobin, seed: UInt64 = 1) {
        self.init(
            weights.enumerated().map { PoolEntry(name: Pool.name($0.offset), weight: $0.element) },
            policy,
            seed: seed
        )
    }

    private init(roster: PoolRoster, seed: UInt64) {
        var roster = roster
        balancer = Balancer(roster.makeSnapshot(), seed: seed)
        self.roster = roster
    }

    static func name(_ index: Int) -> String {
        index < 26 ? String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index))) : "n\(index)"
    }

    /// A token that tests can read: the name, and dots up to its length.
    @Sendable static func token(_ name: String) -> AffinityToken {
        let text = Array((name + String(repeating: ".", count: AffinityToken.length)).utf8.prefix(AffinityToken.length))
        guard let token = AffinityToken(text.span) else { preconditionFailure("a token's length") }
        return token
    }

    var backends: [Backend] { balancer.snapshot.members.map(\.backend) }

    func backend(_ name: String) -> Backend {
        guard let backend = backends.first(where: { $0.name == name }) else { preconditionFailure("no \(name)") }
        return backend
    }

    /// Changes the roster, and gives the balancer what has come of it.
    mutating func change(_ change: (inout PoolRoster) throws -> Void) rethrows {
        try change(&roster)
        balancer.adopt(roster.makeSnapshot())
    }

    /// Makes it look as if a backend had so many attempts in flight.
    func load(_ counts: [String: Int]) {
        for (name, count) in counts { backend(name).inFlight.store(count, ordering: .relaxed) }
    }

    /// A lease; `#require` takes none, since one cannot be copied.
    func acquire(
        excluding tried: [String] = [],
        at now: UInt64 = 0,
        key: UInt64? = nil,
        pin: String? = nil,
        isBeside: Bool = false
    ) -> BackendLease? {
        let tried = TriedBackends.of(tried.map { backend($0).index })
        return balancer.acquire(excluding: tried, at: now, key: key, pin: pin.map(Pool.token), isBeside: isBeside)
    }

    /// Who gets the next request, which ends at once.
    func next(
        excluding tried: [String] = [],
        at now: UInt64 = 0,
        key: UInt64? = nil,
        pin: String? = nil
    ) -> String? {
        acquire(excluding: tried, at: now, key: key, pin: pin)?.backend.name
    }

    /// How the next choice is explained, and what it is.
    func explained(
        excluding tried: [String] = [],
        at now: UInt64 = 0,
        key: UInt64? = nil,
        pin: String? = nil
    ) -> Explanation {
        let indices = TriedBackends.of(tried.map { backend($0).index })
        var explanation = balancer.explain(excluding: indices, at: now, key: key, pin: pin.map(Pool.token))
        explanation.chosen = next(excluding: tried, at: now, key: key, pin: pin)
        return explanation
    }

    /// Who gets the next requests, one after the other; `-` for nobody.
    func sequence(_ count: Int, excluding tried: [String] = [], at now: UInt64 = 0, key: UInt64? = nil) -> String {
        (0..<count).map { _ in next(excluding: tried, at: now, key: key) ?? "-" }.joined(separator: " ")
    }

    /// How often each backend is given, in the list's order.
    func counts(_ total: Int, excluding tried: [String] = [], key: (Int) -> UInt64? = { _ in nil }) -> [Int] {
        let before = backends.map { $0.attempts.load(ordering: .relaxed) }
        for index in 0..<total { _ = next(excluding: tried, key: key(index)) }
        return zip(backends, before).map { Int($0.attempts.load(ordering: .relaxed) - $1) }
    }
}

/// Leases that are held for a while, which an array cannot.
struct Leases {
    private final class Holder {
        var lease: BackendLease?
        init(_ lease: consuming BackendLease) { self.lease = consume lease }
    }

    private var holders: [Holder] = []

    var count: Int { holders.count }

    /// Holds a lease, if there is one.
    mutating func take(_ lease: consuming BackendLease?) {
        if let lease { holders.append(Holder(lease)) }
    }

    /// Ends one of them.
    mutating func end(_ index: Int) { holders.remove(at: index).lease.take()?.end(.answered, at: 0) }
}

extension TriedBackends {
    static func of(_ indices: [Int]) -> TriedBackends {
        var tried = TriedBackends()
        for index in indices { tried.insert(index) }
        return tried
    }
}

/// Whether counts are what weights promise: within five standard deviations of a draw of that many by weight.
///
/// By chance that is missed once in a million times, for each count.
func isByWeight(_ counts: [Int], _ weights: [Int]) -> Bool {
    let total = Double(counts.reduce(0, +))
    let sum = Double(weights.reduce(0, +))
    return zip(counts, weights).allSatisfy { count, weight in
        let share = Double(weight) / sum
        let deviation = (total * share * (1 - share)).squareRoot()
        return abs(Double(count) - total * share) <= 5 * deviation + 1
    }
}
