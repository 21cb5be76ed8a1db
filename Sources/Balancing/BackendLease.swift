// The right to one attempt at a backend, and how it is accounted for.

internal import Synchronization

/// How an attempt ended, as the backend's account sees it.
public enum AttemptOutcome: Sendable {
    /// The backend answered.
    case answered
    /// The backend could not be reached, or broke off.
    case failed
    /// The client left, or the process is stopping: not the backend's doing.
    case abandoned
}

/// The right to one attempt at a backend: each choice is accounted for exactly once, when the lease ends.
///
/// Times are those of any clock that does not go back, in nanoseconds.
public struct BackendLease: ~Copyable {
    public let backend: Backend
    private let start: UInt64
    private let isMeasured: Bool
    private var outcome = AttemptOutcome.abandoned

    /// A lease on a place that was taken already.
    ///
    /// - Parameter isMeasured: Whether the backend's latency is kept.
    init(of backend: Backend, at start: UInt64, isMeasured: Bool) {
        self.backend = backend
        self.start = start
        self.isMeasured = isMeasured
        backend.attempts.wrappingAdd(1, ordering: .relaxed)
    }

    deinit {
        backend.inFlight.wrappingSubtract(1, ordering: .relaxed)
        if outcome == .failed { backend.failures.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Notes that a response head has come: the time until then is the backend's latency.
    public func headReceived(at now: UInt64) {
        if isMeasured { backend.latency.observe(now > start ? now - start : 0, at: now) }
    }

    /// Goes on with another attempt at the same backend, on a fresh connection after a stale one; its place is kept.
    public consuming func again() -> BackendLease {
        backend.attempts.wrappingAdd(1, ordering: .relaxed)
        return self
    }

    /// Ends the lease.
    ///
    /// One that is merely dropped counts as abandoned.
    public consuming func end(_ outcome: AttemptOutcome, at now: UInt64) {
        self.outcome = outcome
        if isMeasured, outcome == .failed {
            backend.latency.observeFailure(after: now > start ? now - start : 0, at: now)
        }
    }
}
