// When a failed attempt is followed by another, and where.

internal import Balancing
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

/// The rules of RFC 9110 section 9.2.2 and RFC 9112 section 9.3.1, and what the operator wants of them, as a pure function of facts.
struct RetryPolicy {
    /// Further attempts beyond the first, free ones not counted.
    let maximumRetries: Int
    /// What is worth another attempt.
    let conditions: RetryConditions

    /// What the exchange may still do.
    struct Situation {
        /// Whether doing the request twice is like doing it once.
        var isIdempotent: Bool
        /// Whether it asks for no change, so that it does not matter when it is done, nor before what.
        var isSafe: Bool
        /// Whether all request bytes that were sent are still at hand.
        var isReplayable: Bool
        /// Whether any byte of a response has gone to the client.
        var isResponseBegun: Bool
        /// Attempts already made beyond the first, free ones not counted.
        var retries: Int
        /// Whether the free attempt at this backend was made.
        var wasFreshConnectionTried: Bool
    }

    /// What follows the failure of a stream.
    func decide(after failure: StreamFailure, _ situation: Situation) -> RetryDecision {
        let condition = RetryConditions(of: failure)
        guard !situation.isResponseBegun, conditions.contains(condition) else { return .giveUp }
        // Nothing reached the backend: any request may go again. Something did: only what may be done twice.
        if failure.wasRequestSent, !situation.isIdempotent || !situation.isReplayable { return .giveUp }
        let isStale = failure.wasReused && !failure.wasResponseBegun && !situation.wasFreshConnectionTried
        if isStale, condition != .junkResponse { return .sameBackend }
        return situation.retries < maximumRetries ? .nextBackend : .giveUp
    }

    /// Whether another backend may be asked after one that did not answer in time.
    func mayRepeat(afterSilence wasRequestSent: Bool, _ situation: Situation) -> Bool {
        guard conditions.contains(wasRequestSent ? .responseTimeout : .connectionFailure) else { return false }
        return situation.retries < maximumRetries && !situation.isResponseBegun
            && (!wasRequestSent || situation.isIdempotent && situation.isReplayable)
    }

    /// Whether another backend may be asked in place of passing on a response of this status.
    ///
    /// - Parameter hasRetryAfter: Whether it says when to come again. That is for the client to heed: another attempt of ours would
    ///   be the load that it asks to be spared.
    func mayRepeat(afterStatus status: Int, hasRetryAfter: Bool, _ situation: Situation) -> Bool {
        guard conditions.contains(status: status), !hasRetryAfter || !(status == 503 || status == 429) else {
            return false
        }
        return situation.retries < maximumRetries && !situation.isResponseBegun && situation.isIdempotent
            && situation.isReplayable
    }

    /// Whether a response of this status is no answer as long as another attempt is under way, which may bring a better one.
    ///
    /// Whatever the operator wants repeated, and whatever the response says of coming again: to wait for what has been sent already
    /// puts no load on anybody.
    func isInferior(status: Int, _ situation: Situation) -> Bool {
        !situation.isResponseBegun && (status >= 500 || status == 429 || conditions.contains(status: status))
    }

    /// Whether a second backend may be asked while the first one has not answered.
    ///
    /// Only what changes nothing. The one that is outrun may go on with what it was asked for, and come to its end after a later
    /// request, which it would undo: a PUT that is done twice is done once only when nothing comes in between.
    func mayHedge(_ situation: Situation) -> Bool {
        situation.retries < maximumRetries && !conditions.isEmpty && !situation.isResponseBegun
            && situation.isSafe && situation.isReplayable
    }
}

extension RetryConditions {
    /// The one that a stream's failure falls under.
    init(of failure: StreamFailure) {
        if case .malformed = failure.cause {
            self = .junkResponse
        } else {
            self = failure.wasRequestSent ? .emptyResponse : .connectionFailure
        }
    }
}
