// Least connections: the backend with the fewest attempts in flight for its weight.

/// As nginx's `least_conn`: attempts in flight by weight, compared without a division; of equals the next in round robin.
///
/// Of many, the index of a large pool (``LoadIndex``) finds it; what is chosen is the same, but for the order among equals.
enum LeastConnections: PolicyRule {
    /// - Complexity: O(count); with an index O(count / 64) for each attempt in flight at the least loaded.
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        guard let index = tier.loadIndex else { return chooseAmongAll(in: tier, excluding: tried, &circumstances) }
        switch choose(by: index, in: tier, excluding: tried, &circumstances) {
        case .found(let position): return position
        case .unknown: return chooseAmongAll(in: tier, excluding: tried, &circumstances)
        }
    }

    private static func chooseAmongAll(
        in tier: Tier,
        excluding tried: TriedBackends,
        _ circumstances: inout Circumstances
    ) -> Int? {
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
        let next = RoundRobin.next(in: tier, &circumstances) { position in
            tier.isEligible(position, excluding: tried)
                && tier.inFlight(position) * weight <= least * tier.places[position].weight
        }
        return next ?? best
    }

    /// Attempts in flight by weight.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        .cost(Double(tier.inFlight(position)) / Double(tier.places[position].weight))
    }

    // MARK: By the index

    private enum Choice {
        case found(Int)
        /// More are in flight than the index knows of.
        case unknown
    }

    /// The least loaded for its weight; of equals the first in the list, from where round robin stands.
    private static func choose(
        by index: LoadIndex,
        in tier: Tier,
        excluding tried: TriedBackends,
        _ circumstances: inout Circumstances
    ) -> Choice {
        let start = Int(tier.schedule[Int(circumstances.nextTurn(in: tier) % UInt(tier.schedule.count))])
        var best = Candidate(count: tier.places.count, start: start)
        for position in index.others where tier.isEligible(position, excluding: tried) {
            best.consider(position, load: tier.inFlight(position), weight: tier.places[position].weight)
        }
        var unseen: (load: Int, weight: Int)?
        for kind in 0..<index.kindCount {
            let weight = index.weight(ofKind: kind)
            let finding = index.least(ofKind: kind, from: start, below: best.bound(forWeight: weight)) { position in
                tier.isEligible(position, excluding: tried)
            }
            switch finding {
            case .found(let position, let load): best.consider(position, load: load, weight: weight)
            case .none(let load):
                // With the greatest weight, what the index does not know is the least.
                if load == LoadGroup.levels, weight > unseen?.weight ?? 0 { unseen = (load, weight) }
            }
        }
        guard let position = best.position else { return .unknown }
        if let unseen, unseen.load * best.weight < best.load * unseen.weight { return .unknown }
        return .found(position)
    }

    /// The best so far.
    private struct Candidate {
        let count: Int
        let start: Int
        var position: Int?
        var load = 0
        var weight = 1

        /// Steps in the list from where round robin stands.
        private func distance(_ position: Int) -> Int { position < start ? position - start + count : position - start }

        /// From how many attempts in flight on a backend of some weight is worse.
        func bound(forWeight own: Int) -> Int { position == nil ? .max : load * own / weight + 1 }

        mutating func consider(_ position: Int, load: Int, weight: Int) {
            if let best = self.position {
                let (own, other) = (load * self.weight, self.load * weight)
                guard own < other || (own == other && distance(position) < distance(best)) else { return }
            }
            self.position = position
            self.load = load
            self.weight = weight
        }
    }
}
