// When a failed attempt is followed by another, and where.

internal import Upstream

/// What an exchange does after a failed attempt.
enum RetryDecision: Equatable {
    /// Another attempt, at a backend not tried yet.
    case nextBackend
    /// The same backend on a fresh connection, at no cost: the failed connection had been idle, and died of that.
    case sameBackend
    /// No further attempt.
    case giveUp
}

/// The rules of RFC 9110 section 9.2.2 and RFC 9112 section 9.3.1, as a pure function of facts.
struct RetryPolicy {
    /// Further attempts beyond the first, free ones not counted.
    let maximumRetries: Int

    /// What the exchange may still do.
    struct Situation {
        /// Whether doing the request twice is like doing it once.
        var isIdempotent: Bool
        /// Whether all request bytes that were sent are still at hand.
        var isReplayable: Bool
        /// Whether any byte of a response has gone to the client.
        var isResponseBegun: Bool
        /// Attempts already made beyond the first, free ones not counted.
        var retries: Int
        /// Whether the free attempt at this backend was made.
        var wasFreshConnectionTried: Bool
    }

    func decide(after failure: StreamFailure, _ situation: Situation) -> RetryDecision {
        if situation.isResponseBegun { return .giveUp }
        if case .malformed = failure.cause { return .giveUp }
        // Nothing reached the backend: any request may go again. Something did: only what may be done twice.
        if failure.wasRequestSent, !situation.isIdempotent || !situation.isReplayable { return .giveUp }
        let isStale = failure.wasReused && !failure.wasResponseBegun && !situation.wasFreshConnectionTried
        if isStale { return .sameBackend }
        return situation.retries < maximumRetries ? .nextBackend : .giveUp
    }
}
