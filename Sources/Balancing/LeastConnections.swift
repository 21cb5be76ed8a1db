// Least connections: the backend with the fewest attempts in flight for its weight.

/// As nginx's `least_conn`: attempts in flight by weight, compared without a division; of equals the next in round robin.
enum LeastConnections: PolicyRule {
    /// - Complexity: O(count).
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        var best: Int?
        var least = 0
        var weight = 1
        var hasEqual = false
        for position in tier.places.indices where tier.isEligible(position, excluding: tried) {
            let load = tier.inFlight(position)
            let own = tier.places[position].weight
            if best == nil || load * weight < least * own {
                best = position
                least = load
                weight = own
                hasEqual = false
            } else if load * weight == least * own {
                hasEqual = true
            }
        }
        guard hasEqual else { return best }
        let next = RoundRobin.next(in: tier) { position in
            tier.isEligible(position, excluding: tried)
                && tier.inFlight(position) * weight <= least * tier.places[position].weight
        }
        return next ?? best
    }

    /// Attempts in flight by weight.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        .cost(Double(tier.inFlight(position)) / Double(tier.places[position].weight))
    }
}
