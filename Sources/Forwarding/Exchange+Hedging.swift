// Hedging: when a backend takes long to answer, a second one is asked beside it, and whoever answers first is taken.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    // MARK: When

    /// Sets when a second backend is asked, if the present attempt is one that may be hedged.
    ///
    /// To be called when an attempt begins, and when its request has been sent whole: until then the body may not be at hand.
    func scheduleHedge(since start: MonotonicTime) {
        guard let delay = worker.settings.overload.hedge, hedgeDue == .never, hedge == nil, mayHedge else { return }
        hedgeDue = start + delay
    }

    private var mayHedge: Bool {
        isBodyTaken && !isUpgradeAsked && !isAtHome && worker.retryPolicy.mayHedge(situation)
    }

    /// Whether the client is bound to the backend that is asked: another one may not know what that one knows of it.
    private var isAtHome: Bool {
        guard let pin = standing.pin, let responder else { return false }
        return worker.balancer.snapshot.affinityToken(of: responder) == pin
    }

    /// The first attempt has had its time alone.
    func hedgeIsDue() {
        hedgeDue = .never
        client.setDeadline(nextDeadline)
        beginHedge()
    }

    /// Asks a second backend, if one has a place at once and the retry budget allows it.
    func beginHedge() {
        guard stream != nil, hedge == nil, response == .awaited, !client.hasPendingOutput, mayHedge else { return }
        let hadRetryPlace = hasRetryPlace
        guard takeRetryPlace() else {
            worker.counters.add(.hedgesOverBudget)
            return
        }
        guard !mustWait, let lease = acquire(isBeside: true) else {
            if !hadRetryPlace { giveRetryPlaceBack() }
            worker.counters.add(.hedgesWithoutPlace)
            return
        }
        isHedged = true
        retries += 1
        tried.insert(lease.backend.index)
        let hedge = worker.takeHedge()
        self.hedge = hedge
        hedge.begin(lease, for: self, tookRetryPlace: !hadRetryPlace)
    }

    /// Something else is waited for of the second attempt, or for longer.
    func hedgeIsWaitedFor() { client.setDeadline(nextDeadline) }

    // MARK: What becomes of it

    /// The second attempt's stream has failed: the first one goes on, and perhaps a third one beside it.
    func hedge(_ hedge: Hedge, failed failure: StreamFailure) {
        let row = ExchangeFailure(failure)
        note(row, failure.text, code: failure.curlCode, of: hedge)
        if row == .openFileLimit {
            endHedge(.abandoned)
            return
        }
        var situation = situation
        situation.wasFreshConnectionTried = hedge.wasFreshConnectionTried
        switch worker.retryPolicy.decide(after: failure, situation) {
        case .sameBackend:
            hedge.beginAgain()
        case .nextBackend:
            endHedge(.failed)
            beginHedge()
        case .giveUp:
            endHedge(.failed)
        }
    }

    /// The second attempt has not moved for too long.
    func hedgeFellSilent(_ hedge: Hedge) {
        let wasRequestSent = hedge.stream?.wasRequestSent == true
        note(silence(of: hedge.stream), silenceText(isRequestSent: hedge.isRequestSent), of: hedge)
        endHedge(.failed)
        client.setDeadline(nextDeadline)
        if worker.retryPolicy.mayRepeat(afterSilence: wasRequestSent, situation) { beginHedge() }
    }

    /// Whether the second attempt's response is set aside, since the first one may bring a better one.
    func setsAside(_ head: ResponseHead, from buffer: Buffer, of hedge: Hedge) -> Bool {
        guard isInferior(head) else { return false }
        setAside = SetAsideResponse(head, buffer)
        note(.retriableStatus, Self.text(of: head, buffer), of: hedge)
        return true
    }

    /// The second attempt's response was set aside, and is out of the way.
    ///
    /// - Parameter isRepeated: Whether the operator wants another attempt after such a response.
    func hedgeEnded(_ outcome: AttemptOutcome, isRepeated: Bool) {
        endHedge(outcome)
        if isRepeated { beginHedge() }
    }

    /// Notes why the second attempt failed.
    func note(_ row: ExchangeFailure, _ text: String, code: Int32? = nil, of hedge: Hedge) {
        if trace.isRecorded { hedge.trace.fail(row, text) }
        note(row, text, code: code, at: hedge.backend, hedge.measures.meter, since: hedge.start)
    }

    /// Ends the second attempt; the first one is the only one again.
    ///
    /// - Parameter isOutrun: Whether the other one has answered: then a connection that is still being made is not given up.
    func endHedge(_ outcome: AttemptOutcome, isOutrun: Bool = false) {
        guard let hedge else { return }
        self.hedge = nil
        endTrace(of: hedge, outcome)
        if let lease = hedge.lease.take() {
            let isUnsent = isOutrun && hedge.stream?.wasRequestSent == false
            lease.end(outcome, at: loop.now.nanoseconds, isUnsent: isUnsent)
        }
        notePlaceFreed()
        if isOutrun { hedge.stream?.release() } else { hedge.stream?.cancel() }
        if hedge.tookRetryPlace { giveRetryPlaceBack() }
        hedge.clear()
        worker.retire(hedge)
    }

    // MARK: Who wins

    /// The first attempt has answered: the second one is not waited for.
    func outrunHedge() {
        hedge?.measures.counters?.add(.outrun)
        endHedge(.abandoned, isOutrun: true)
    }

    /// The present attempt's response is the answer.
    func settleHedge() {
        outrunHedge()
        if isOnHedge { measures.counters?.add(.hedgesWon) }
    }

    /// The second attempt has answered: the first one is not waited for.
    func hedgeWins() {
        measures.counters?.add(.outrun)
        goOnWithHedge(after: .abandoned, isOutrun: true)
    }

    /// Ends the present attempt, whatever has become of it, and goes on with the second one in its place.
    func goOnWithHedge(after outcome: AttemptOutcome, isOutrun: Bool = false) {
        guard let hedge, let stream = hedge.stream else { preconditionFailure("a second attempt is under way") }
        precondition(!hasBody || hedge.outbound != nil, "a second attempt has the request's body")
        endLease(outcome, isUnsent: isOutrun && self.stream?.wasRequestSent == false)
        if isOutrun { self.stream?.release() } else { self.stream?.cancel() }
        releaseOutbound()
        self.hedge = nil
        self.stream = stream
        lease = hedge.lease.take()
        responder = hedge.backend
        outbound = hedge.outbound
        headLength = hedge.headLength
        hostField = hedge.hostField
        sent = hedge.sent
        isRequestSent = hedge.isRequestSent
        wasFreshConnectionTried = hedge.wasFreshConnectionTried
        attemptStart = hedge.start
        attemptNumber = hedge.number
        trace.attempt = hedge.trace
        isOnHedge = true
        measures.adoptAttempt(of: hedge.measures)
        silenceEnd = hedge.silenceEnd
        hedge.clear(keepingOutbound: true)
        worker.retire(hedge)
        stream.handOver(to: self)
        hedgeDue = .never
        scheduleHedge(since: attemptStart)
        client.setDeadline(nextDeadline)
    }
}

/// What is kept of a backend's response that gives way to another attempt.
struct SetAsideResponse {
    let status: Int
    /// When to come again, in seconds, if the response says so; a date is none.
    let retryAfter: UInt64?

    init(_ head: ResponseHead, _ buffer: Buffer) {
        status = head.status
        retryAfter = head.fields.value(.retryAfter).flatMap { Self.seconds(buffer.bytes[$0]) }
    }

    private static func seconds(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        guard (1...9).contains(text.count), text.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return text.reduce(0) { $0 * 10 + UInt64($1 - 48) }
    }
}
