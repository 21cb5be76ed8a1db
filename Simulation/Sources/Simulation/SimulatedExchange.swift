// One request on its way, and the lease of its attempt.

internal import Balancing

/// One request from its arrival to its end; used again for later ones.
final class SimulatedExchange {
    /// Grows with each attempt and at the end: what refers to an earlier one is stale.
    var generation: UInt32 = 0
    var isLive = false
    var arrival: UInt64 = 0
    /// Whether it is in the figures.
    var isCounted = false
    var isIdempotent = true
    /// Seconds of work that it asks for.
    var demand = 0.0
    var key: UInt64?
    /// Whose it is in a closed loop.
    var client = 0

    var balancer = 0
    var worker = 0
    var tried = TriedBackends()
    var attempts = 0
    /// Where the attempt is.
    var place = 0
    var lease: BackendLease?
}
