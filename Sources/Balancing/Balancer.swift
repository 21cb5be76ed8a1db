// Where a worker is given backends.

/// Chooses backends from the newest snapshot of the pool that its worker has.
///
/// Confined to its worker. On the way of a request it takes no lock and allocates nothing.
public final class Balancer {
    public private(set) var snapshot: PoolSnapshot
    /// What of a request the policy wants the hash of.
    public private(set) var hashKey: HashKey?
    private var measuresLatency: Bool
    private var circumstances: Circumstances

    /// - Parameter seed: Where random numbers start: a different one for each worker.
    public init(_ snapshot: PoolSnapshot, seed: UInt64) {
        self.snapshot = snapshot
        hashKey = snapshot.policy.hashKey
        measuresLatency = snapshot.policy == .peakEWMA
        circumstances = Circumstances(random: SplitMix(seed: seed))
        circumstances.besideTurn = UInt(truncatingIfNeeded: seed)
    }

    /// Goes on with another snapshot.
    public func adopt(_ snapshot: PoolSnapshot) {
        self.snapshot = snapshot
        hashKey = snapshot.policy.hashKey
        measuresLatency = snapshot.policy == .peakEWMA
    }

    /// Chooses the backend of the next attempt.
    ///
    /// - Parameters:
    ///   - tried: The backends that this request has tried.
    ///   - now: The time, in nanoseconds, on a clock that all workers share.
    ///   - key: The hash of what ``hashKey`` asks for; nil when the request has no such thing.
    ///   - pin: The token of the backend that the client is bound to. That backend comes first, also while it is drained or has
    ///     no weight, unless it was tried, is full, or keeps no clients in its state.
    ///   - isBeside: Whether the attempt is made beside one that is under way: it takes no turn of the order that all share.
    /// - Returns: nil when no backend is eligible.
    public func acquire(
        excluding tried: TriedBackends,
        at now: UInt64,
        key: UInt64? = nil,
        pin: AffinityToken? = nil,
        isBeside: Bool = false
    ) -> BackendLease? {
        circumstances.now = now
        circumstances.key = key
        circumstances.isBeside = isBeside
        if let pin, let place = snapshot.affinity[pin], !tried.contains(place.backend.index),
            place.backend.takePlace(limit: place.limit)
        {
            return BackendLease(of: place.backend, at: now, isMeasured: measuresLatency)
        }
        return acquire(in: snapshot.ordinary, excluding: tried) ?? acquire(in: snapshot.backup, excluding: tried)
    }

    private func acquire(in tier: Tier, excluding tried: TriedBackends) -> BackendLease? {
        while let position = snapshot.policy.choose(in: tier, excluding: tried, &circumstances) {
            let place = tier.places[position]
            if place.backend.takePlace(limit: place.limit) {
                return BackendLease(
                    of: place.backend,
                    at: circumstances.now,
                    isMeasured: measuresLatency,
                    wasGivenInPanic: snapshot.isPanic
                )
            }
            // Another worker has taken the last place; the backend is full now, and the next choice is another one.
        }
        return nil
    }

    /// Whether clients that hold this token are bound to a backend that keeps them.
    public func keeps(_ pin: AffinityToken) -> Bool { snapshot.affinity[pin] != nil }

    /// Whether a backend can be given that was not tried.
    public func hasAnother(excluding tried: TriedBackends) -> Bool {
        [snapshot.ordinary, snapshot.backup].contains { tier in
            tier.places.indices.contains { tier.isEligible($0, excluding: tried) }
        }
    }

    /// Whether there are backends that could be tried if they were not full: why none was given.
    public func isFull(excluding tried: TriedBackends, pin: AffinityToken? = nil) -> Bool {
        if let pin, let place = snapshot.affinity[pin], !tried.contains(place.backend.index) { return true }
        return snapshot.ordinary.places.contains { !tried.contains($0.index) }
            || snapshot.backup.places.contains { !tried.contains($0.index) }
    }

    /// Whether any backend can be full.
    public var hasLimits: Bool { snapshot.hasLimits }

    /// Whether a backend that can be full takes the clients that are bound to it, and no others.
    public var keepsPlacesForBound: Bool { snapshot.keepsPlacesForBound }
}

@available(*, unavailable)
extension Balancer: Sendable {}
