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
/// `Exchange.swift` holds its state and its beginning, `Exchange+Attempts.swift` which backend is asked and when the next one is,
/// `Exchange+Hedging.swift` when a second one is asked beside it, `Exchange+Request.swift` what goes upstream,
/// `Exchange+Response.swift` what comes back, `Exchange+Queue.swift` the waiting for a place, `Exchange+Time.swift` how long each may
/// take, `Exchange+Tracing.swift` its spans, `Exchange+Ending.swift` how it ends.
final class Exchange: ClientExchange, StreamObserver {
    /// Owns the exchange, or its client's connection does, which the worker closes before it ends: it is there as long as the exchange.
    unowned(unsafe) let worker: Worker
    /// The connection being served; nil while the exchange waits in the worker's stock.
    var connection: ClientConnection?
    /// The request, which the connection reads; held here as well, since it is asked for again and again.
    private var currentReader: RequestReader?

    /// How far the response has come, as the client sees it.
    enum ResponseProgress {
        /// Nothing of the final response has been handed to the client's connection. Next: all others.
        case awaited
        /// The head has been read and written anew; it goes out with the first body bytes. Next: `begun`, `complete`, `awaited`.
        case headPending
        /// The head has been read, and is not passed on: another attempt follows as soon as the body's beginning is out of the way.
        /// Next: `awaited`.
        case discarded
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
    /// How much of ``outbound`` is the head.
    var headLength = 0
    /// The `Host` in it, unless it is the client's.
    var hostField: String?
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
    private(set) var requestID = RequestIdentifier()
    /// Who the client is, whom it is bound to, and what it may be told.
    var standing = ClientStanding()
    /// The trace that the request belongs to.
    var trace = ExchangeTrace()

    // MARK: The attempts

    var stream: Stream?
    var lease: BackendLease?
    /// The place at the backend of the next attempt, while a response is set aside.
    var next: BackendLease?
    var tried = TriedBackends()
    var retries = 0
    /// Whether the exchange counts in the retry budget.
    var hasRetryPlace = false
    /// Whether a further attempt was not made because of the budget.
    var isRetryBudgetExhausted = false
    var wasFreshConnectionTried = false
    var attemptCount = 0
    /// Which of the attempts the present one is, from 1.
    var attemptNumber = 0
    var attemptStart = MonotonicTime.never
    var failedAttempts: [AccessLogAttempt] = []

    // MARK: The attempt beside

    /// The second attempt, while neither it nor the present one has been answered.
    var hedge: Hedge?
    /// When one is to be begun.
    var hedgeDue = MonotonicTime.never
    /// Whether there has been one.
    var isHedged = false
    /// Whether the present attempt was begun as one.
    var isOnHedge = false
    /// The response that was set aside last in favour of another attempt that was under way.
    var setAside: SetAsideResponse?

    // MARK: The queue

    /// Its ticket while it waits for a place at a backend.
    var queueTicket: UInt64?
    var queueStart = MonotonicTime.never
    /// How long it has waited in all.
    var queueNanoseconds: UInt64 = 0

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
    var silenceEnd = MonotonicTime.never
    /// What the client had taken when its taking was last looked at.
    var takenMark: UInt64 = 0
    var startTime = MonotonicTime.never
    /// When the response head is to have come, if the operator wants that and it has not.
    var requestEnd = MonotonicTime.never
    var firstByteTime: MonotonicTime?
    var measures = ExchangeMeasures()

    init(worker: Worker) { self.worker = worker }

    /// Whether any byte of the final response was handed to the client's connection.
    var isResponseBegun: Bool {
        switch response {
        case .awaited, .headPending, .discarded: false
        case .begun, .complete: true
        }
    }

    var reader: RequestReader {
        guard let currentReader else { preconditionFailure("an exchange at work has a request") }
        return currentReader
    }

    var client: ClientConnection {
        guard let connection else { preconditionFailure("an exchange at work has a client") }
        return connection
    }

    var loop: EventLoop { worker.loop }

    // MARK: Beginning

    func prepare(on connection: ClientConnection, refusing refusal: RequestRefused?) {
        self.connection = connection
        currentReader = connection.reader
        self.refusal = refusal
        startTime = loop.now
        worker.counters.add(.requestsBegun)
        if let deadline = worker.settings.overload.deadline { requestEnd = startTime + deadline }
        identify()
        guard refusal == nil else { return }
        readStanding()
        if worker.settings.trace != nil || reader.head.fields.contains(.traceparent) { readTrace() }
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
        if reader.forwardsLeft == 0 {
            endHere()
            return
        }
        if reader.hasPassed(worker.settings.name) {
            answer(.loopDetected)
            return
        }
        if let refusal = beginRequest() { answer(.refusedBody(refusal)) } else { attemptNext() }
    }

    /// Calls the request what its client calls it, or by an identifier of its own.
    private func identify() {
        if refusal == nil, reader.head.fields.contains(.xRequestID), takeClientsIdentifier() { return }
        requestID.make(with: &worker.identifiers)
    }

    /// Calls the request what its client calls it; false if that is not one good word.
    private func takeClientsIdentifier() -> Bool {
        let fields = reader.head.fields
        guard !fields.isRepeated(.xRequestID), let index = fields.first(.xRequestID) else { return false }
        return requestID.take(reader.headBytes(fields[index].valueRange))
    }

    /// Forgets the exchange that is over.
    func reset() {
        connection = nil
        currentReader = nil
        refusal = nil
        hostField = nil
        sent = 0
        isReplayable = true
        isContentFramed = false
        isBodyTaken = false
        isRequestSent = false
        isContinueAwaited = false
        isContinueSent = false
        isUpgradeAsked = false
        isTunnel = false
        requestID.reset()
        standing = ClientStanding()
        if trace.context != nil { trace = ExchangeTrace() }
        tried.removeAll()
        retries = 0
        isRetryBudgetExhausted = false
        queueNanoseconds = 0
        requestEnd = .never
        attemptCount = 0
        attemptNumber = 0
        hedgeDue = .never
        setAside = nil
        isHedged = false
        isOnHedge = false
        if !failedAttempts.isEmpty { failedAttempts.removeAll(keepingCapacity: true) }
        status = 0
        response = .awaited
        isInterimForwarded = false
        bytesOut = 0
        responder = nil
        failure = nil
        progress.close()
        firstByteTime = nil
        measures = ExchangeMeasures()
    }
}
