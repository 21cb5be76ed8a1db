// The better of two that are drawn, or of all when they are few.

/// The power of two choices (Mitzenmacher 2001).
enum TwoChoices {
    /// Up to so many are all looked at: of two backends, two draws would take the worse one a quarter of the time.
    static let fullScanLimit = 8
    /// How often is drawn in vain before all are looked at.
    private static let patience = 8

    /// The cheaper of two eligible backends drawn by weight; of equals the one drawn first.
    ///
    /// - Complexity: O(1) when most backends are eligible, else O(count).
    static func choose(
        in tier: Tier,
        excluding tried: TriedBackends,
        _ random: inout SplitMix,
        cost: (Int) -> Double
    ) -> Int? {
        if tier.places.count <= fullScanLimit { return cheapest(in: tier, excluding: tried, &random, cost: cost) }
        guard let first = draw(in: tier, excluding: tried, &random, other: nil) else {
            return cheapest(in: tier, excluding: tried, &random, cost: cost)
        }
        guard let second = draw(in: tier, excluding: tried, &random, other: first) else { return first }
        return cost(second) < cost(first) ? second : first
    }

    private static func draw(
        in tier: Tier,
        excluding tried: TriedBackends,
        _ random: inout SplitMix,
        other: Int?
    ) -> Int? {
        for _ in 0..<patience {
            let position = tier.lot.draw(&random)
            if position != other, tier.isEligible(position, excluding: tried) { return position }
        }
        return nil
    }

    /// The cheapest of all; of equals one by weight.
    private static func cheapest(
        in tier: Tier,
        excluding tried: TriedBackends,
        _ random: inout SplitMix,
        cost: (Int) -> Double
    ) -> Int? {
        var best: Int?
        var least = Double.infinity
        var equalWeight = 0
        for position in tier.places.indices where tier.isEligible(position, excluding: tried) {
            let own = cost(position)
            let weight = tier.places[position].weight
            if best == nil || own < least {
                best = position
                least = own
                equalWeight = weight
            } else if own == least {
                equalWeight += weight
                if random.number(below: equalWeight) < weight { best = position }
            }
        }
        return best
    }
}
