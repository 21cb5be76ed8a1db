// One accepted connection: requests in, responses out, in order.

internal import CLinux
public import EventLoop
internal import HTTPWire

/// A client's connection.
///
/// Loop thread only.
///
/// Registered once, edge-triggered. While it waits for a request it holds no buffer.
public final class ClientConnection: EventHandler {
    private enum Phase {
        /// Waiting for (the rest of) a request head. Next: `exchanging`, `closed`.
        case readingHead
        /// A request is being answered. Next: `readingHead`, `discarding`, `lingering`, `closed`.
        case exchanging
        /// The answer is out; the rest of the request is read and dropped, so that another can follow. Next: `readingHead`,
        /// `lingering`, `closed`.
        case discarding
        /// The answer is out, but the client still sends: its bytes are read and dropped, so that the close does not reset
        /// the connection under the answer (RFC 9112 section 9.6). Next: `closed`.
        case lingering
        /// Terminal.
        case closed
    }

    /// How long a client may go on sending after its answer in all, and how long it may pause.
    private static let lingerNanoseconds: UInt64 = 30_000_000_000
    private static let lingerPause: UInt64 = 5_000_000_000
    /// Bytes dropped in one go before other connections get their turn.
    private static let dropsPerTurn = 1 << 20

    private let resources: FrontResources
    /// Who is connected.
    public let peer: PeerAddress
    /// Whether it is a proxy that is believed about its clients.
    public private(set) var isTrusted: Bool
    /// In which counts the connection stands.
    public let admission: ConnectionAdmission
    /// The handler's place for the connection in its list.
    public var listIndex = -1

    private var phase = Phase.readingHead
    private var exchange: (any ClientExchange)?
    /// What answers the request at hand; nil between requests.
    public var currentExchange: (any ClientExchange)? { exchange }
    private var currentReader: RequestReader?
    private var output: Buffer?
    /// What is to be sent when there is no ``output``.
    private var pipedOutput: SplicePipe?
    private var mayRead = true
    private var isPeerClosed = false
    /// Whether sending has failed: the client is gone.
    private var isBroken = false
    private var isBodyAwaited = false
    /// Whether the reader holds bytes of a pipelined request that nobody has looked at.
    private var isInputUnparsed = false
    /// When dropping what the client still sends has to end.
    private var lingerEnd = MonotonicTime.never
    /// How many bytes have been dropped since the last answer.
    private var dropped = 0
    /// Requests begun since something was last read: they arrived together.
    private var pipelined = 0
    /// Response bytes given to the kernel.
    private var bytesSent: UInt64 = 0

    /// Takes over an accepted, non-blocking socket; nil, and the socket closed, when the kernel cannot watch it.
    public init?(_ socket: AcceptedSocket, resources: FrontResources) {
        self.resources = resources
        peer = socket.peer
        isTrusted = resources.settings.trusted.contains(socket.peer)
        admission = socket.admission
        super.init(loop: resources.loop)
        let interest: Readiness = [.readable, .writable, .peerClosed]
        guard loop.register(self, descriptor: socket.descriptor, interest: interest, edgeTriggered: true) else {
            phase = .closed
            socket.close()
            return nil
        }
        setDeadline(loop.now + resources.settings.idleNanoseconds)
    }

    /// Begins to serve the connection, or tells it that it is one too many.
    public func start() {
        guard let refusal = admission.refusal else { return }
        currentReader = resources.takeReader()
        refuse(.tooManyConnections(refusal))
    }

    /// Looks anew whether the peer is believed, for the requests that come from now on.
    public func judgeTrust() { isTrusted = resources.settings.trusted.contains(peer) }

    deinit { assert(phase == .closed, "a connection is closed before it goes away") }

    /// Whether no request has begun to arrive.
    public var isIdle: Bool { phase == .readingHead && currentReader == nil }

    /// Whether the connection is over.
    public var isClosed: Bool { phase == .closed }

    /// The current request.
    public var reader: RequestReader {
        guard let currentReader else { preconditionFailure("a request is being answered") }
        return currentReader
    }

    // MARK: Events

    public override func ready(_ readiness: Readiness) {
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .hungUp, .failed]) { mayRead = true }
        if !readiness.isDisjoint(with: [.peerClosed, .hungUp, .failed]) { isPeerClosed = true }
        switch phase {
        case .readingHead: if mayRead { readHead() }
        case .exchanging: exchangeReady(readiness)
        case .discarding: if mayRead { discardBody() }
        case .lingering: if mayRead { linger() }
        case .closed: break
        }
    }

    public override func resume() {
        switch phase {
        case .readingHead:
            if isInputUnparsed { parseHead() } else if mayRead { readHead() }
        case .exchanging:
            if isBroken { clientIsGone() } else if isBodyAwaited { awaitedBodyIsReadable() }
        case .discarding:
            discardBody()
        case .lingering:
            linger()
        case .closed: break
        }
    }

    public override func deadlineReached() {
        switch phase {
        case .readingHead:
            // An idle connection ends without a word; a head that never came to its end is told so.
            if let reader = currentReader, reader.hasInput { refuse(.timedOut) } else { close() }
        case .exchanging:
            exchange?.deadlineReached()
        case .discarding:
            endAfterResponse()
        case .lingering:
            close()
        case .closed:
            break
        }
    }

    private func exchangeReady(_ readiness: Readiness) {
        // In a tunnel both ends may have ended their sending while bytes still wait to be read.
        let isGone = readiness.contains(.failed) || (readiness.contains(.hungUp) && currentReader?.isTunnel != true)
        if isGone {
            clientIsGone()
            return
        }
        if readiness.contains(.writable), hasPendingOutput {
            flush()
            guard phase == .exchanging else { return }
        }
        if mayRead, isBodyAwaited, !isHeld {
            awaitedBodyIsReadable()
        } else if hasClientLeft {
            clientIsGone()
        }
    }

    private func awaitedBodyIsReadable() {
        isBodyAwaited = false
        exchange?.bodyIsReadable()
    }

    private func clientIsGone() {
        exchange?.clientIsGone()
        // Should the client still be reading, it must not take a cut response for a whole one.
        Socket.resetOnClose(descriptor)
        close()
    }

    // MARK: Request heads

    private func readHead() {
        let reader: RequestReader
        if let currentReader {
            reader = currentReader
        } else {
            reader = resources.takeReader()
            currentReader = reader
        }
        let wasEmpty = !reader.hasInput
        switch receiveHead(reader) {
        case .moved:
            pipelined = 0
            // The head's time runs from its first byte; further drips do not extend it.
            if wasEmpty { setDeadline(loop.now + resources.settings.headNanoseconds) }
            parseHead()
        case .wouldBlock:
            mayRead = false
            if wasEmpty { releaseReader() }
        case .ended, .failed:
            close()
        }
    }

    /// Reads into the small buffer, and on into a large one when that is full: what comes with a head is looked at with it.
    private func receiveHead(_ reader: RequestReader) -> SocketResult {
        let wanted = reader.makeRoomForHead()
        let result = Socket.receive(descriptor, into: reader.buffer, limit: wanted)
        guard case .moved(let count) = result else { return result }
        guard count == wanted else {
            if !isPeerClosed { mayRead = false }
            return result
        }
        if reader.isSmall {
            let rest = reader.makeRoomForHead()
            switch Socket.receive(descriptor, into: reader.buffer, limit: rest) {
            case .moved(let count): if count < rest, !isPeerClosed { mayRead = false }
            case .wouldBlock: mayRead = false
            // Met again by the next read.
            case .ended, .failed: break
            }
        }
        return result
    }

    private func parseHead() {
        let reader = reader
        isInputUnparsed = false
        switch reader.parseHead() {
        case .complete where pipelined == resources.settings.maximumPipelined:
            refuse(.tooManyPipelined)
        case .complete:
            pipelined += 1
            reader.beginBody()
            phase = .exchanging
            begin(resources.handler.beginExchange(on: self))
        case .refused(let refusal):
            refuse(.malformed(refusal))
        case .needMore:
            // In the next turn: a head that is longer than one read must not hold up the others.
            if mayRead { loop.schedule(self) }
        }
    }

    private func refuse(_ reason: RequestRefused) {
        phase = .exchanging
        begin(resources.handler.beginExchange(on: self, refusing: reason))
    }

    private func begin(_ exchange: any ClientExchange) {
        self.exchange = exchange
        isBodyAwaited = false
        if hasClientLeft { clientIsGone() } else { exchange.start() }
    }

    /// Whether the client has ended its sending, and nothing that it sent is left to be read.
    ///
    /// Such a client has left, as for nginx and Go: see docs/decisions/0001.
    public var hasClientLeft: Bool {
        isPeerClosed && currentReader?.isTunnel != true && (isHeld || currentReader?.isBodyComplete ?? true)
    }

    /// Whether the exchange reads nothing for now, as while it waits for its turn: a client that has ended its sending has left,
    /// whatever of its request is still to be read.
    public var isHeld = false

    // MARK: For the exchange: the request body

    /// Decodes what has been received, without reading from the socket.
    public func bufferedBody() -> BodyRead { reader.decodeBody() }

    /// Reads more of the request body.
    ///
    /// After `.pending` the exchange is told when to ask again.
    public func readBody() -> BodyRead {
        let reader = reader
        while true {
            let read = reader.decodeBody()
            guard case .pending = read else { return read }
            guard mayRead else {
                isBodyAwaited = true
                return .pending
            }
            let wanted = reader.makeRoomForBody()
            switch Socket.receive(descriptor, into: reader.buffer, limit: wanted) {
            case .moved(let count):
                pipelined = 0
                if count < wanted, !isPeerClosed { mayRead = false }
            case .wouldBlock:
                mayRead = false
            case .ended where reader.isTunnel:
                mayRead = false
                reader.endTunnel()
            case .ended, .failed:
                isPeerClosed = true
                return .gone
            }
        }
    }

    /// Turns the connection into a tunnel: after a 101, all further bytes from the client are read as body content, and its
    /// end of sending is the content's end.
    public func beginTunnel() { reader.beginTunnel() }

    /// Ends our sending in a tunnel, once all response bytes have left; the client may go on sending.
    public func endSending() { Socket.shutDownWriting(descriptor) }

    /// Lets the exchange be called again for the body in the next turn: bounded work per turn.
    public func yieldBody() {
        isBodyAwaited = true
        loop.schedule(self)
    }

    // MARK: For the exchange: the response

    /// Whether response bytes wait for the client to take them.
    public var hasPendingOutput: Bool { output != nil || pipedOutput != nil }

    /// Response bytes that have reached the client.
    ///
    /// Asks the kernel, since a socket becomes writable again only when a third of its buffer is free: for a slow client that takes
    /// minutes in which it does move.
    /// Of a Unix-domain socket it can only say how much memory waits, so that there what it has taken counts.
    public var bytesTaken: UInt64 {
        peer.family == .unix ? bytesSent : bytesSent - min(bytesSent, UInt64(Socket.unacknowledged(descriptor)))
    }

    /// Sends a buffer's region; the buffer is the connection's from now on.
    ///
    /// - Returns: true when all of it has left; otherwise the exchange sends no more until it is told that it is drained.
    public func send(_ buffer: Buffer) -> Bool {
        precondition(!hasPendingOutput && phase == .exchanging, "one buffer at a time, during an exchange")
        output = buffer
        return write()
    }

    /// Sends what is in a pipe, as the other ``send(_:)`` does.
    public func send(_ pipe: SplicePipe) -> Bool {
        precondition(!hasPendingOutput && phase == .exchanging, "one pipe at a time, during an exchange")
        pipedOutput = pipe
        return write()
    }

    private func flush() {
        let sent = bytesSent
        if write() {
            exchange?.responseIsDrained()
        } else if bytesSent != sent {
            exchange?.responseIsMoving()
        }
    }

    /// Writes what is pending; true when nothing is left.
    private func write() -> Bool {
        if let buffer = output {
            while !buffer.isEmpty {
                guard hasMoved(Socket.send(descriptor, from: buffer)) else { return false }
            }
            output = nil
            resources.responseBuffers.give(buffer)
        } else if let pipe = pipedOutput {
            while pipe.count > 0 {
                guard hasMoved(pipe.drain(to: descriptor)) else { return false }
            }
            pipedOutput = nil
            loop.splicePipes.give(pipe)
        }
        return true
    }

    /// Takes note of what came of sending; true when something was sent.
    private func hasMoved(_ result: SocketResult) -> Bool {
        switch result {
        case .moved(let count):
            bytesSent &+= UInt64(count)
            return true
        case .wouldBlock:
            return false
        case .ended, .failed:
            // The exchange is told in the next turn, not from inside its own call; until then it waits.
            isBroken = true
            loop.schedule(self)
            return false
        }
    }

    /// Ends the exchange; all response bytes have been handed over and have left.
    ///
    /// - Parameter keepAlive: whether another request may follow on the connection.
    public func finishExchange(keepAlive: Bool) {
        precondition(phase == .exchanging && !hasPendingOutput, "the response has left")
        exchange = nil
        isBodyAwaited = false
        guard keepAlive, !isPeerClosed else {
            endAfterResponse()
            return
        }
        reader.discardContent()
        if reader.isBodyComplete {
            beginNext()
        } else {
            phase = .discarding
            lingerEnd = loop.now + ClientConnection.lingerNanoseconds
            dropped = 0
            discardBody()
        }
    }

    private func beginNext() {
        phase = .readingHead
        // What is there already is looked at in the next turn, so that a long row of pipelined requests cannot nest.
        if reader.finishRequest() {
            isInputUnparsed = true
            setDeadline(loop.now + resources.settings.headNanoseconds)
            loop.schedule(self)
        } else {
            releaseReader()
            setDeadline(loop.now + resources.settings.idleNanoseconds)
            if mayRead { loop.schedule(self) }
        }
    }

    /// Ends the exchange and the connection at once; the response is incomplete, and the client must see that.
    public func abort() {
        precondition(phase == .exchanging, "an exchange is aborted")
        exchange = nil
        Socket.resetOnClose(descriptor)
        close()
    }

    /// Reads the rest of an answered request, but not for ever.
    private func discardBody() {
        setDeadline(min(lingerEnd, loop.now + ClientConnection.lingerPause))
        let enough = dropped + ClientConnection.dropsPerTurn
        while dropped < enough {
            guard dropped < resources.settings.maximumDropped else {
                close()
                return
            }
            switch readBody() {
            case .content(let isEnd):
                dropped += reader.content.count
                reader.discardContent()
                guard isEnd else { continue }
                beginNext()
                return
            case .end:
                beginNext()
                return
            case .pending:
                return
            case .gone:
                close()
                return
            case .refused:
                endAfterResponse()
                return
            }
        }
        loop.schedule(self)
    }

    private func endAfterResponse() {
        let isClientSending = mayRead || currentReader?.isBodyComplete == false || currentReader?.hasUnreadInput == true
        guard isClientSending, !isPeerClosed else {
            close()
            return
        }
        phase = .lingering
        releaseReader()
        Socket.shutDownWriting(descriptor)
        lingerEnd = loop.now + ClientConnection.lingerNanoseconds
        dropped = 0
        linger()
    }

    private func linger() {
        setDeadline(min(lingerEnd, loop.now + ClientConnection.lingerPause))
        let buffer = resources.responseBuffers.take()
        defer { resources.responseBuffers.give(buffer) }
        let enough = dropped + ClientConnection.dropsPerTurn
        while dropped < enough {
            guard dropped < resources.settings.maximumDropped else {
                close()
                return
            }
            buffer.reset()
            switch Socket.receive(descriptor, into: buffer) {
            case .moved(let count): dropped += count
            case .wouldBlock:
                mayRead = false
                return
            case .ended, .failed:
                close()
                return
            }
        }
        loop.schedule(self)
    }

    // MARK: Ending

    /// Closes an idle connection: nothing is lost.
    ///
    /// Does nothing when the client's next request is on its way.
    public func closeIfIdle() {
        if isIdle, !Socket.hasPendingInput(descriptor) { close() }
    }

    /// Closes the connection, whatever it is doing, because the process ends; an exchange is told first.
    public func closeNow() {
        if phase == .exchanging { exchange?.processStops() }
        guard phase == .exchanging else {
            close()
            return
        }
        Socket.resetOnClose(descriptor)
        close()
    }

    private func close() {
        guard phase != .closed else { return }
        phase = .closed
        exchange = nil
        releaseReader()
        if let buffer = output { resources.responseBuffers.give(buffer) }
        output = nil
        // With bytes in it, it goes with them.
        if let pipe = pipedOutput { loop.splicePipes.give(pipe) }
        pipedOutput = nil
        let socket = descriptor
        loop.unregister(self, isClosing: true)
        Socket.closeDescriptor(socket)
        resources.handler.connectionClosed(self)
    }

    private func releaseReader() {
        if let reader = currentReader { resources.give(reader) }
        currentReader = nil
    }
}
