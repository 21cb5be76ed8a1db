// Hash: requests with the same key go to the same backend, as far as it can take them.

/// Rendezvous hashing among a key's candidates (``HashCircle``), with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2016).
///
/// When one of up to 256 backends leaves, only its keys move; when one comes, only those that it gets. Of more, up to twice as
/// many. A request without a key goes round.
enum HashAffinity: PolicyRule {
    /// How much more than its share a backend may have in flight before its keys go to the next one, in percent of the share.
    static let boundPercent = 125
    /// A backend with fewer attempts in flight than this keeps its keys: one browser's connections are no imbalance.
    static let boundFloor = 8

    /// - Complexity: O(candidates), when one of them is eligible.
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        guard let key = circumstances.key else { return RoundRobin.choose(in: tier, excluding: tried, &circumstances) }
        guard let home = tier.circle.home(of: key) else { return nil }
        if tier.isEligible(home, excluding: tried), tier.inFlight(home) < boundFloor { return home }
        // Most that come next have little to do, too; only for one that has not all are looked at.
        var bound: Bound?
        return tier.circle.next(for: key) { position in
            guard tier.isEligible(position, excluding: tried) else { return false }
            let load = tier.inFlight(position)
            if load < boundFloor { return true }
            let known = bound ?? Bound(of: key, in: tier)
            bound = known
            return known.allows(load, weight: tier.places[position].weight)
        }
            ?? tier.circle.next(for: key) { tier.isEligible($0, excluding: tried) }
            ?? tier.circle.next(for: key, amongAll: true) { tier.isEligible($0, excluding: tried) }
    }

    /// How well the backend goes with the key; nothing without a key, and for one that is not a candidate for it.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        guard let key = circumstances.key, tier.circle.isCandidate(tier.places[position].hash, for: key) else {
            return nil
        }
        return .score(HashCircle.score(tier.places[position], for: key, isEven: tier.isEvenlyWeighted))
    }

    /// Why a key does not go to a backend that is eligible: it is no candidate for it, or has as many in flight as its bound allows.
    static func obstacle(_ position: Int, in tier: Tier, for key: UInt64) -> Explanation.Obstacle? {
        guard tier.circle.isCandidate(tier.places[position].hash, for: key) else { return .distant }
        let load = tier.inFlight(position)
        let bound = Bound(of: key, in: tier)
        return load < boundFloor || bound.allows(load, weight: tier.places[position].weight) ? nil : .bound
    }

    /// What a key's candidates have in flight together, this request with it: shares are those of that.
    private struct Bound {
        private var total = 1
        private var weight = 0

        init(of key: UInt64, in tier: Tier) {
            var sums = (total: 1, weight: 0)
            tier.circle.forEachCandidate(of: key) { position in
                sums.total += tier.inFlight(position)
                sums.weight += tier.places[position].weight
            }
            (total, weight) = sums
        }

        /// Whether one attempt more keeps a backend within its bound.
        func allows(_ load: Int, weight: Int) -> Bool {
            // load < ⌈percent / 100 · total · weight / all weights⌉, without a division.
            load * 100 * self.weight < boundPercent * total * weight
        }
    }
}
