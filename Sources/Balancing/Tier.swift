// The backends that stand for one another in a snapshot: the ordinary ones, or the backups.

internal import Synchronization

/// Where round robin stands; one for all workers, and for all snapshots of a pool.
final class Cursor: Sendable {
    private let turns: Atomic<UInt>

    init(first: UInt = 0) { turns = Atomic(first) }

    /// Takes the next turn; no other worker gets the same.
    func next() -> UInt { turns.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Goes on somewhere else.
    func move(to turn: UInt) { turns.store(turn, ordering: .relaxed) }
}

/// Backends whose states and weights let them take requests, and what the policies have worked out about them.
///
/// Immutable but for the counters that it refers to. Any thread.
final class Tier: Sendable {
    /// What is known of a backend without touching memory that other workers write to.
    struct Place: Sendable {
        let backend: Backend
        let index: Int
        let hash: UInt64
        /// Its share beside the others'; when one of them has less than all of its weight, in hundredths.
        let weight: Int
        /// The most attempts in flight; 0 for any number.
        let limit: Int
    }

    /// In the order of the list.
    let places: [Place]
    let totalWeight: Int
    let isEvenlyWeighted: Bool
    /// Positions in the order of smooth weighted round robin; empty when the policy does not go by it.
    let schedule: [UInt32]
    /// Draws positions by weight; empty when the policy does not draw, or there are so few that it looks at all.
    let lot: AliasTable
    /// Where keys go; empty unless the policy hashes.
    let circle: HashCircle
    /// Who is least loaded; nil unless the policy asks, and the pool is large.
    let loadIndex: LoadIndex?
    let cursor: Cursor

    /// - Parameters:
    ///   - ignoresPercents: Counts everybody with all of its weight, ramping up or not.
    ///   - former: The tier in its place before: what it has worked out is used again where the weights are the same.
    init(
        _ members: [PoolMember],
        policy: Policy,
        cursor: Cursor,
        ignoresPercents: Bool = false,
        like former: Tier? = nil
    ) {
        let isWhole = ignoresPercents || members.allSatisfy { $0.weightPercent == 100 }
        places = members.map { member in
            Place(
                backend: member.backend,
                index: member.backend.index,
                hash: member.backend.hash,
                weight: isWhole ? member.weight : member.weight * member.weightPercent,
                limit: member.maximumInFlight
            )
        }
        self.cursor = cursor
        let weights = places.map(\.weight)
        totalWeight = weights.reduce(0, +)
        isEvenlyWeighted = weights.allSatisfy { $0 == weights.first }
        if let former, former.places.map(\.weight) == weights {
            schedule = former.schedule
            lot = former.lot
        } else {
            schedule = policy.isOrdered ? SmoothSchedule.positions(weights) : []
            lot = AliasTable(policy.isDrawn && weights.count > TwoChoices.fullScanLimit ? weights : [])
        }
        circle = policy.hashKey == nil ? HashCircle() : HashCircle(places, isEvenlyWeighted: isEvenlyWeighted)
        loadIndex = policy == .leastConnections ? LoadIndex(places) : nil
    }

    /// Whether the backend at a position was not tried and is not full.
    ///
    /// Its states and its weight have been looked at when the tier was made.
    func isEligible(_ position: Int, excluding tried: TriedBackends) -> Bool {
        if tried.contains(places[position].index) { return false }
        let limit = places[position].limit
        return limit == 0 || inFlight(position) < limit
    }

    /// How many attempts are in flight at a position's backend.
    func inFlight(_ position: Int) -> Int { places[position].backend.inFlight.load(ordering: .relaxed) }
}
