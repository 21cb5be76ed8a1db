// Attempts: which backend is asked, and whether another one is when that fails.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    func attemptNext() {
        if !mustWait, let lease = acquire() { begin(lease) } else { waitForPlace() }
    }

    /// Whether others wait already for what this exchange would be given.
    var mustWait: Bool { worker.balancer.hasLimits && worker.queue.isAnyoneWaiting }

    /// Makes an attempt at another backend.
    func begin(_ lease: consuming BackendLease) {
        tried.insert(lease.backend.index)
        wasFreshConnectionTried = false
        begin(lease, fresh: false)
    }

    /// A place at a backend not tried yet.
    func acquire(isBeside: Bool = false) -> BackendLease? { chooseBackend(excluding: tried, isBeside: isBeside) }

    private func begin(_ lease: consuming BackendLease, fresh: Bool) {
        let streams = worker.streams(to: lease.backend)
        responder = lease.backend
        beginAttemptTrace()
        useHost(streams.pool.hostField)
        self.lease = consume lease
        attemptCount += 1
        attemptNumber = attemptCount
        attemptStart = loop.now
        sent = 0
        isRequestSent = false
        isOnHedge = false
        hedgeDue = .never
        progress.close()
        // What may not be sent twice is not sent into a connection that the backend has just closed.
        let isChecked = !reader.head.method.isIdempotent
        let idle = (fresh ? nil : streams.pool.takeIdle(checked: isChecked)) ?? streams.pool.takeUnclaimed()
        countAttempt(streams.meter, isReused: idle != nil)
        if fresh { streams.meter.counters.add(.connectionsStale) }
        trace.attempt.isConnectionReused = idle?.isConnected == true
        let stream = idle ?? streams.pool.connect()
        self.stream = stream
        stream.begin(self, method: reader.head.method, isUpgradeAsked: isUpgradeAsked)
        // An interim response may still be on its way to the client; the next one waits for it.
        if client.hasPendingOutput { stream.pause() }
        scheduleHedge(since: attemptStart)
        refreshDeadline()
        if stream.isConnected { pumpRequest() }
    }

    func stream(_ stream: Stream, failed streamFailure: StreamFailure) {
        self.stream = nil
        if response == .discarded {
            // The body of a response that is not passed on: the next attempt's place is taken already.
            goOnElsewhere(after: .failed)
            return
        }
        if response == .headPending {
            // Its body was broken from the first byte on: none of it has left.
            response = .awaited
            status = 0
        }
        let row = ExchangeFailure(streamFailure)
        record(row, streamFailure.text, code: streamFailure.curlCode)
        let decision = worker.retryPolicy.decide(after: streamFailure, situation)
        if hedge != nil {
            // Another backend has the request already. The failure may be ours, or of the connection's age: then none of the backend's.
            goOnWithHedge(after: row == .openFileLimit || decision == .sameBackend ? .abandoned : .failed)
            return
        }
        if row == .openFileLimit {
            // Ours: no backend is to blame, and none other can be reached either.
            endLease(.abandoned)
            giveUp(row)
            return
        }
        switch decision {
        case .sameBackend:
            // A connection that died of old age says nothing about the backend: the lease goes on.
            guard let lease = lease.take() else { preconditionFailure("a stream in use is leased") }
            wasFreshConnectionTried = true
            endAttemptTrace(.failed, at: lease.backend)
            begin(lease.again(), fresh: true)
        case .nextBackend:
            repeatElsewhere(after: row, wasRequestSent: streamFailure.wasRequestSent)
        case .giveUp:
            endLease(.failed)
            giveUp(row)
        }
    }

    /// What the exchange may still do after a failed attempt.
    var situation: RetryPolicy.Situation {
        RetryPolicy.Situation(
            isIdempotent: reader.head.method.isIdempotent,
            isSafe: reader.head.method.isSafe,
            isReplayable: isReplayable,
            isResponseBegun: isResponseBegun || isInterimForwarded,
            retries: retries,
            wasFreshConnectionTried: wasFreshConnectionTried
        )
    }

    /// Ends an attempt that has failed and makes another one at a backend not tried yet, if the budget allows it.
    func repeatElsewhere(after row: ExchangeFailure, wasRequestSent: Bool) {
        // What no backend has had a byte of is no load on any: it may always go on.
        let isAllowed = !wasRequestSent || takeRetryPlace(isAfterBreak: row == .connectionTerminated)
        endAttempt(.failed)
        guard isAllowed else {
            isRetryBudgetExhausted = true
            giveUp(row)
            return
        }
        retries += 1
        attemptNext()
    }

    // MARK: The retry budget

    /// Takes a place in the retry budget, which is kept until a response head comes or the exchange ends; false if none is left.
    ///
    /// - Parameter isAfterBreak: Whether a connection has broken off: one backend may have died, and then there is room for all of it.
    func takeRetryPlace(isAfterBreak: Bool = false) -> Bool {
        if hasRetryPlace { return true }
        let snapshot = worker.balancer.snapshot
        hasRetryPlace = worker.overload.retryBudget.take(backends: isAfterBreak ? snapshot.usableCount : 0) {
            snapshot.inFlight + worker.overload.board.waiting
        }
        return hasRetryPlace
    }

    func giveRetryPlaceBack() {
        guard hasRetryPlace else { return }
        hasRetryPlace = false
        worker.overload.retryBudget.giveBack()
    }

    // MARK: Responses that are worth another attempt

    /// What is kept of a backend's reason phrase for the log, in bytes: it may be as long as a head, and of bytes that a line escapes.
    private static let longestReason = 128

    /// Whether the response that has come is set aside, since another backend has taken the request over from now on.
    ///
    /// Without a place at another backend, and one in the budget, it is the answer: a real response is better than none.
    func setsAside(_ head: ResponseHead, from buffer: Buffer) -> Bool {
        if hedge != nil {
            guard isInferior(head) else { return false }
            setAside = SetAsideResponse(head, buffer)
            discard(head, buffer)
            return true
        }
        guard mayRepeat(after: head), !mustWait, let lease = acquire() else { return false }
        guard takeRetryPlace() else {
            isRetryBudgetExhausted = true
            lease.cancel()
            notePlaceFreed()
            return false
        }
        next = consume lease
        discard(head, buffer)
        return true
    }

    private func discard(_ head: ResponseHead, _ buffer: Buffer) {
        record(.retriableStatus, Self.text(of: head, buffer))
        response = .discarded
    }

    /// Whether another backend may be asked in place of passing a response on.
    func mayRepeat(after head: ResponseHead) -> Bool {
        let hasRetryAfter = head.fields.contains(.retryAfter)
        return worker.retryPolicy.mayRepeat(afterStatus: head.status, hasRetryAfter: hasRetryAfter, situation)
    }

    /// Whether a response is not the answer while another attempt is under way.
    func isInferior(_ head: ResponseHead) -> Bool { worker.retryPolicy.isInferior(status: head.status, situation) }

    /// A response that is set aside, as the log tells it.
    static func text(of head: ResponseHead, _ buffer: Buffer) -> String {
        let reason = UnsafeRawBufferPointer(rebasing: buffer.bytes[head.reasonRange])
        let start = reason.prefix(longestReason)
        let rest = start.count < reason.count ? "..." : ""
        return "\(head.status) \(String(decoding: start, as: UTF8.self))\(rest)"
    }

    /// The first bytes of a response's body that is not passed on: where they are all of it, the connection can rest.
    func discardBody(_ buffer: Buffer, isEnd: Bool) {
        worker.responseBuffers.give(buffer)
        if isEnd { stream?.finish(reusable: isRequestSent) } else { stream?.cancel() }
        stream = nil
        goOnElsewhere(after: .answered)
    }

    /// Goes on with the attempt that a response was set aside for: the one beside, or the one that was prepared.
    private func goOnElsewhere(after outcome: AttemptOutcome) {
        response = .awaited
        if hedge != nil {
            goOnWithHedge(after: outcome)
            return
        }
        guard let lease = next.take() else { preconditionFailure("a response is set aside for another attempt") }
        endLease(outcome)
        retries += 1
        begin(lease)
    }

    /// Notes why the attempt failed.
    ///
    /// - Parameter code: libcurl's number for it, if libcurl has one.
    func record(_ row: ExchangeFailure, _ text: String, code: Int32? = nil) {
        failure = row
        if trace.isRecorded { trace.attempt.fail(row, text) }
        note(row, text, code: code, at: lease?.backend, measures.meter, since: attemptStart)
    }

    /// Notes why an attempt failed: the exchange's own, or the one beside it.
    func note(
        _ row: ExchangeFailure,
        _ text: String,
        code: Int32?,
        at backend: Backend?,
        _ meter: BackendMeter?,
        since start: MonotonicTime
    ) {
        countFailure(row, meter)
        tellHowToReproduce(row, at: backend)
        failedAttempts.append(
            AccessLogAttempt(
                backend: backend?.name ?? "-",
                reason: row.label,
                code: code,
                text: text,
                nanoseconds: loop.now.since(start)
            )
        )
    }

    /// - Parameter isUnsent: Whether nothing could be sent, though all of the request was at hand.
    func endLease(_ outcome: AttemptOutcome, isUnsent: Bool = false) {
        guard let lease = lease.take() else { return }
        endAttemptTrace(outcome, at: lease.backend)
        lease.end(outcome, at: loop.now.nanoseconds, isUnsent: isUnsent)
        notePlaceFreed()
    }

    /// Tells who waits, if places are scarce.
    func notePlaceFreed() {
        if worker.balancer.hasLimits { worker.queue.placeWasFreed() }
    }

    /// The backend has the whole request.
    func noteRequestSent() {
        measures.requestSent = loop.now
        lease?.requestSent(at: loop.now.nanoseconds)
    }

    /// The backend's response head has come.
    func noteHead(_ head: ResponseHead) {
        measures.countHead(head, at: loop.now)
        trace.attempt.status = head.status
        lease?.headReceived(status: head.status, at: loop.now.nanoseconds)
    }

    /// Whether nothing was thought to be usable when the present attempt's backend was chosen.
    var isAttemptInPanic: Bool { lease?.wasGivenInPanic ?? false }

    /// Ends the attempt because of something that is not the stream's failure, and one beside it.
    ///
    /// Or the waiting for one.
    func endAttempt(_ outcome: AttemptOutcome) {
        leaveQueue()
        if hedge != nil { endHedge(.abandoned) }
        endLease(outcome)
        stream?.cancel()
        stream = nil
    }
}
