// Attempts: which backend is asked, and whether another one is when that fails.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    func attemptNext() {
        let balancer = worker.balancer
        let key = balancer.hashKey.flatMap { reader.hash(of: $0, peer: client.peer) }
        guard let lease = balancer.acquire(excluding: tried, at: loop.now.nanoseconds, key: key) else {
            giveUp(failure ?? (balancer.isFull(excluding: tried) ? .backendsFull : .noBackend))
            return
        }
        tried.insert(lease.backend.index)
        wasFreshConnectionTried = false
        begin(lease, fresh: false)
    }

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
        if response == .headPending {
            // Its body was broken from the first byte on: none of it has left.
            response = .awaited
            status = 0
        }
        let row = ExchangeFailure(streamFailure)
        record(row, streamFailure.text)
        if row == .openFileLimit {
            // Ours: no backend is to blame, and none other can be reached either.
            endLease(.abandoned)
            giveUp(row)
            return
        }
        let decision = worker.retryPolicy.decide(
            after: streamFailure,
            RetryPolicy.Situation(
                isIdempotent: reader.head.method.isIdempotent,
                isReplayable: isReplayable,
                isResponseBegun: isResponseBegun || isInterimForwarded,
                retries: retries,
                wasFreshConnectionTried: wasFreshConnectionTried
            )
        )
        switch decision {
        case .sameBackend:
            // A connection that died of old age says nothing about the backend: the lease goes on.
            guard let lease = lease.take() else { preconditionFailure("a stream in use is leased") }
            wasFreshConnectionTried = true
            begin(lease.again(), fresh: true)
        case .nextBackend:
            endLease(.failed)
            retries += 1
            attemptNext()
        case .giveUp:
            endLease(.failed)
            giveUp(row)
        }
    }

    func record(_ row: ExchangeFailure, _ text: String) {
        failure = row
        countFailure(row)
        failedAttempts.append(
            AccessLogAttempt(
                backend: lease?.backend.name ?? "-",
                reason: row.label,
                text: text,
                nanoseconds: loop.now.since(attemptStart)
            )
        )
    }

    func endLease(_ outcome: AttemptOutcome) { lease.take()?.end(outcome, at: loop.now.nanoseconds) }

    /// The backend has the whole request.
    func noteRequestSent() {
        measures.requestSent = loop.now
        lease?.requestSent(at: loop.now.nanoseconds)
    }

    /// The backend's response head has come.
    func noteHead(_ head: ResponseHead) {
        countHead(head)
        lease?.headReceived(at: loop.now.nanoseconds)
    }

    /// Ends the attempt because of something that is not the stream's failure.
    func endAttempt(_ outcome: AttemptOutcome) {
        endLease(outcome)
        stream?.cancel()
        stream = nil
    }
}
