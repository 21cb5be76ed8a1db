// The backends of a large tier by what they have in flight: least connections without looking at all.

/// The sets of ``LoadGroup`` that a tier's backends are in, by kinds: those of a kind have the same weight and the same limit.
struct LoadIndex: Sendable {
    /// With more kinds, looking at all is no slower.
    private static let maximumKinds = 8

    private struct Kind {
        let weight: Int
        /// How many sets may have members that are not full.
        let levels: Int
        var entries: [Entry] = []
    }

    /// Those of a kind in one group.
    private struct Entry {
        let group: LoadGroup
        /// Where the first of them stands in the list.
        let first: Int
        var mask: UInt64
    }

    private struct EntryName: Hashable {
        let kind: Int
        let group: ObjectIdentifier
    }

    /// A backend's kind and entry, by its position in the tier.
    private struct Address {
        var kind: UInt32
        var entry: UInt32
        var bit: UInt32
    }

    private var kinds: [Kind] = []
    /// By position; those without a slot have none.
    private var addresses: [Address?] = []
    /// For each entry of each kind, where each bit stands in the tier.
    private var positions: [[UInt32]] = []
    /// Positions of those that are in no group, and are looked at one by one.
    private(set) var others: [Int] = []

    /// - Returns: nil when the index would not help.
    init?(_ places: [Tier.Place]) {
        guard places.contains(where: { $0.backend.loadSlot != nil }) else { return nil }
        var entries: [EntryName: Int] = [:]
        for (position, place) in places.enumerated() {
            guard let slot = place.backend.loadSlot else {
                others.append(position)
                addresses.append(nil)
                continue
            }
            let levels = place.limit == 0 ? LoadGroup.levels : min(place.limit, LoadGroup.levels)
            let kind = kinds.firstIndex { $0.weight == place.weight && $0.levels == levels } ?? kinds.count
            if kind == kinds.count {
                guard kinds.count < Self.maximumKinds else { return nil }
                kinds.append(Kind(weight: place.weight, levels: levels))
                positions.append([])
            }
            let name = EntryName(kind: kind, group: ObjectIdentifier(slot.group))
            let entry = entries[name] ?? kinds[kind].entries.count
            if entry == kinds[kind].entries.count {
                entries[name] = entry
                kinds[kind].entries.append(Entry(group: slot.group, first: position, mask: 0))
                positions[kind] += [UInt32](repeating: 0, count: LoadGroup.capacity)
            }
            let bit = slot.bit.trailingZeroBitCount
            kinds[kind].entries[entry].mask |= slot.bit
            positions[kind][entry * LoadGroup.capacity + bit] = UInt32(position)
            addresses.append(Address(kind: UInt32(kind), entry: UInt32(entry), bit: UInt32(bit)))
        }
    }

    var kindCount: Int { kinds.count }

    func weight(ofKind kind: Int) -> Int { kinds[kind].weight }

    /// What came of looking for the least loaded of a kind.
    enum Finding {
        case found(position: Int, load: Int)
        /// All that are not full have at least so many attempts in flight.
        case none(below: Int)
    }

    /// The least loaded of a kind that suits; of equals the next in the list from a position on.
    ///
    /// - Parameter bound: From how many attempts in flight on it is of no interest.
    /// - Complexity: O(count / 64) for each attempt in flight at the least loaded.
    func least(ofKind kind: Int, from start: Int, below bound: Int, where isSuitable: (Int) -> Bool) -> Finding {
        let entries = kinds[kind].entries
        let begin = begin(inKind: kind, from: start)
        let late = UInt64.max << begin.bit
        var levels = min(kinds[kind].levels, bound)
        var found: Int?
        var entry = begin.entry
        // Once around; the first group is looked at twice, from where the list is begun and up to there.
        for step in 0...entries.count where levels > 0 {
            let mask = entries[entry].mask & (step == 0 ? late : step == entries.count ? ~late : .max)
            for level in 0..<levels {
                let members = entries[entry].group.members(at: level) & mask
                if members != 0, let position = first(of: members, kind, entry, where: isSuitable) {
                    found = position
                    levels = level
                    break
                }
            }
            entry = entry + 1 == entries.count ? 0 : entry + 1
        }
        return found.map { .found(position: $0, load: levels) } ?? .none(below: levels)
    }

    /// Where in a kind's entries the backends from a position on begin.
    private func begin(inKind kind: Int, from start: Int) -> (entry: Int, bit: UInt64) {
        if let address = addresses[start], Int(address.kind) == kind {
            return (Int(address.entry), UInt64(address.bit))
        }
        let entries = kinds[kind].entries
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].first < start { low = middle + 1 } else { high = middle }
        }
        return (low == entries.count ? 0 : low, 0)
    }

    private func first(of members: UInt64, _ kind: Int, _ entry: Int, where isSuitable: (Int) -> Bool) -> Int? {
        var members = members
        while members != 0 {
            let position = Int(positions[kind][entry * LoadGroup.capacity + members.trailingZeroBitCount])
            if isSuitable(position) { return position }
            members &= members - 1
        }
        return nil
    }
}
