// How a stream reads: bytes into buffers, heads and bodies out of them.

internal import CCurl
internal import EventLoop
internal import HTTPWire
internal import MessageIO

extension Stream {
    func receive() {
        let exchange = exchanges
        var reads = 0
        while mayRead, !isPaused, progress != .none, exchange == exchanges {
            guard reads < Stream.readsPerTurn else {
                loop.schedule(self)
                return
            }
            reads += 1
            guard readOnce() else { return }
        }
    }

    /// Reads and hands on once; false when there is nothing more to do for now.
    private func readOnce() -> Bool {
        if progress == .body, let goesOn = spliceOnce() { return goesOn }
        let buffer = takeInbound()
        let wanted = min(buffer.room - Stream.tailroom, Stream.readSize)
        guard wanted > 0 else {
            pool.buffers.give(buffer)
            fail(makeFailure(readPhase, .malformed("head_too_large"), "The backend's head does not fit its buffer."))
            return false
        }
        switch connection.receive(into: buffer, limit: wanted) {
        case .moved(let count):
            wasResponseBegun = true
            // A short read of cleartext means drained: news come with a new event. TLS holds bytes of its own.
            if count < wanted, !isEncrypted, !isPeerClosed { mayRead = false }
            process(buffer)
            return true
        case .wouldBlock:
            mayRead = false
            keep(buffer)
            return false
        case .ended:
            mayRead = false
            isPeerClosed = true
            inputEnded(buffer)
            return false
        case .failed(let code):
            pool.buffers.give(buffer)
            fail(readFailure(makeFailure(readPhase, code)))
            return false
        }
    }

    /// Has a part of a large cleartext body moved on by the kernel; false when there is nothing more to do for now, and nil when the
    /// part has to be read: because it is small, because of TLS, or to learn what libcurl says of a failure.
    private func spliceOnce() -> Bool? {
        guard !isEncrypted, case .length = decoder.framing, let remaining = decoder.remainingLength,
            remaining >= Stream.spliceThreshold, inbound == nil, let pipe = loop.splicePipes.take()
        else { return nil }
        switch pipe.fill(from: descriptor, limit: min(remaining, Stream.spliceSize)) {
        case .moved(let count):
            decoder.skip(count)
            if decoder.isFinished { progress = .none }
            observer?.stream(self, receivedBodyInto: pipe, isEnd: decoder.isFinished)
            return true
        case .wouldBlock:
            loop.splicePipes.give(pipe)
            mayRead = false
            return false
        case .ended, .failed:
            loop.splicePipes.give(pipe)
            return nil
        }
    }

    func takeInbound() -> Buffer {
        guard let buffer = inbound else { return pool.buffers.take(headroom: Stream.headroom) }
        inbound = nil
        return buffer
    }

    /// Holds on to a buffer until more bytes come; an empty one goes back.
    private func keep(_ buffer: Buffer) {
        if buffer.isEmpty { pool.buffers.give(buffer) } else { inbound = buffer }
    }

    func releaseInbound() {
        if let buffer = inbound { pool.buffers.give(buffer) }
        inbound = nil
    }

    func process(_ buffer: Buffer) {
        if progress == .head, !processHead(buffer) { return }
        if progress == .body { processBody(buffer) }
    }

    /// Reads heads until the final one is complete; false when the buffer is kept or gone.
    private func processHead(_ buffer: Buffer) -> Bool {
        let exchange = exchanges
        while true {
            let progress = parser.parse(buffer.elements.span, into: &storedHead)
            if progress == .complete { storedHead.markHopByHop(buffer.elements.span) }
            switch progress {
            case .needMore:
                keep(buffer)
                return false
            case .refused(let refusal):
                pool.buffers.give(buffer)
                fail(makeFailure(.responseHead, .malformed(refusal.rawValue), refusal.explanation))
                return false
            case .complete where head.isInterim && interimResponses >= Stream.maximumInterimResponses:
                pool.buffers.give(buffer)
                fail(makeFailure(.responseHead, .malformed("too_many_interim_responses"), "too many 1xx responses"))
                return false
            case .complete where head.isInterim:
                interimResponses += 1
                observer?.stream(self, receivedInterimHeadIn: buffer)
                guard exchange == exchanges, phase == .connected, self.progress == .head else {
                    pool.buffers.give(buffer)
                    return false
                }
                buffer.start += head.length
                buffer.move(to: Stream.headroom)
                parser.reset()
                storedHead.reset()
                if isPaused {
                    isInboundUnread = !buffer.isEmpty
                    keep(buffer)
                    return false
                }
            case .complete where head.switchesProtocols && !isUpgradeAsked:
                pool.buffers.give(buffer)
                fail(makeFailure(.responseHead, .malformed("unasked_upgrade"), "101 without an Upgrade asked for"))
                return false
            case .complete:
                return processFinalHead(buffer)
            }
        }
    }

    private func processFinalHead(_ buffer: Buffer) -> Bool {
        let exchange = exchanges
        observer?.stream(self, receivedHeadIn: buffer)
        guard exchange == exchanges, phase == .connected, progress == .head else {
            pool.buffers.give(buffer)
            return false
        }
        buffer.start += head.length
        decoder = BodyDecoder(head.switchesProtocols ? .untilClose : head.framing)
        progress = .body
        return true
    }

    private func processBody(_ buffer: Buffer) {
        let decoded = decoder.decode(in: buffer, from: buffer.start, trailers: &trailers)
        switch decoded.state {
        case .refused(let refusal):
            pool.buffers.give(buffer)
            fail(makeFailure(.responseBody, .malformed(refusal.rawValue), refusal.explanation))
        case .finished:
            // Bytes behind the response belong to nobody: whatever they are, this connection is not used again.
            if !decoded.rest.isEmpty { hasStrayBytes = true }
            hand(decoded.content, of: buffer, isEnd: true)
        case .open:
            if !decoded.rest.isEmpty { saveUndecoded(decoded.rest, of: buffer) }
            hand(decoded.content, of: buffer, isEnd: false)
        }
    }

    private func hand(_ content: Range<Int>, of buffer: Buffer, isEnd: Bool) {
        buffer.start = content.lowerBound
        buffer.end = content.upperBound
        if isEnd { progress = .none }
        observer?.stream(self, receivedBodyIn: buffer, isEnd: isEnd)
    }

    /// Puts bytes that wait for more (a trailer section cut in two) aside, since the buffer goes to the observer.
    private func saveUndecoded(_ rest: Range<Int>, of buffer: Buffer) {
        let saved = pool.buffers.take(headroom: Stream.headroom)
        saved.append(UnsafeRawBufferPointer(start: buffer.base + rest.lowerBound, count: rest.count))
        inbound = saved
    }

    private func inputEnded(_ buffer: Buffer) {
        // Sending has met the reset in place of reading: this end is none.
        let isReset = sendFailure != nil
        let isComplete = progress == .body && !isReset && decoder.endOfInput()
        guard isComplete else {
            pool.buffers.give(buffer)
            let text =
                switch (progress, wasResponseBegun) {
                case (.body, _): "the backend closed the connection before the end of the response body"
                case (_, true): "the backend closed the connection in the middle of the response head"
                case (_, false): "the backend closed the connection without an answer"
                }
            fail(readFailure(makeFailure(readPhase, .closed, text)))
            return
        }
        progress = .none
        buffer.end = buffer.start
        observer?.stream(self, receivedBodyIn: buffer, isEnd: true)
    }
}
