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
    private var mustWait: Bool { worker.balancer.hasLimits && worker.queue.isAnyoneWaiting }

    /// Makes an attempt at another backend.
    func begin(_ lease: consuming BackendLease) {
        tried.insert(lease.backend.index)
        wasFreshConnectionTried = false
        begin(lease, fresh: false)
    }

    /// A place at a backend not tried yet.
    func acquire() -> BackendLease? { chooseBackend(excluding: tried) }

    private func begin(_ lease: consuming BackendLease, fresh: Bool) {
        let streams = worker.streams(to: lease.backend)
        responder = lease.backend
        useHost(streams.pool.hostField)
        self.lease = consume lease
        attemptCount += 1
        attemptStart = loop.now
        sent = 0
        isRequestSent = false
        progress.close()
        // What may not be sent twice is not sent into a connection that the backend has just closed.
        let isChecked = !reader.head.method.isIdempotent
        let idle = fresh ? nil : streams.pool.takeIdle(checked: isChecked)
        countAttempt(streams.meter, isReused: idle != nil)
        let stream = idle ?? streams.pool.connect()
        self.stream = stream
        stream.begin(self, method: reader.head.method, isUpgradeAsked: isUpgradeAsked)
        // An interim response may still be on its way to the client; the next one waits for it.
        if client.hasPendingOutput { stream.pause() }
        refreshDeadline()
        if stream.isConnected { pumpRequest() }
    }

    func stream(_ stream: Stream, failed streamFailure: StreamFailure) {
        self.stream = nil
        if response == .discarded {
            // The body of a response that is not passed on: the next attempt's place is taken already.
            endLease(.failed)
            beginNext()
            return
        }
        if response == .headPending {
            // Its body was broken from the first byte on: none of it has left.
            response = .awaited
            status = 0
        }
        let row = ExchangeFailure(streamFailure)
        record(row, streamFailure.text, code: streamFailure.curlCode)
        if row == .openFileLimit {
            // Ours: no backend is to blame, and none other can be reached either.
            endLease(.abandoned)
            giveUp(row)
            return
        }
        switch worker.retryPolicy.decide(after: streamFailure, situation) {
        case .sameBackend:
            // A connection that died of old age says nothing about the backend: the lease goes on.
            guard let lease = lease.take() else { preconditionFailure("a stream in use is leased") }
            wasFreshConnectionTried = true
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
            isReplayable: isReplayable,
            isResponseBegun: isResponseBegun || isInterimForwarded,
            retries: retries,
            wasFreshConnectionTried: wasFreshConnectionTried
        )
    }

    /// Ends an attempt that has failed and makes another one at a backend not tried yet, if the budget allows it.
    func repeatElsewhere(after row: ExchangeFailure, wasRequestSent: Bool) {
        // What no backend has had a byte of is no load on any: it may always go on.
        let isAllowed = !wasRequestSent || takeRetryPlace()
        endAttempt(.failed)
        guard isAllowed else {
            giveUp(row)
            return
        }
        retries += 1
        attemptNext()
    }

    // MARK: The retry budget

    /// Takes a place in the retry budget, which is kept until a response head comes or the exchange ends; false if none is left.
    private func takeRetryPlace() -> Bool {
        if hasRetryPlace { return true }
        hasRetryPlace = worker.overload.retryBudget.take {
            worker.balancer.snapshot.inFlight + worker.overload.board.waiting
        }
        if !hasRetryPlace { isRetryBudgetExhausted = true }
        return hasRetryPlace
    }

    func giveRetryPlaceBack() {
        guard hasRetryPlace else { return }
        hasRetryPlace = false
        worker.overload.retryBudget.giveBack()
    }

    // MARK: Responses that are worth another attempt

    /// Whether the response that has come is set aside, since another backend has taken the request over from now on.
    ///
    /// Without a place at another backend, and one in the budget, it is the answer: a real response is better than none.
    func setsAside(_ head: ResponseHead, reason: UnsafeRawBufferPointer) -> Bool {
        let hasRetryAfter = head.fields.contains(.retryAfter)
        guard worker.retryPolicy.mayRepeat(afterStatus: head.status, hasRetryAfter: hasRetryAfter, situation),
            !mustWait, let lease = acquire()
        else { return false }
        guard takeRetryPlace() else {
            lease.cancel()
            notePlaceFreed()
            return false
        }
        next = consume lease
        record(.retriableStatus, "\(head.status) \(String(decoding: reason, as: UTF8.self))")
        response = .discarded
        return true
    }

    /// The first bytes of a response's body that is not passed on: where they are all of it, the connection can rest.
    func discardBody(_ buffer: Buffer, isEnd: Bool) {
        worker.responseBuffers.give(buffer)
        endLease(.answered)
        if isEnd { stream?.finish(reusable: isRequestSent) } else { stream?.cancel() }
        stream = nil
        beginNext()
    }

    /// Makes the attempt that was prepared before a response was set aside.
    private func beginNext() {
        guard let lease = next.take() else { preconditionFailure("a response is set aside for another attempt") }
        response = .awaited
        retries += 1
        begin(lease)
    }

    /// Notes why an attempt failed.
    ///
    /// - Parameter code: libcurl's number for it, if libcurl has one.
    func record(_ row: ExchangeFailure, _ text: String, code: Int32? = nil) {
        failure = row
        countFailure(row)
        tellHowToReproduce(row)
        failedAttempts.append(
            AccessLogAttempt(
                backend: lease?.backend.name ?? "-",
                reason: row.label,
                code: code,
                text: text,
                nanoseconds: loop.now.since(attemptStart)
            )
        )
    }

    func endLease(_ outcome: AttemptOutcome) {
        guard let lease = lease.take() else { return }
        lease.end(outcome, at: loop.now.nanoseconds)
        notePlaceFreed()
    }

    /// Tells who waits, if places are scarce.
    private func notePlaceFreed() {
        if worker.balancer.hasLimits { worker.queue.placeWasFreed() }
    }

    /// The backend has the whole request.
    func noteRequestSent() {
        measures.requestSent = loop.now
        lease?.requestSent(at: loop.now.nanoseconds)
    }

    /// The backend's response head has come.
    func noteHead(_ head: ResponseHead) {
        countHead(head)
        lease?.headReceived(status: head.status, at: loop.now.nanoseconds)
    }

    /// Whether nothing was thought to be usable when the present attempt's backend was chosen.
    var isAttemptInPanic: Bool { lease?.wasGivenInPanic ?? false }

    /// Ends the attempt because of something that is not the stream's failure.
    ///
    /// Or the waiting for one.
    func endAttempt(_ outcome: AttemptOutcome) {
        leaveQueue()
        endLease(outcome)
        stream?.cancel()
        stream = nil
    }
}
