// The way back: the response's head and body to the client.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO
internal import Upstream

extension Exchange {
    func stream(_ stream: Stream, receivedInterimHeadIn buffer: Buffer) {
        let head = stream.head
        // Clients of HTTP/1.0 know no interim responses (RFC 9110 section 15.2); a 100 that nobody waits for is dropped.
        guard reader.head.minorVersion >= 1, head.status != 100 || isContinueAwaited else { return }
        if head.status == 100 { isContinueAwaited = false }
        let output = worker.responseBuffers.take()
        ClientResponse.writeInterim(head, from: buffer.bytesStart, to: output)
        sendInterim(output)
    }

    /// Sends a 100 of our own: the backend has not said anything about it in time.
    func sendOwnContinue() {
        isContinueAwaited = false
        let output = worker.responseBuffers.take()
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
        sendInterim(output)
    }

    private func sendInterim(_ output: Buffer) {
        isInterimSent = true
        refreshDeadline()
        if !client.send(output) { stream?.pause() }
    }

    func stream(_ stream: Stream, receivedHeadIn buffer: Buffer) {
        let head = stream.head
        let minorVersion = reader.head.minorVersion
        isContinueAwaited = false
        status = head.status
        framing = ClientResponse.framing(of: head, clientMinorVersion: minorVersion)
        if framing == .untilClose || worker.isDraining { keepAlive = false }
        // An error that comes before the request's end: the rest of the body is not waited for.
        if !isRequestSent, head.status >= 400 { keepAlive = false }
        let scratch = worker.headScratch
        scratch.reset()
        ClientResponse.write(
            head,
            from: buffer.bytesStart,
            framing: framing,
            clientMinorVersion: minorVersion,
            keepAlive: keepAlive,
            to: scratch
        )
        isHeadPending = true
        isResponseBegun = true
        firstByteTime = loop.now
        if isRequestSent { releaseOutbound() }
    }

    func stream(_ stream: Stream, receivedBodyIn buffer: Buffer, isEnd: Bool) {
        bytesOut += UInt64(buffer.count)
        if framing == .chunked { buffer.frameAsChunk(isLast: isEnd) }
        if isHeadPending {
            isHeadPending = false
            // Right in front of the body: the received head stood there, and what we add to it fits the headroom.
            buffer.prepend(worker.headScratch.bytes)
        }
        if isEnd { responseEnded() }
        refreshDeadline()
        let isDrained = client.send(buffer)
        if isEnd {
            if isDrained { finish() }
        } else if !isDrained {
            stream.pause()
        }
    }

    func responseIsDrained() {
        if isResponseComplete {
            finish()
            return
        }
        refreshDeadline()
        stream?.unpause()
    }
}
