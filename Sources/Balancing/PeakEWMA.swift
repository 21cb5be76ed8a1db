// Peak EWMA: of two backends drawn at random, the one that will probably answer sooner.

/// As Finagle's `p2c` with `PeakEwma`: latency times attempts in flight, by weight.
enum PeakEWMA: PolicyRule {
    /// What a backend costs that has not answered yet, but was asked: more than any other, in nanoseconds.
    ///
    /// A newcomer thus gets one request to show what it can do, not a flood.
    private static let unknownLatency = 1e15

    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        let now = circumstances.now
        return TwoChoices.choose(in: tier, excluding: tried, &circumstances.random) { position in
            cost(of: position, in: tier, at: now)
        }
    }

    private static func cost(of position: Int, in tier: Tier, at now: UInt64) -> Double {
        let place = tier.places[position]
        let load = tier.inFlight(position)
        let latency = place.backend.latency.value(at: now) ?? (load == 0 ? 0 : unknownLatency)
        return latency * Double(load + 1) / Double(place.weight)
    }

    /// The cost in milliseconds.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        .cost(cost(of: position, in: tier, at: circumstances.now) / 1e6)
    }
}
