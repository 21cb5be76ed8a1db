// Random two: of two backends drawn at random, the one with the fewer attempts in flight for its weight.

/// Weighted twice: the heavier is drawn more often, and may have more in flight.
enum RandomTwo: PolicyRule {
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        TwoChoices.choose(in: tier, excluding: tried, &circumstances.random) { position in
            cost(of: position, in: tier)
        }
    }

    private static func cost(of position: Int, in tier: Tier) -> Double {
        Double(tier.inFlight(position)) / Double(tier.places[position].weight)
    }

    /// Attempts in flight by weight.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        .cost(cost(of: position, in: tier))
    }
}
