// Hash: requests with the same key go to the same backend, as far as it can take them.

/// Rendezvous hashing (Thaler and Ravishankar 1998), weighted by -weight / ln(hash), with bounded loads
/// (Mirrokni, Thorup and Zadimoghaddam 2016).
///
/// When a backend leaves, only its keys move; when one comes, only those that it gets. A request without a key goes round.
enum HashAffinity: PolicyRule {
    /// How much more than its share a backend may have in flight before its keys go to the next one, in percent of the share.
    static let boundPercent = 125
    /// A backend with fewer attempts in flight than this keeps its keys: one browser's connections are no imbalance.
    static let boundFloor = 8

    /// - Complexity: O(count).
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        guard let key = circumstances.key else { return RoundRobin.choose(in: tier, excluding: tried, &circumstances) }
        var total = 1
        for position in tier.places.indices { total += tier.inFlight(position) }
        return best(in: tier, for: key) { position in
            tier.isEligible(position, excluding: tried) && isWithinBound(position, in: tier, total: total)
        } ?? best(in: tier, for: key) { tier.isEligible($0, excluding: tried) }
    }

    /// How well the backend goes with the key; nothing without a key.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        circumstances.key.map { .score(score(tier.places[position], for: $0, isEven: tier.isEvenlyWeighted)) }
    }

    /// Whether a backend has as many in flight as its bound allows, so that its keys go to the next one.
    static func isBeyondBound(_ position: Int, in tier: Tier) -> Bool {
        let total = tier.places.indices.reduce(1) { $0 + tier.inFlight($1) }
        return !isWithinBound(position, in: tier, total: total)
    }

    /// Whether one attempt more keeps a backend within its bound, with `total` in flight at all of them together.
    private static func isWithinBound(_ position: Int, in tier: Tier, total: Int) -> Bool {
        let load = tier.inFlight(position)
        if load < boundFloor { return true }
        // load < ⌈percent / 100 · total · weight / all weights⌉, without a division.
        return load * 100 * tier.totalWeight < boundPercent * total * tier.places[position].weight
    }

    /// The position with the best score for a key of those that suit.
    private static func best(in tier: Tier, for key: UInt64, where isSuitable: (Int) -> Bool) -> Int? {
        var best: Int?
        var highest = -Double.infinity
        for position in tier.places.indices where isSuitable(position) {
            let score = score(tier.places[position], for: key, isEven: tier.isEvenlyWeighted)
            if best == nil || score > highest {
                best = position
                highest = score
            }
        }
        return best
    }

    /// How well a backend and a key go together.
    private static func score(_ place: Tier.Place, for key: UInt64, isEven: Bool) -> Double {
        let hash = KeyHash.mixed(key ^ place.hash)
        // Within (0, 1), both ends left out.
        let fraction = (Double(hash >> 12) + 0.5) * 0x1p-52
        // Among equal weights the logarithm changes no order.
        return isEven ? fraction : -Double(place.weight) / logarithm(fraction)
    }
}
