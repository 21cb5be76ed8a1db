// How an exchange ends: with the backend's response, an answer of our own, a cut, or nobody left to answer.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    func clientIsGone() {
        // To close is how a tunnel ends; with bytes on their way it was cut.
        let isOrderly = isTunnel && !client.hasPendingOutput
        endAttempt(isOrderly ? .answered : .abandoned)
        failure = isOrderly ? nil : .clientGone
        end()
    }

    func processStops() {
        // What may have reached a backend may have been done: nobody is to send it again because of us.
        let isUnderWay = stream?.wasRequestSent == true || hedge?.stream?.wasRequestSent == true
        if isUnderWay, !isResponseBegun { record(.stoppedInFlight, "the balancer ended before the answer") }
        endAttempt(.abandoned)
        keepAlive = false
        giveUp(isUnderWay ? .stoppedInFlight : .shuttingDown)
    }

    /// The client was found to have left while its request was being read.
    func clientHasLeft() {
        let client = client
        clientIsGone()
        client.abort()
    }

    /// The request's body cannot be understood.
    func refuseBody(_ refusal: ChunkedRefusal) {
        endAttempt(.abandoned)
        keepAlive = false
        giveUp(.refusedBody(refusal))
    }

    /// Tells the client of a failure: by an answer, or if one has begun already, by breaking it off.
    func giveUp(_ row: ExchangeFailure) {
        // An interim response that has not left keeps the answer from being sent: only the end of the connection is left.
        if isResponseBegun || client.hasPendingOutput { cut(row) } else { answer(row) }
    }

    /// Breaks the response off so that it cannot look complete.
    func cut(_ row: ExchangeFailure) {
        failure = row
        let client = client
        end()
        client.abort()
    }

    /// Answers with a page of our own.
    func answer(_ row: ExchangeFailure) {
        var row = row
        var pause: UInt64 = 1
        if let setAside, row.isOfAttempt || row.isOfWaiting {
            // A backend has answered, and has been passed over for others that have not: the client is told what it has said.
            row = .setAside(status: setAside.status)
            pause = setAside.retryAfter ?? pause
        } else if row.isUnreached, worker.balancer.snapshot.isPanic {
            // When no backend was thought to be usable, and none could be reached, that is the reason.
            row = .noBackend
        }
        failure = row
        responder = nil
        let buffer = worker.responseBuffers.take()
        let head = reader.head
        keepAlive = keepAlive && reader.isBodyComplete && !worker.isDraining
        let page = FailureResponse(
            failure: row,
            format: worker.pageFormat(for: reader),
            requestID: requestID.text,
            proxyName: worker.settings.name,
            date: worker.clock.dateFieldValue(),
            clientMinorVersion: refusal == nil ? head.minorVersion : 1,
            isHeadOnly: head.method == .head,
            keepAlive: keepAlive,
            retryAfter: pause,
            attempts: standing.isTrusted ? failedAttempts : [],
            explanation: standing.explanations.last?.text
        )
        bytesOut = UInt64(page.write(to: buffer))
        send(buffer, status: row.status)
    }

    /// Ends the way of a request that says it goes no further (RFC 9110 section 7.6.2).
    func endHere() {
        guard reader.head.method == .trace else {
            answer(.noForwardsLeft)
            return
        }
        let buffer = worker.responseBuffers.take()
        keepAlive = keepAlive && reader.isBodyComplete && !worker.isDraining
        let response = TraceResponse(
            reader: reader,
            requestID: requestID.bytes,
            date: worker.clock.dateFieldValue(),
            keepAlive: keepAlive
        )
        bytesOut = UInt64(response.write(to: buffer))
        send(buffer, status: 200)
    }

    /// Sends a whole answer of our own.
    private func send(_ buffer: Buffer, status: Int) {
        self.status = status
        response = .complete
        requestEnd = .never
        hedgeDue = .never
        firstByteTime = loop.now
        progress.close()
        client.setDeadline(loop.now + worker.settings.writeTimeout)
        if client.send(buffer) { finish() } else { watchResponseBody() }
    }

    /// The response is complete and has left.
    func finish() {
        let client = client
        let keepAlive = keepAlive
        end()
        client.finishExchange(keepAlive: keepAlive)
    }

    /// A backend's response is complete.
    func responseEnded() {
        endLease(.answered)
        stream?.finish(reusable: isRequestSent)
        stream = nil
        failure = isRequestSent ? nil : .requestNotTaken
        response = .complete
    }

    /// Leaves what the log line tells, and goes back to the stock.
    func end() {
        let reader = reader
        let isLogged = worker.log.isOn
        // The request has not been looked at since it was sent: it comes from afar while the exchange is counted.
        if isLogged { reader.prefetchHead() }
        // An exchange that is over asks nobody.
        if hedge != nil { endHedge(.abandoned) }
        countEnd(reader)
        if let failure, failure.isFailure { feed(failure) }
        if isRetryBudgetExhausted { worker.meter.failure(ExchangeFailure.retryBudgetExhausted.label) }
        giveRetryPlaceBack()
        if isLogged { log(reader) }
        endTrace()
        releaseOutbound()
        worker.retire(self)
    }

    func releaseOutbound() {
        if let buffer = outbound { worker.requestBuffers.give(buffer) }
        outbound = nil
    }
}
