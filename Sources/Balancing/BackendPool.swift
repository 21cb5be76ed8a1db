// The set of backends, and the one way to be given one.

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
public struct BackendLease: ~Copyable {
    public let backend: Backend
    private var outcome = AttemptOutcome.abandoned

    init(of backend: Backend) {
        self.backend = backend
        backend.inFlight.wrappingAdd(1, ordering: .relaxed)
        backend.attempts.wrappingAdd(1, ordering: .relaxed)
    }

    deinit {
        backend.inFlight.wrappingSubtract(1, ordering: .relaxed)
        if outcome == .failed { backend.failures.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Ends the lease.
    ///
    /// One that is merely dropped counts as abandoned.
    public consuming func end(_ outcome: AttemptOutcome) { self.outcome = outcome }
}

/// The backends that requests are spread over.
///
/// Any thread.
public final class BackendPool: Sendable {
    public let backends: [Backend]
    private let balancer = RoundRobin()

    /// A pool of backends with these names, in this order.
    public init(names: [String]) {
        backends = names.enumerated().map { Backend(index: $0.offset, name: $0.element) }
    }

    /// Chooses the backend of the next attempt.
    ///
    /// - Returns: nil when every backend was tried.
    public func acquire(excluding tried: borrowing TriedBackends) -> BackendLease? {
        guard let index = balancer.next(of: backends.count, excluding: tried) else { return nil }
        return BackendLease(of: backends[index])
    }

    /// A further attempt at a given backend, on a fresh connection after a stale one.
    public func acquireAgain(_ backend: Backend) -> BackendLease { BackendLease(of: backend) }
}
