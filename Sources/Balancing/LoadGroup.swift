// Who has how many attempts in flight, kept so that the least loaded of many is found without asking each.

internal import Synchronization

/// Up to 64 backends, and for each number of attempts in flight the set of those that have that many.
///
/// A backend moves from one set to the next by flipping its bit in both. Flips commute, so whatever the order in which several
/// workers' flips arrive, each backend is in the one right set when all have arrived. Any thread.
final class LoadGroup: Sendable {
    /// The sets that are kept: of 0 attempts, of 1, and so on.
    static let levels = 128
    static let capacity = 64

    private let sets = InlineArray<128, Atomic<UInt64>> { _ in Atomic(0) }

    /// Who has so many attempts in flight: less than ``levels``.
    func members(at level: Int) -> UInt64 { sets[level].load(ordering: .relaxed) }

    /// A backend without an attempt comes in.
    fileprivate func enter(_ bit: UInt64) { sets[0].bitwiseXor(bit, ordering: .relaxed) }

    /// A backend has so many attempts in flight, and had so many before.
    func move(_ bit: UInt64, from old: Int, to new: Int) {
        // In the new one first: who looks meanwhile finds it twice rather than nowhere.
        if new < Self.levels { sets[new].bitwiseXor(bit, ordering: .relaxed) }
        if old < Self.levels { sets[old].bitwiseXor(bit, ordering: .relaxed) }
    }
}

/// A backend's place in a group.
struct LoadSlot: Sendable {
    let group: LoadGroup
    /// One of 64.
    let bit: UInt64
}

/// Gives the backends of a pool their places: one group after the other, no place twice.
///
/// Off the way of a request: it takes a lock.
final class LoadGroups: Sendable {
    private struct State {
        var group = LoadGroup()
        var used = 0
    }

    private let state = Mutex(State())

    func nextSlot() -> LoadSlot {
        state.withLock { state in
            if state.used == LoadGroup.capacity { state = State() }
            let slot = LoadSlot(group: state.group, bit: 1 << UInt64(state.used))
            state.used += 1
            slot.group.enter(slot.bit)
            return slot
        }
    }
}
