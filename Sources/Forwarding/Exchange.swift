// One request with its response: from the head's arrival to the line in the access log.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

/// Forwards one request to a backend, and to the next one when that fails, and passes the response back.
///
/// Reused for one exchange after another. Everything happens on one worker's loop; nothing here waits or locks.
/// `Exchange.swift` holds the attempts and the time, `Exchange+Request.swift` what goes upstream, `Exchange+Response.swift` what
/// comes back, `Exchange+Ending.swift` how it ends.
final class Exchange: ClientExchange, StreamObserver {
    /// Owns the exchange, or its client's connection does, which the worker closes before it ends: it is there as long as the exchange.
    unowned(unsafe) let worker: Worker
    /// The connection being served; nil while the exchange waits in the worker's stock.
    var connection: ClientConnection?

    /// How far the response has come, as the client sees it.
    enum ResponseProgress {
        /// Nothing of the final response has been handed to the client's connection. Next: all others.
        case awaited
        /// The head has been read and written anew; it goes out with the first body bytes. Next: `begun`, `complete`, `awaited`.
        case headPending
        /// The head, and as much of the body as has come, was handed over. Next: `complete`.
        case begun
        /// The whole response was.
        case complete
    }

    // MARK: The request

    /// Why there is nothing to forward, if the request was refused.
    var refusal: RequestRefused?
    /// What goes upstream: the head, and body bytes for as long as they may have to be sent again.
    var outbound: Buffer?
    /// How much of ``outbound`` has been sent in the current attempt.
    var sent = 0
    /// Whether all bytes sent upstream can be sent again: they are in ``outbound``, or are a head, which the reader has.
    var isReplayable = true
    /// Whether content waiting in the reader has been framed as a chunk.
    var isContentFramed = false
    /// Whether the whole body has been put into ``outbound`` or sent.
    var isBodyTaken = false
    /// Whether the whole request has been sent in the current attempt.
    var isRequestSent = false
    /// Whether the client's wish for another protocol was passed on.
    var isUpgradeAsked = false
    /// Whether the backend has agreed to it, and bytes are passed on as they come.
    var isTunnel = false
    /// Whether the client waits for 100 Continue before it sends its body.
    var isContinueAwaited = false
    /// Whether it got one of ours.
    var isContinueSent = false
    /// The request's identifier: the client's, or ours.
    private(set) var requestID: [UInt8] = []
    /// Whether it is ours.
    private(set) var isRequestIDNew = false

    // MARK: The attempts

    var stream: Stream?
    private var lease: BackendLease?
    private var tried = TriedBackends()
    private var retries = 0
    private var wasFreshConnectionTried = false
    var attemptCount = 0
    private var attemptStart = MonotonicTime.never
    var failedAttempts: [AccessLogAttempt] = []

    // MARK: The response

    /// The status sent, or 0.
    var status = 0
    var framing = ClientFraming.none
    var response = ResponseProgress.awaited
    /// Whether an interim response of the backend was passed on: the request will not be sent again.
    var isInterimForwarded = false
    var keepAlive = false
    var bytesOut: UInt64 = 0
    var responder: Backend?
    var failure: ExchangeFailure?

    /// Holds the client to a pace, while it is waited for in the middle of a body.
    var progress = ProgressWindow()
    /// When nothing having moved is to have its consequences.
    private var silenceEnd = MonotonicTime.never
    /// What the client had taken when its taking was last looked at.
    var takenMark: UInt64 = 0
    var startTime = MonotonicTime.never
    var firstByteTime: MonotonicTime?

    init(worker: Worker) {
        self.worker = worker
        requestID.reserveCapacity(RequestIdentifierGenerator.length)
    }

    /// Whether any byte of the final response was handed to the client's connection.
    var isResponseBegun: Bool {
        switch response {
        case .awaited, .headPending: false
        case .begun, .complete: true
        }
    }

    var reader: RequestReader { client.reader }

    var client: ClientConnection {
        guard let connection else { preconditionFailure("an exchange at work has a client") }
        return connection
    }

    var loop: EventLoop { worker.loop }

    // MARK: Beginning

    func prepare(on connection: ClientConnection, refusing refusal: RequestRefused?) {
        self.connection = connection
        self.refusal = refusal
        startTime = loop.now
        isRequestIDNew = !takeRequestID()
    }

    func start() {
        keepAlive = reader.head.isPersistent
        if let refusal {
            keepAlive = false
            switch refusal {
            case .malformed(let reason): answer(.refused(reason))
            case .timedOut: answer(.requestHeadTimeout)
            case .tooManyPipelined: answer(.tooManyPipelined)
            case .tooManyConnections(.total): answer(.tooManyConnections)
            case .tooManyConnections(.client): answer(.tooManyClientConnections)
            }
            return
        }
        if reader.head.forwardsLeft == 0 {
            endHere()
            return
        }
        if reader.hasPassed(worker.settings.name) {
            answer(.loopDetected)
            return
        }
        if let refusal = beginRequest() { answer(.refusedBody(refusal)) } else { attemptNext() }
    }

    /// Takes the client's identifier if it is a plain one, else makes one; true if it is the client's.
    private func takeRequestID() -> Bool {
        let fields = reader.head.fields
        if refusal == nil, !fields.isRepeated(.xRequestID), let index = fields.first(.xRequestID),
            !fields[index].isHopByHop
        {
            let value = reader.headBytes(fields[index].valueRange)
            if (1...128).contains(value.count), value.allSatisfy(Self.isPlain) {
                requestID.append(contentsOf: value)
                return true
            }
        }
        withUnsafeTemporaryAllocation(byteCount: RequestIdentifierGenerator.length, alignment: 1) { text in
            worker.identifiers.write(to: text)
            requestID.append(contentsOf: UnsafeRawBufferPointer(text))
        }
        return false
    }

    /// Bytes that can stand in a header, a log line and a page without quoting.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "@"):
            true
        default:
            false
        }
    }

    // MARK: Attempts

    private func attemptNext() {
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
        let pool = worker.streams(to: lease.backend)
        responder = lease.backend
        self.lease = consume lease
        attemptCount += 1
        attemptStart = loop.now
        sent = 0
        isRequestSent = false
        progress.close()
        // What may not be sent twice is not sent into a connection that the backend has just closed.
        let isChecked = !reader.head.method.isIdempotent
        let stream = (fresh ? nil : pool.takeIdle(checked: isChecked)) ?? pool.connect()
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
    func noteRequestSent() { lease?.requestSent(at: loop.now.nanoseconds) }

    /// The backend's response head has come.
    func noteLatency() { lease?.headReceived(at: loop.now.nanoseconds) }

    /// Ends the attempt because of something that is not the stream's failure.
    func endAttempt(_ outcome: AttemptOutcome) {
        endLease(outcome)
        stream?.cancel()
        stream = nil
    }

    // MARK: Time

    /// Moves the deadline on: called whenever a byte has moved, and when what is waited for changes.
    func refreshDeadline() {
        let allowance: UInt64 =
            if isTunnel, !isRequestSent, response != .complete {
                worker.settings.tunnelIdle
            } else if isOwnContinueDue {
                min(Worker.continueWait, worker.settings.idleTimeout)
            } else if isRequestSent, !isResponseBegun {
                worker.settings.responseTimeout
            } else if isResponseBegun, client.hasPendingOutput {
                worker.settings.writeTimeout
            } else {
                worker.settings.idleTimeout
            }
        silenceEnd = loop.now + allowance
        client.setDeadline(min(silenceEnd, progress.end))
    }

    /// Whether the client waits for 100, the backend has had time to say it, and the way to the client is free.
    private var isOwnContinueDue: Bool {
        isContinueAwaited && stream?.isConnected == true && !client.hasPendingOutput
    }

    /// The client is waited for in the middle of its request's body: from now on it is held to a pace.
    func watchRequestBody() {
        guard !isResponseBegun, !isTunnel else { return }
        progress.open(worker.settings.bodyProgress, at: loop.now, moved: reader.bodyBytes)
        if progress.end < client.deadline { client.setDeadline(progress.end) }
    }

    /// The client does not take the response as fast as it comes: from now on it is held to a pace.
    func watchResponseBody() {
        guard isResponseBegun, !isTunnel else { return }
        takenMark = client.bytesTaken
        progress.open(worker.settings.bodyProgress, at: loop.now, moved: takenMark)
        refreshDeadline()
    }

    /// Whether the client has taken something since that was last looked at, although nothing more could be sent.
    private var isClientTaking: Bool {
        let taken = client.bytesTaken
        defer { takenMark = taken }
        return taken != takenMark
    }

    /// The end of the time in which the client had to move something; true if that is all that the deadline was about.
    private func paceIsJudged() -> Bool {
        let moved = isResponseBegun ? client.bytesTaken : reader.bodyBytes
        let isKept = progress.isKept(worker.settings.bodyProgress, at: loop.now, moved: moved)
        // A silence that has lasted too long has a name of its own.
        if loop.now >= silenceEnd { return false }
        if isKept {
            client.setDeadline(min(silenceEnd, progress.end))
        } else {
            endAttempt(.abandoned)
            keepAlive = false
            giveUp(isResponseBegun ? .clientTooSlow : .requestBodyTooSlow)
        }
        return true
    }

    /// Whether the next byte of the request is the client's to send.
    private var isClientAwaited: Bool {
        !reader.isBodyComplete && reader.content.isEmpty && (outbound.map { sent == $0.count } ?? true)
    }

    func deadlineReached() {
        if isOwnContinueDue {
            sendOwnContinue()
            return
        }
        if loop.now >= progress.end, paceIsJudged() { return }
        if isTunnel {
            endAttempt(.answered)
            cut(.tunnelIdle)
            return
        }
        if isResponseBegun {
            let isClientSlow = client.hasPendingOutput
            if isClientSlow, isClientTaking {
                refreshDeadline()
                return
            }
            if !isClientSlow, isClientAwaited {
                endAttempt(.abandoned)
                cut(.requestBodyTimeout)
                return
            }
            endAttempt(isClientSlow ? .abandoned : .failed)
            cut(isClientSlow ? .clientStalled : .responseIncomplete)
            return
        }
        guard let stream else {
            cut(.clientStalled)
            return
        }
        if client.hasPendingOutput {
            // An interim response that the client does not take.
            if isClientTaking {
                refreshDeadline()
            } else {
                endAttempt(.abandoned)
                cut(.clientStalled)
            }
            return
        }
        if isRequestSent {
            record(.responseTimeout, "no response within \(worker.settings.responseTimeout / 1_000_000) ms")
            endAttempt(.failed)
            giveUp(.responseTimeout)
        } else if stream.isConnected, isClientAwaited {
            endAttempt(.abandoned)
            keepAlive = false
            giveUp(.requestBodyTimeout)
        } else {
            let row = stream.isConnected ? ExchangeFailure.responseTimeout : .connectionTimeout
            record(row, "no progress within \(worker.settings.idleTimeout / 1_000_000) ms")
            endAttempt(.failed)
            giveUp(row)
        }
    }

    /// Forgets the exchange that is over.
    func reset() {
        connection = nil
        refusal = nil
        sent = 0
        isReplayable = true
        isContentFramed = false
        isBodyTaken = false
        isRequestSent = false
        isContinueAwaited = false
        isContinueSent = false
        isUpgradeAsked = false
        isTunnel = false
        requestID.removeAll(keepingCapacity: true)
        tried.removeAll()
        retries = 0
        attemptCount = 0
        if !failedAttempts.isEmpty { failedAttempts.removeAll(keepingCapacity: true) }
        status = 0
        response = .awaited
        isInterimForwarded = false
        bytesOut = 0
        responder = nil
        failure = nil
        progress.close()
        firstByteTime = nil
    }
}
