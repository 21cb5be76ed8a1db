// From a client's token to its backend.

/// The members of a pool that clients may be bound to, by their tokens.
///
/// Immutable; a hash table with open addressing, no more than half full.
struct AffinityTable: Sendable {
    /// What is known of a member without touching memory that workers write to.
    struct Place: Sendable {
        let token: AffinityToken
        let backend: Backend
        /// The most attempts in flight; 0 for any number.
        let limit: Int
    }

    private static let free: Int32 = -1

    /// The tokens of all members, by the backend's index.
    private var tokens: [AffinityToken?] = []
    private let places: [Place]
    /// Positions in ``places``.
    private var slots: [Int32]

    /// Takes those of the members that keep their clients, whatever their weight: weight 0 takes no new ones.
    init(_ members: [PoolMember]) {
        for member in members {
            guard let token = member.affinityToken else { continue }
            while tokens.count <= member.backend.index { tokens.append(nil) }
            tokens[member.backend.index] = token
        }
        places = members.compactMap { member in
            guard let token = member.affinityToken, member.state.use.keepsAffinity else { return nil }
            return Place(token: token, backend: member.backend, limit: member.maximumInFlight)
        }
        var size = places.isEmpty ? 0 : 2
        while size < 2 * places.count { size *= 2 }
        slots = [Int32](repeating: Self.free, count: size)
        for (position, place) in places.enumerated() {
            var slot = place.token.hash & (size - 1)
            while slots[slot] != Self.free { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(position)
        }
    }

    /// What clients of a member hold, by the backend's index; nil where none are bound to it.
    func token(of index: Int) -> AffinityToken? { index < tokens.count ? tokens[index] : nil }

    /// The place of a token; nil when it is none of ours, or its backend keeps no clients now.
    subscript(token: AffinityToken) -> Place? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = token.hash & mask
        while slots[slot] != Self.free {
            let place = places[Int(slots[slot])]
            if place.token == token { return place }
            slot = (slot + 1) & mask
        }
        return nil
    }
}
