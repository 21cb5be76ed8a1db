// A connection to a backend: made by libcurl, read and written through libcurl, framed by HTTPWire.

internal import CCurl
public import EventLoop
public import HTTPWire
internal import MessageIO

/// One HTTP/1.1 connection to a backend, for one exchange at a time.
///
/// `Stream.swift` holds its life, `Stream+Receiving.swift` how it reads, `Stream+Failing.swift` how it fails. Registered once,
/// edge-triggered, when it is connected; in the steady state an exchange costs one send, one receive and a share of one wait. Loop
/// thread only.
public final class Stream: CurlUser {
    /// Bytes kept free before body content: room for a rewritten head or a chunk's size line.
    public static let headroom = 2048
    /// Bytes kept free behind body content: room for a chunk's end and the last chunk.
    public static let tailroom = 16
    /// Bytes wanted at a time.
    static let readSize = 65536
    /// Reads in one go before other connections get their turn.
    static let readsPerTurn = 8
    /// From how many bytes of a body to come they are spliced: fewer are moved faster by copying them.
    static let spliceThreshold = 131072
    /// Bytes spliced at a time.
    static let spliceSize = 262144
    /// Bytes offered to TLS at a time: one record, of which the backend gets all or nothing.
    ///
    /// With more, libcurl may report that nothing was sent while whole records are on their way.
    private static let tlsRecordSize = 16384
    /// Interim (1xx) responses accepted before the final one.
    static let maximumInterimResponses = 32

    /// The size of the buffers that streams read into: a head as large as allowed, and room to read on behind it.
    public static func bufferCapacity(for limits: HeadLimits) -> Int {
        headroom + limits.maxHeadBytes + readSize + tailroom
    }

    enum Phase {
        /// libcurl resolves, connects and shakes hands. Next: `connected`, `closed`.
        case connecting
        /// Bytes can flow. Next: `closed`.
        case connected
        /// Terminal.
        case closed
    }

    enum Progress {
        /// No exchange, or none that expects bytes.
        case none
        case head
        case body
    }

    let pool: StreamPool
    let connection: CurlConnection
    var phase = Phase.connecting
    var observer: (any StreamObserver)?

    /// The head being read, or read last: of the current response.
    @inlinable public var head: ResponseHead { storedHead }
    @usableFromInline var storedHead = ResponseHead()
    var parser: ResponseParser
    var decoder = BodyDecoder(.none)
    var trailers = TrailerLines()
    /// Whether the request asks for another protocol, so that a 101 is an answer to it.
    var isUpgradeAsked = false
    var progress = Progress.none
    /// A partly read head, or body bytes that could not be decoded yet.
    var inbound: Buffer?
    /// Whether ``inbound`` holds bytes that the parser has not seen, because a pause came between.
    var isInboundUnread = false

    /// Whether the socket may have something to read: set by its event, cleared by a short read.
    var mayRead = false
    /// Whether the backend has closed its direction, as far as epoll has told.
    var isPeerClosed = false
    /// Whether bytes came behind the end of a response.
    var hasStrayBytes = false
    var isPaused = false
    /// Whether any byte of the current exchange's request may have reached the backend.
    public private(set) var wasRequestSent = false
    var wasResponseBegun = false
    /// Exchanges begun on this connection.
    var exchanges = 0
    /// The loop's turn in which the current exchange began, if an event in that turn can only be older than it.
    private var beginTurn: UInt64?
    /// The turn in which the stream's last event came: there is one a turn at most.
    private var eventTurn: UInt64 = 0
    /// The turn in which the stream was put to rest.
    private var restTurn: UInt64 = 0
    /// Its place among the pool's streams at rest.
    var restIndex = -1
    var interimResponses = 0
    /// What the connection took to make, until somebody has asked.
    private var connectTimes: ConnectTimes?

    init(pool: StreamPool) {
        self.pool = pool
        connection = CurlConnection(
            to: pool.origin,
            connectTimeoutMilliseconds: pool.settings.connectTimeoutMilliseconds
        )
        parser = ResponseParser(requestMethod: .get, limits: pool.settings.headLimits)
        birth = pool.loop.now
        super.init(loop: pool.loop)
        connection.setUser(self)
        pool.multi.add(connection)
    }

    deinit { assert(phase == .closed, "a stream is closed before it goes away") }

    /// Whether request bytes can be handed over; before, ``StreamObserver/streamIsWritable(_:)`` will tell.
    public var isConnected: Bool { phase == .connected }

    /// Whether the connection had been at rest before the current exchange: it may have died of that.
    public private(set) var wasReused = false
    /// Whether it is being made, and nobody waits for it.
    var isUnclaimed = false
    /// When it began to be made.
    let birth: MonotonicTime

    /// How long it took to make the connection; asked once, nil from then on.
    public func takeConnectTimes() -> ConnectTimes? { connectTimes.take() }

    var isEncrypted: Bool { pool.origin.scheme == .https }

    /// Whether anything has come in on a stream at rest: asks the kernel, for TLS through libcurl.
    func hasPendingInput() -> Bool {
        guard isEncrypted else { return Socket.hasPendingInput(descriptor) }
        mayRead = true
        return !isQuiet()
    }

    // MARK: The life of an exchange

    /// The response's trailer field lines, once its body has ended.
    public var trailerLines: [UInt8] { trailers.bytes }

    /// Wakes a stream at rest for its next exchange; false when the backend has closed it or sent stray bytes.
    ///
    /// What its events have told is enough, except when they may not have told all: when more are known to the kernel than one wait
    /// brings, and when the last response was read before its event came. Then the kernel is asked.
    ///
    /// - Parameter checked: asks the kernel in any case.
    func wake(checked: Bool) -> Bool {
        let isEventDue = restTurn == loop.turnNumber && eventTurn != loop.turnNumber
        guard checked || isEventDue || loop.mayHaveUnseenEvents else {
            beginTurn = loop.turnNumber
            return true
        }
        beginTurn = nil
        return !hasPendingInput()
    }

    /// Begins an exchange; the observer hears of everything that comes until it finishes or cancels.
    ///
    /// - Parameter isUpgradeAsked: whether a 101 may answer the request. After it, the body is the new protocol's bytes.
    public func begin(_ observer: any StreamObserver, method: HTTPWire.Method, isUpgradeAsked: Bool) {
        precondition(self.observer == nil && phase != .closed, "one exchange at a time")
        self.observer = observer
        exchanges += 1
        interimResponses = 0
        setDeadline(.never)
        parser.reset(requestMethod: method)
        parser.limits = pool.settings.headLimits
        storedHead.reset()
        progress = .head
        isPaused = false
        isInboundUnread = false
        self.isUpgradeAsked = isUpgradeAsked
        trailers.reset()
        sendFailure = nil
        wasRequestSent = false
        wasResponseBegun = false
    }

    /// Goes on with another observer, who has been told what there was to tell.
    public func handOver(to observer: any StreamObserver) {
        precondition(self.observer != nil, "a stream in use has an observer")
        self.observer = observer
    }

    /// Sends request bytes.
    ///
    /// On `.wouldBlock` the observer is told when to go on, with the same bytes at the same address.
    public func send(_ bytes: UnsafeRawBufferPointer) -> SendResult {
        precondition(phase == .connected && !bytes.isEmpty, "connected, and something to send")
        let offer = isEncrypted ? UnsafeRawBufferPointer(rebasing: bytes.prefix(Stream.tlsRecordSize)) : bytes
        switch connection.send(offer) {
        case .moved(let count):
            wasRequestSent = wasRequestSent || count > 0
            return .moved(count)
        case .wouldBlock, .ended:
            return .wouldBlock
        case .failed(let code):
            return .failed(makeFailure(.send, code))
        }
    }

    /// What came of sending.
    public enum SendResult {
        case moved(Int)
        case wouldBlock
        /// The backend takes no more. A response may still be on its way: see ``receiveAfterSendFailure(_:)``.
        case failed(StreamFailure)
    }

    /// Reads what the backend may have said before it stopped taking the request; fails the stream if that is nothing.
    public func receiveAfterSendFailure(_ failure: StreamFailure) {
        let exchange = exchanges
        mayRead = true
        sendFailure = failure
        receive()
        guard exchange == exchanges, phase == .connected, observer != nil, progress == .head, !isPaused else { return }
        fail(failure)
    }

    /// The failure that ended sending, to be reported in place of the end of input that it causes.
    private(set) var sendFailure: StreamFailure?

    /// What to report when no more can be read: before the response's body, why no more could be sent, if that came first.
    func readFailure(_ failure: StreamFailure) -> StreamFailure {
        guard var sendFailure, progress == .head else { return failure }
        sendFailure.wasResponseBegun = wasResponseBegun
        return sendFailure
    }

    /// Stops reading: back-pressure.
    public func pause() { isPaused = true }

    /// Goes on reading.
    public func unpause() {
        guard isPaused else { return }
        isPaused = false
        if isInboundUnread {
            isInboundUnread = false
            process(takeInbound())
        }
        if mayRead, !isPaused, observer != nil { receive() }
    }

    /// Ends the use of a stream whose response is complete: it rests for the next exchange, or is closed.
    ///
    /// - Parameter reusable: false when the request was not sent to its end.
    public func finish(reusable: Bool) {
        precondition(progress == .none, "the response is complete")
        observer = nil
        guard phase == .connected else { return }
        guard reusable, head.isPersistent, !isPeerClosed, !hasStrayBytes, isQuiet() else {
            close()
            return
        }
        rest()
    }

    /// Ends our sending in a tunnel; false where that cannot be done alone, as with TLS through libcurl.
    public func endSending() -> Bool {
        guard phase == .connected, !isEncrypted else { return false }
        Socket.shutDownWriting(descriptor)
        return true
    }

    /// Ends the use of a stream at any time, and the stream.
    public func cancel() {
        observer = nil
        close()
    }

    /// Ends the use of a stream that has not been answered and need not be.
    ///
    /// One that is being made goes on being made, for the next exchange. Any other ends, also one to which nothing was sent: a part of
    /// the request may wait in TLS, and its socket takes nothing at present.
    public func release() {
        guard phase == .connecting else {
            cancel()
            return
        }
        observer = nil
        progress = .none
        pool.keepUnclaimed(self)
    }

    /// Puts a stream to rest that has served nobody yet.
    private func restUnused() {
        connectTimes = nil
        guard inbound == nil, !isPeerClosed, isQuiet() else {
            close()
            return
        }
        rest()
    }

    private func rest() {
        restTurn = loop.turnNumber
        wasReused = true
        pool.rest(self)
    }

    /// Whether nothing is left to read.
    ///
    /// Where the last read left that open, another one tells.
    private func isQuiet() -> Bool {
        guard mayRead else { return true }
        let buffer = pool.buffers.take()
        defer { pool.buffers.give(buffer) }
        guard case .wouldBlock = connection.receive(into: buffer, limit: 1) else { return false }
        mayRead = false
        return true
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        if isUnclaimed { pool.forgetUnclaimed(self) }
        progress = .none
        observer = nil
        releaseInbound()
        loop.unregister(self, isClosing: true)
        pool.multi.remove(connection)
        pool.onClosed?()
    }

    // MARK: Events

    override func curlFinished(_ code: CURLcode) {
        guard phase == .connecting else { return }
        let descriptor = connection.activeSocket
        guard code == CURLE_OK, descriptor >= 0 else {
            fail(makeFailure(connectPhase(code), code))
            return
        }
        phase = .connected
        connectTimes = connection.connectTimes
        let interest: Readiness = [.readable, .writable, .peerClosed]
        guard loop.register(self, descriptor: descriptor, interest: interest, edgeTriggered: true) else {
            fail(makeFailure(.connect, .curl(Int32(code.rawValue)), "the kernel cannot watch the connection"))
            return
        }
        // TLS may have read beyond the handshake: ask once without an event.
        mayRead = isEncrypted
        guard let observer else {
            pool.forgetUnclaimed(self)
            restUnused()
            return
        }
        observer.streamIsWritable(self)
    }

    public override func ready(_ readiness: Readiness) {
        eventTurn = loop.turnNumber
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .hungUp, .failed]) { mayRead = true }
        if !readiness.isDisjoint(with: [.peerClosed, .hungUp, .failed]) { isPeerClosed = true }
        guard let observer else {
            // Nobody asked for anything: the backend closes, or sends what must never answer the next request.
            if mayRead, !isMerelyTLSHousekeeping() { pool.retire(self) }
            return
        }
        let exchange = exchanges
        if mayRead, wasReused, beginTurn == loop.turnNumber {
            // The event is older than the request: the backend has closed, or sent what must not pass for a response.
            fail(makeFailure(.responseHead, .closed, "the backend closed the kept connection, or sent bytes unasked"))
            return
        }
        if readiness.contains(.failed), progress == .none {
            // The response has ended, as a tunnel's may before its request: nobody would read the error.
            fail(makeFailure(.responseBody, .closed, "the backend reset the connection"))
            return
        }
        // TLS may have waited for input in order to send.
        if readiness.contains(.writable) || isEncrypted {
            observer.streamIsWritable(self)
            guard exchange == exchanges, self.observer != nil else { return }
        }
        if mayRead, !isPaused { receive() }
    }

    /// Whether the event on a TLS stream at rest was a session ticket or the like, without content.
    private func isMerelyTLSHousekeeping() -> Bool { isEncrypted && !isPeerClosed && isQuiet() }

    public override func resume() {
        if observer != nil, mayRead, !isPaused { receive() }
    }

    public override func deadlineReached() {
        if observer == nil, phase == .connected { pool.retire(self) }
    }
}
