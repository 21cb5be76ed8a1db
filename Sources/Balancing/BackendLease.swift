// The right to one attempt at a backend, and how it is accounted for.

internal import Synchronization

/// How an attempt ended, as the backend's account sees it.
public enum AttemptOutcome: Sendable {
    /// The backend answered.
    case answered
    /// The backend could not be reached, or broke off.
    case failed
    /// The client left, another backend was faster, or the process is stopping: not the backend's doing.
    case abandoned
}

/// The right to one attempt at a backend: each choice is accounted for exactly once, when the lease ends.
///
/// Times are those of any clock that does not go back, in nanoseconds.
public struct BackendLease: ~Copyable {
    public let backend: Backend
    private let start: UInt64
    private let isMeasured: Bool
    /// Whether nothing was thought to be usable when it was given.
    public let wasGivenInPanic: Bool
    /// When the whole request had been sent, while the backend's answer to it is awaited.
    private var sent: UInt64?
    /// Whether a response head has come.
    private var isAnswered = false
    private var outcome = AttemptOutcome.abandoned

    /// A lease on a place that was taken already.
    ///
    /// - Parameters:
    ///   - isMeasured: Whether the backend's latency is kept.
    ///   - wasGivenInPanic: Whether nothing was thought to be usable.
    init(of backend: Backend, at start: UInt64, isMeasured: Bool, wasGivenInPanic: Bool = false) {
        self.backend = backend
        self.start = start
        self.isMeasured = isMeasured
        self.wasGivenInPanic = wasGivenInPanic
        backend.attempts.wrappingAdd(1, ordering: .relaxed)
    }

    deinit {
        backend.leavePlace()
        endWaiting()
        switch outcome {
        case .answered: backend.noteServed()
        case .failed: backend.noteFailure()
        case .abandoned: break
        }
    }

    /// Notes that the whole request has been sent: what its client took for it is not the backend's doing.
    ///
    /// From then on it waits: before, the backend may have nothing to answer to.
    public mutating func requestSent(at now: UInt64) {
        if sent == nil, !isAnswered { backend.sent.wrappingAdd(1, ordering: .relaxed) }
        sent = now
    }

    /// Notes that an attempt has ended for which nobody will wait any longer.
    private func endWaiting() {
        if sent != nil, !isAnswered { backend.unanswered.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Notes that a response head has come: the time from the request's end until then is the backend's latency.
    ///
    /// - Parameter status: What it says; from 500 on it counts against the backend.
    public mutating func headReceived(status: Int = 200, at now: UInt64) {
        guard !isAnswered else { return }
        isAnswered = true
        // Nobody has waited for an answer that came before the request's end, and it has cost no time.
        if sent == nil { backend.sent.wrappingAdd(1, ordering: .relaxed) }
        let elapsed = sent.map { Self.nanoseconds(from: $0, to: now) }
        backend.noteAnswer(status: status, after: elapsed ?? 0)
        guard let elapsed else { return }
        if isMeasured { backend.latency.observe(elapsed, at: now) }
        sent = nil
    }

    private static func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64 { end > start ? end - start : 0 }

    /// Goes on with another attempt at the same backend, on a fresh connection after a stale one; its place is kept.
    public consuming func again() -> BackendLease {
        backend.attempts.wrappingAdd(1, ordering: .relaxed)
        // The attempt before it has ended without an answer: that is why there is this one.
        endWaiting()
        isAnswered = false
        sent = nil
        return self
    }

    /// Gives the place back: no attempt was made.
    public consuming func cancel() {
        backend.attempts.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Ends the lease.
    ///
    /// One that is merely dropped counts as abandoned.
    ///
    /// - Parameter isUnsent: Whether nothing of the request could be sent, though all of it was at hand: the time since the lease began
    ///   is the backend's doing.
    public consuming func end(_ outcome: AttemptOutcome, at now: UInt64, isUnsent: Bool = false) {
        self.outcome = outcome
        guard isMeasured else { return }
        switch outcome {
        case .answered:
            break
        case .failed:
            backend.latency.observeFailure(after: Self.nanoseconds(from: sent ?? start, to: now), at: now)
        case .abandoned:
            // Nobody has waited until the backend answered: it takes that long at least.
            let begin = sent ?? (isUnsent ? start : nil)
            if let begin { backend.latency.observeNone(after: Self.nanoseconds(from: begin, to: now), at: now) }
        }
    }
}
