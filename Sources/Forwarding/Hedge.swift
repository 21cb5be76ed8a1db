// The second attempt of a hedged request, for as long as nobody knows which of the two is to be the answer.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

/// An attempt beside an exchange's own.
///
/// It sends the request, which is whole and at hand, and waits for a response head. When that comes, or when the exchange's own attempt
/// fails, the exchange takes over what is here and goes on with it as with any attempt; when the other one's response comes first, it
/// is cancelled. What it comes to is decided in `Exchange+Hedging.swift`. Loop thread only.
final class Hedge: StreamObserver {
    /// Whose request it is; nil while the object waits in the worker's stock.
    private(set) var exchange: Exchange?
    private(set) var backend: Backend?
    private(set) var stream: Stream?
    var lease: BackendLease?
    /// The request: one with a body from the beginning on, any other while it is being sent.
    private(set) var outbound: Buffer?
    private(set) var headLength = 0
    private(set) var hostField: String?
    private(set) var sent = 0
    private(set) var isRequestSent = false
    private(set) var wasFreshConnectionTried = false
    private(set) var start = MonotonicTime.never
    /// Which of the exchange's attempts it is.
    private(set) var number = 0
    private(set) var measures = ExchangeMeasures()
    var trace = AttemptTrace()
    /// Whether the exchange has its place in the retry budget because of this attempt.
    private(set) var tookRetryPlace = false
    /// When it has been silent for too long.
    private(set) var silenceEnd = MonotonicTime.never
    /// Whether its response is set aside: a better one is hoped for.
    private var isSetAside = false
    /// Whether yet another backend may be asked because of it.
    private var isRepeated = false

    /// Asks another backend for an exchange.
    func begin(_ lease: consuming BackendLease, for exchange: Exchange, tookRetryPlace: Bool) {
        self.exchange = exchange
        self.tookRetryPlace = tookRetryPlace
        wasFreshConnectionTried = false
        begin(lease, fresh: false)
    }

    /// Asks the same one once more, on a fresh connection after a stale one.
    func beginAgain() {
        guard let lease = lease.take() else { preconditionFailure("a stream in use is leased") }
        exchange?.endTrace(of: self, .failed)
        wasFreshConnectionTried = true
        begin(lease.again(), fresh: true)
    }

    private func begin(_ lease: consuming BackendLease, fresh: Bool) {
        guard let exchange else { preconditionFailure("an attempt is one of an exchange") }
        let streams = exchange.worker.streams(to: lease.backend)
        backend = lease.backend
        self.lease = consume lease
        trace = exchange.newAttemptTrace()
        // A head has the span of its attempt.
        if trace.span != 0 { releaseOutbound() }
        useHost(streams.pool.hostField)
        // At once: when the exchange's own attempt ends, which may be before this one can send, its copy of the body is given back.
        if exchange.hasBody { writeRequest(of: exchange) }
        exchange.attemptCount += 1
        number = exchange.attemptCount
        start = exchange.loop.now
        sent = 0
        isRequestSent = false
        let idle = (fresh ? nil : streams.pool.takeIdle(checked: false)) ?? streams.pool.takeUnclaimed()
        measures.beginAttempt(streams.meter)
        streams.meter.counters.add(.attempts)
        streams.meter.counters.add(.hedges)
        streams.meter.counters.add(idle == nil ? .connectionsOpened : .connectionsReused)
        if fresh { streams.meter.counters.add(.connectionsStale) }
        trace.isConnectionReused = idle?.isConnected == true
        let stream = idle ?? streams.pool.connect()
        self.stream = stream
        stream.begin(self, method: exchange.reader.head.method, isUpgradeAsked: false)
        moveSilence(exchange)
        if stream.isConnected { sendRequest() }
    }

    private func useHost(_ host: String?) {
        guard host != hostField else { return }
        hostField = host
        releaseOutbound()
    }

    private func releaseOutbound() {
        if let outbound { exchange?.worker.requestBuffers.give(outbound) }
        outbound = nil
    }

    /// Forgets the attempt, whose stream and lease are in other hands or at their end, and its buffer too unless that is taken over.
    func clear(keepingOutbound: Bool = false) {
        if !keepingOutbound { releaseOutbound() }
        outbound = nil
        exchange = nil
        backend = nil
        stream = nil
        hostField = nil
        measures = ExchangeMeasures()
        trace = AttemptTrace()
        isSetAside = false
        isRepeated = false
        silenceEnd = .never
    }

    /// A byte has moved, or something else is waited for.
    private func moveSilence(_ exchange: Exchange) {
        let settings = exchange.worker.settings
        silenceEnd = exchange.loop.now + (isRequestSent ? settings.responseTimeout : settings.idleTimeout)
        exchange.hedgeIsWaitedFor()
    }

    /// Writes the whole request, unless it stands there still; where it stands.
    @discardableResult
    private func writeRequest(of exchange: Exchange) -> Buffer {
        if let outbound { return outbound }
        let buffer = exchange.worker.requestBuffers.take()
        outbound = buffer
        headLength = exchange.writeWhole(to: buffer, host: hostField, span: trace.span)
        return buffer
    }

    private func sendRequest() {
        guard let stream, let exchange, !isRequestSent else { return }
        let buffer = writeRequest(of: exchange)
        while sent < buffer.count {
            switch stream.send(UnsafeRawBufferPointer(rebasing: buffer.bytes[sent...])) {
            case .moved(let count):
                sent += count
                moveSilence(exchange)
            case .wouldBlock:
                return
            case .failed(let failure):
                // The backend may have answered before it stopped reading.
                stream.receiveAfterSendFailure(failure)
                return
            }
        }
        isRequestSent = true
        measures.requestSent = exchange.loop.now
        lease?.requestSent(at: exchange.loop.now.nanoseconds)
        if !exchange.hasBody { releaseOutbound() }
        moveSilence(exchange)
    }

    // MARK: StreamObserver

    func streamIsWritable(_ stream: Stream) {
        measures.noteConnection(of: stream)
        sendRequest()
    }

    func stream(_ stream: Stream, receivedInterimHeadIn buffer: Buffer) {
        // Nobody waits for a 100: the body is at hand. Clients of HTTP/1.0 get none at all.
        guard let exchange, stream.head.status != 100, exchange.reader.head.minorVersion >= 1 else { return }
        exchange.hedgeWins()
        exchange.stream(stream, receivedInterimHeadIn: buffer)
    }

    func stream(_ stream: Stream, receivedHeadIn buffer: Buffer) {
        guard let exchange else { return }
        let head = stream.head
        guard exchange.setsAside(head, from: buffer, of: self) else {
            exchange.hedgeWins()
            exchange.stream(stream, receivedHeadIn: buffer)
            return
        }
        isSetAside = true
        isRepeated = exchange.mayRepeat(after: head)
        measures.countHead(head, at: exchange.loop.now)
        trace.status = head.status
        lease?.headReceived(status: head.status, at: exchange.loop.now.nanoseconds)
    }

    /// Only of a response that is set aside: of any other the exchange is told.
    func stream(_ stream: Stream, receivedBodyIn buffer: Buffer, isEnd: Bool) {
        guard let exchange else { return }
        exchange.worker.responseBuffers.give(buffer)
        if isEnd {
            stream.finish(reusable: isRequestSent)
            self.stream = nil
        }
        exchange.hedgeEnded(.answered, isRepeated: isRepeated)
    }

    func stream(_ stream: Stream, receivedBodyInto pipe: SplicePipe, isEnd: Bool) {
        preconditionFailure("a body is spliced behind its beginning, with which the exchange has taken over")
    }

    func stream(_ stream: Stream, failed failure: StreamFailure) {
        self.stream = nil
        if isSetAside {
            exchange?.hedgeEnded(.failed, isRepeated: isRepeated)
        } else {
            exchange?.hedge(self, failed: failure)
        }
    }
}
