// The way upstream: the request's head and body into the stream.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO
internal import Upstream

extension Exchange {
    /// Body bytes kept for another attempt.
    static let replayLimit = 65536
    /// Body reads in one go before other connections get their turn.
    private static let readsPerTurn = 8

    var hasBody: Bool { reader.head.framing != .none && reader.head.framing != .length(0) }

    /// Prepares what goes upstream: the head, and body bytes that came along.
    ///
    /// - Returns: why the body is refused, if that can be seen already.
    func beginRequest() -> ChunkedRefusal? {
        // What follows the head of an upgrade is the new protocol's; a body in between has no place (RFC 9110 section 7.8).
        isUpgradeAsked = reader.head.wantsUpgrade && !hasBody
        isBodyTaken = !hasBody
        guard hasBody else { return nil }
        writeHead()
        isContinueAwaited = reader.head.expectsContinue
        return takeBufferedBody()
    }

    /// Writes the head for the next attempt, unless it stands in the outbound buffer still.
    ///
    /// A request without a body keeps no buffer while it waits for its response; the reader has what it is written from.
    func writeHead() {
        guard outbound == nil else { return }
        let buffer = worker.requestBuffers.take()
        outbound = buffer
        headLength = writeHead(to: buffer, host: hostField, span: trace.attempt.span)
    }

    /// Writes the whole request for another attempt: its head, and the body, which is at hand.
    ///
    /// - Returns: the head's length.
    func writeWhole(to buffer: Buffer, host: String?, span: UInt64) -> Int {
        let length = writeHead(to: buffer, host: host, span: span)
        guard hasBody else { return length }
        guard let outbound, isBodyTaken, isReplayable else { preconditionFailure("a body is at hand to be sent again") }
        buffer.append(UnsafeRawBufferPointer(rebasing: outbound.bytes[headLength...]))
        if case .length(let announced) = reader.head.framing {
            precondition(buffer.count - length == announced, "a body is as long as its head says")
        }
        return length
    }

    /// Writes the head as a backend gets it.
    ///
    /// - Parameters:
    ///   - host: the `Host` in it; nil for the client's.
    ///   - span: the attempt's in the trace, if it is recorded.
    /// - Returns: its length.
    func writeHead(to buffer: Buffer, host: String?, span: UInt64) -> Int {
        requestID.withText { text in
            UpstreamRequest(
                reader: reader,
                peer: client.peer,
                isPeerTrusted: client.isTrusted,
                addsForwarded: worker.settings.addsForwarded,
                requestID: text,
                isRequestIDNew: requestID.isOurs,
                isUpgradeAsked: isUpgradeAsked,
                proxyName: worker.settings.name,
                defaultHost: worker.settings.name,
                hostField: host,
                traceContext: trace.replacement(for: span),
                beginsTrace: trace.isNew
            ).write(to: buffer)
        }
        return buffer.count
    }

    /// Goes over to the `Host` of the next attempt's backend, and to its span: a head that has been written for another attempt is
    /// written anew, and body bytes behind it are kept.
    func useHost(_ host: String?) {
        guard host != hostField || trace.isRecorded && attemptCount > 0 else { return }
        hostField = host
        guard let former = outbound else { return }
        let buffer = worker.requestBuffers.take()
        outbound = buffer
        let kept = UnsafeRawBufferPointer(rebasing: former.bytes[headLength...])
        headLength = writeHead(to: buffer, host: host, span: trace.attempt.span)
        buffer.append(kept)
        worker.requestBuffers.give(former)
    }

    /// Takes what arrived in one read with the head, so that both go out in one send.
    ///
    /// The outbound buffer has room for it.
    private func takeBufferedBody() -> ChunkedRefusal? {
        switch client.bufferedBody() {
        case .content(let isEnd): takeContent(isEnd: isEnd)
        case .end: takeBodyEnd()
        case .pending, .gone: break
        case .refused(let refusal): return refusal
        }
        return nil
    }

    private var isChunked: Bool { reader.head.framing == .chunked }

    /// Copies the reader's content into the outbound buffer.
    private func takeContent(isEnd: Bool) {
        guard let outbound else { preconditionFailure("an exchange at work has an outbound buffer") }
        let content = reader.content
        if isChunked { outbound.appendChunk(content) } else { outbound.append(content) }
        reader.consume(content.count)
        if isEnd { takeBodyEnd() } else { stopAwaitingContinue() }
    }

    /// The body is coming, or is over: the client waits for no word about it.
    private func stopAwaitingContinue() {
        guard isContinueAwaited else { return }
        isContinueAwaited = false
        // The time that it would have waited is not the one that counts any more.
        if stream != nil { refreshDeadline() }
    }

    func streamIsWritable(_ stream: Stream) {
        measures.noteConnection(of: stream)
        if !isRequestSent { pumpRequest() }
    }

    func bodyIsReadable() {
        if !isRequestSent { pumpRequest() }
    }

    /// Sends what there is to send, reads more of the body, and so on until one side has to wait.
    func pumpRequest() {
        guard let stream, stream.isConnected, !isRequestSent else { return }
        if !hasBody, !isTunnel { writeHead() }
        var reads = 0
        while true {
            guard sendOutbound(on: stream) else {
                waitForBackend()
                return
            }
            if isBodyTaken {
                requestIsSent()
                return
            }
            guard reads < Exchange.readsPerTurn else {
                client.yieldBody()
                return
            }
            reads += 1
            switch client.readBody() {
            case .content(let isEnd):
                countUpload()
                if mayKeepForReplay {
                    takeContent(isEnd: isEnd)
                } else if !sendContent(on: stream, isEnd: isEnd) {
                    waitForBackend()
                    return
                }
            case .end:
                takeBodyEnd()
            case .pending:
                watchRequestBody()
                return
            case .gone:
                clientHasLeft()
                return
            case .refused(let refusal):
                refuseBody(refusal)
                return
            }
        }
    }

    /// The backend takes no more for now: the client is not to blame for the time that passes.
    private func waitForBackend() {
        guard progress.isOpen, !isResponseBegun else { return }
        progress.close()
        refreshDeadline()
    }

    /// Sends the rest of the outbound buffer; false when it cannot all go now.
    ///
    /// A tunnel has none.
    private func sendOutbound(on stream: Stream) -> Bool {
        guard let outbound else {
            precondition(isTunnel, "a request that has not been sent is at hand")
            return true
        }
        while sent < outbound.count {
            let rest = UnsafeRawBufferPointer(rebasing: outbound.bytes[sent...])
            guard let count = send(rest, on: stream) else { return false }
            sent += count
        }
        return true
    }

    /// Sends bytes as far as the stream takes them now; nil when it takes none, or has failed.
    private func send(_ bytes: UnsafeRawBufferPointer, on stream: Stream) -> Int? {
        switch stream.send(bytes) {
        case .moved(let count):
            // What the client does not take of a response is not made up for by what it sends.
            if isTunnel || !isResponseBegun || !client.hasPendingOutput { refreshDeadline() }
            return count
        case .wouldBlock:
            return nil
        case .failed(let failure) where isTunnel:
            breakTunnel(failure)
            return nil
        case .failed(let failure):
            // The backend may have answered before it stopped reading.
            stream.receiveAfterSendFailure(failure)
            return nil
        }
    }

    /// Whether the content in the reader fits beside what is kept for another attempt.
    private var mayKeepForReplay: Bool {
        guard isReplayable, let outbound else { return false }
        let count = reader.content.count
        return reader.bodyBytes <= UInt64(Exchange.replayLimit)
            && outbound.room >= count + UpstreamRequest.bodyFraming + UpstreamRequest.maximumHost
    }

    /// Sends content from where it stands: a body too large to be kept.
    ///
    /// False when it cannot all go now.
    private func sendContent(on stream: Stream, isEnd: Bool) -> Bool {
        isReplayable = false
        stopAwaitingContinue()
        if isChunked, !isContentFramed {
            reader.frameContentAsChunk()
            isContentFramed = true
        }
        while !reader.content.isEmpty {
            guard let count = send(reader.content, on: stream) else { return false }
            reader.consume(count)
        }
        isContentFramed = false
        isBodyTaken = isEnd
        return true
    }

    /// The body has ended without further content.
    private func takeBodyEnd() {
        isBodyTaken = true
        stopAwaitingContinue()
        guard isChunked, let outbound else { return }
        if !isReplayable {
            outbound.reset()
            sent = 0
        }
        outbound.appendLastChunk(trailers: reader.trailerLines)
    }

    private func requestIsSent() {
        isRequestSent = true
        if !isResponseBegun { progress.close() }
        if isTunnel {
            tunnelHalfEnded()
            return
        }
        if response == .awaited { noteRequestSent() }
        if client.hasClientLeft {
            clientHasLeft()
            return
        }
        if isResponseBegun || !hasBody { releaseOutbound() }
        if response == .awaited { scheduleHedge(since: loop.now) }
        refreshDeadline()
    }

    /// The backend has switched protocols: from now on bytes are passed on as they come, both ways.
    func beginTunnel() {
        isTunnel = true
        countTunnel()
        releaseOutbound()
        isReplayable = false
        isRequestSent = false
        isBodyTaken = false
        client.beginTunnel()
    }

    /// The client has ended its sending in a tunnel.
    private func tunnelHalfEnded() {
        refreshDeadline()
        if response == .complete || stream?.endSending() != true { endTunnel() }
    }
}
