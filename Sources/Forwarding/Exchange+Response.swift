// The way back: the response's head and body to the client.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO
internal import Telemetry
internal import Upstream

extension Exchange {
    func stream(_ stream: Stream, receivedInterimHeadIn buffer: Buffer) {
        let head = stream.head
        // Clients of HTTP/1.0 know no interim responses (RFC 9110 section 15.2); a 100 in place of which we sent our own is dropped.
        guard reader.head.minorVersion >= 1, head.status != 100 || !(isContinueSent || hedge != nil) else { return }
        if head.status == 100 { isContinueAwaited = false }
        // Whose word has gone to the client is the one that is waited for.
        if hedge != nil { outrunHedge() }
        let output = worker.responseBuffers.take()
        ClientResponse.writeInterim(head, from: buffer.bytesStart, to: output)
        isInterimForwarded = true
        sendInterim(output)
    }

    /// Sends a 100 of our own: the backend has not said anything about it in time.
    func sendOwnContinue() {
        isContinueAwaited = false
        isContinueSent = true
        let output = worker.responseBuffers.take()
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
        sendInterim(output)
    }

    private func sendInterim(_ output: Buffer) {
        refreshDeadline()
        guard !client.send(output) else { return }
        takenMark = client.bytesTaken
        stream?.pause()
    }

    func stream(_ stream: Stream, receivedHeadIn buffer: Buffer) {
        let head = stream.head
        if head.switchesProtocols, !isRequestSent || !reader.asked(forUpgradeIn: head, at: buffer.bytesStart) {
            record(
                .protocolError,
                isRequestSent ? "101 to a protocol that was not asked for" : "101 before the request's end"
            )
            endAttempt(.failed)
            giveUp(.protocolError)
            return
        }
        noteHead(head)
        if head.status >= 400, hedge != nil || worker.retryPolicy.conditions.hasStatuses, setsAside(head, from: buffer)
        {
            return
        }
        if isHedged { settleHedge() }
        giveRetryPlaceBack()
        let minorVersion = reader.head.minorVersion
        status = head.status
        framing = ClientResponse.framing(of: head, clientMinorVersion: minorVersion)
        if framing == .untilClose || framing == .tunnel || worker.isDraining { keepAlive = false }
        // Before the request's end: after an error, or when the client may never send its body, the rest is not waited for.
        if !reader.isBodyComplete, head.status >= 400 || isContinueAwaited { keepAlive = false }
        isContinueAwaited = false
        let scratch = worker.headScratch
        scratch.reset()
        ClientResponse.write(
            head,
            from: buffer.bytesStart,
            framing: framing,
            clientMinorVersion: minorVersion,
            acceptsTrailers: reader.head.acceptsTrailers,
            keepAlive: keepAlive,
            date: head.fields.contains(.date) || framing == .tunnel ? nil : worker.clock.dateFieldValue(),
            panicAt: isAttemptInPanic ? worker.settings.name : nil,
            to: scratch,
            adding: appendClientFields
        )
        response = .headPending
    }

    func stream(_ stream: Stream, receivedBodyIn buffer: Buffer, isEnd: Bool) {
        guard response != .discarded else {
            discardBody(buffer, isEnd: isEnd)
            return
        }
        bytesOut += UInt64(buffer.count)
        countDownload(buffer.count)
        if framing == .chunked {
            buffer.frameAsChunk(isLast: isEnd, trailers: reader.head.acceptsTrailers ? stream.trailerLines : [])
        }
        if response == .headPending {
            beginResponse()
            // Right in front of the body: the received head stood there, and what we add to it fits the headroom.
            buffer.prepend(worker.headScratch.bytes)
        }
        if isEnd { if isTunnel { response = .complete } else { responseEnded() } }
        refreshDeadline()
        bodyWasSent(isDrained: client.send(buffer), isEnd: isEnd)
    }

    func stream(_ stream: Stream, receivedBodyInto pipe: SplicePipe, isEnd: Bool) {
        bytesOut += UInt64(pipe.count)
        countDownload(pipe.count)
        if isEnd { responseEnded() }
        refreshDeadline()
        bodyWasSent(isDrained: client.send(pipe), isEnd: isEnd)
    }

    /// A part of the body has been handed to the client.
    private func bodyWasSent(isDrained: Bool, isEnd: Bool) {
        switch (isDrained, isEnd) {
        case (false, true):
            watchResponseBody()
        case (false, false):
            stream?.pause()
            watchResponseBody()
        case (true, true): responseHasLeft()
        case (true, false): if isTunnel { pumpRequest() }
        }
    }

    private func beginResponse() {
        response = .begun
        requestEnd = .never
        hedgeDue = .never
        firstByteTime = loop.now
        progress.close()
        if framing == .tunnel {
            beginTunnel()
        } else if isRequestSent {
            releaseOutbound()
        }
        countFirstByte()
    }

    /// The last byte that comes from the backend has left for the client.
    private func responseHasLeft() {
        if !isTunnel {
            finish()
        } else if isRequestSent {
            endTunnel()
        } else {
            // The backend has ended its sending; the client may still have something to say.
            client.endSending()
            pumpRequest()
        }
    }

    /// Both directions of a tunnel have ended, or the second cannot be waited for.
    func endTunnel() {
        response = .complete
        guard !client.hasPendingOutput else { return }
        endAttempt(.answered)
        finish()
    }

    /// The backend takes no more of a tunnel's bytes.
    func breakTunnel(_ failure: StreamFailure) {
        let row = ExchangeFailure(failure)
        endAttempt(.failed)
        cut(row)
    }

    func responseIsMoving() { refreshDeadline() }

    func responseIsDrained() {
        if isResponseBegun { progress.close() }
        if response == .complete {
            responseHasLeft()
            return
        }
        refreshDeadline()
        stream?.unpause()
        if isTunnel { pumpRequest() }
    }
}
