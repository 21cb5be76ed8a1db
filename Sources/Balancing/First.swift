// First: the list's order is an order of preference.

/// The first backend in the list that is neither tried nor full, so that the last ones may be switched off (HAProxy's `first`).
enum First: PolicyRule {
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        tier.places.indices.first { tier.isEligible($0, excluding: tried) }
    }
}
