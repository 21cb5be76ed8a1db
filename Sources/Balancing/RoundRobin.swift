// Smooth weighted round robin: the next request goes to the next backend, whichever worker has it.

/// One cursor for all workers over the order that ``SmoothSchedule`` worked out.
enum RoundRobin: PolicyRule {
    /// The most turns that are taken in search of an eligible backend, before all are looked at.
    private static let patience = 32

    /// The next backend in the order that was not tried and is not full.
    ///
    /// - Complexity: O(1) when nothing was tried and none is full, else O(count).
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        next(in: tier, &circumstances) { tier.isEligible($0, excluding: tried) }
    }

    /// The next position in the order that suits.
    ///
    /// Each that is passed over has had its turn, so the share of one that fails is spread over the others by their weights.
    static func next(in tier: Tier, _ circumstances: inout Circumstances, where isSuitable: (Int) -> Bool) -> Int? {
        guard !tier.schedule.isEmpty else { return nil }
        let count = UInt(tier.schedule.count)
        var turn: UInt = 0
        for _ in 0..<min(patience, tier.schedule.count) {
            turn = circumstances.nextTurn(in: tier)
            let position = Int(tier.schedule[Int(turn % count)])
            if isSuitable(position) { return position }
        }
        return byWeight(in: tier, turn: turn, where: isSuitable)
    }

    /// One of all that suit, by weight: those that do not may hold most of the turns.
    ///
    /// Multiples of the golden ratio fall evenly into any division of the whole (Weyl), so that turns make even shares.
    private static func byWeight(in tier: Tier, turn: UInt, where isSuitable: (Int) -> Bool) -> Int? {
        var total = 0
        for position in tier.places.indices where isSuitable(position) { total += tier.places[position].weight }
        guard total > 0 else { return nil }
        let spread = UInt64(turn) &* 0x9E37_79B9_7F4A_7C15
        var rest = Int(spread.multipliedFullWidth(by: UInt64(total)).high)
        var last: Int?
        for position in tier.places.indices where isSuitable(position) {
            rest -= tier.places[position].weight
            if rest < 0 { return position }
            // Others may have become full since the sum was made.
            last = position
        }
        return last
    }
}
