// How a balancer explains a choice: what it sees of each member, by the tests that the choice itself makes.

internal import Synchronization

extension Balancer {
    /// What the next choice depends on, before it is made; who is chosen is to be entered afterwards.
    ///
    /// Allocates as it likes: only for those who ask. The parameters are those of ``acquire(excluding:at:key:pin:)``.
    public func explain(
        excluding tried: TriedBackends,
        at now: UInt64,
        key: UInt64? = nil,
        pin: AffinityToken? = nil
    ) -> Explanation {
        var circumstances = Circumstances(random: SplitMix(seed: 0))
        circumstances.now = now
        circumstances.key = key
        let policy = snapshot.policy
        let isOrdinaryEligible = snapshot.ordinary.places.indices.contains {
            snapshot.ordinary.isEligible($0, excluding: tried)
        }
        let candidates = snapshot.members.map { member -> Explanation.Candidate in
            let tier = member.isBackup ? snapshot.backup : snapshot.ordinary
            let position = tier.places.firstIndex { $0.index == member.backend.index }
            return Explanation.Candidate(
                name: member.backend.name,
                weight: member.weight,
                inFlight: member.backend.inFlight.load(ordering: .relaxed),
                maximumInFlight: member.maximumInFlight,
                isBackup: member.isBackup,
                isPinned: pin != nil && member.affinityToken == pin,
                rating: position.flatMap { policy.rating(of: $0, in: tier, circumstances) },
                obstacle: obstacle(member, position, tier, tried, key, isOrdinaryEligible)
            )
        }
        let isUnkeyed = hashKey != nil && key == nil
        return Explanation(
            policy: policy.description,
            candidates: candidates,
            policyRule: isUnkeyed ? Policy.roundRobin.description : policy.rule
        )
    }

    private func obstacle(
        _ member: PoolMember,
        _ position: Int?,
        _ tier: Tier,
        _ tried: TriedBackends,
        _ key: UInt64?,
        _ isOrdinaryEligible: Bool
    ) -> Explanation.Obstacle? {
        switch (member.state.effectiveAdministrative, member.state.operational) {
        case (.maintenance, _): return .maintenance
        // Nobody is usable: what is thought of the ready ones does not count.
        case (.ready, _) where snapshot.isPanic: break
        case (.ready, .unchecked) where snapshot.usesUntried: break
        case (_, .down): return .down
        case (_, .ejected): return .ejected
        case (_, .unchecked): return .unchecked
        case (.drain, .up): return .drain
        case (.ready, .up): break
        }
        guard let position else { return .noWeight }
        if tried.contains(member.backend.index) { return .tried }
        if !tier.isEligible(position, excluding: tried) { return .full }
        if member.isBackup, isOrdinaryEligible { return .backup }
        guard hashKey != nil, let key else { return nil }
        return HashAffinity.obstacle(position, in: tier, for: key)
    }
}

extension Policy {
    /// The rule's name, without what is hashed.
    fileprivate var rule: String { hashKey == nil ? description : "hash" }
}
