// One worker: an event loop and everything that lives on it.

internal import Balancing
internal import Dispatch
internal import EventLoop
public import Front
internal import HTTPWire
public import Logging
internal import Synchronization
public import Telemetry
internal import Upstream

/// What other threads tell a worker.
public enum WorkerMessage: Sendable {
    /// Accept connections, and keep those that the group leaves to the worker.
    case accept(ListenerGroup, WorkerGroup)
    /// Serve this connection.
    case serve(AcceptedSocket)
    /// Deliver what has been accepted, and accept no more.
    case stopAccepting
    /// Accept what waits: another process may have been told of it that accepts no more.
    case lookForConnections
    /// Give the access log what it has not been given yet, and say so.
    case handOverLines(LinesReceipt)
    /// Show that the loop turns.
    case pulse(UInt64)
    /// Go on with this pool.
    case adopt(PoolUpdate)
    /// A place at a backend may be free for whoever has waited longest here.
    /// That one is told, by its ticket.
    case placeFree(UInt64)
    /// Go on with these settings, and write the access log there.
    case change(ForwardingSettings, AccessLog?)
    /// Finish what is in flight, then stop; after that many nanoseconds stop anyway.
    case drain(nanoseconds: UInt64)
}

/// Serves its share of the client connections on its own loop.
///
/// Confined to the queue that runs ``run()``: it owns its connections, streams, buffers and counters.
public final class Worker: RequestHandler {
    /// How long a client that expects 100 Continue waits for the backend's word before it gets ours.
    static let continueWait: UInt64 = 1_000_000_000
    /// How long connections without a request stay open while draining: their clients may just be sending one.
    private static let idleGrace: UInt64 = 1_000_000_000
    private static let drainCheckInterval: UInt64 = 50_000_000

    let loop = EventLoop()
    /// Changes between two events only: what looks twice while it reacts to one sees the same.
    private(set) var settings: ForwardingSettings
    let balancer: Balancer
    private(set) var retryPolicy: RetryPolicy
    var overload: OverloadControl { share.overload }
    /// The streams to each backend, by its index.
    var streams: [BackendStreams?] = []
    let responseBuffers: BufferPool
    let requestBuffers: BufferPool
    /// Where a response head is written before it is put in front of its body.
    let headScratch: Buffer
    let clock = WallClock()
    var identifiers = RequestIdentifierGenerator()
    private(set) var isDraining = false

    let multi: CurlMulti
    private let diagnostics: Logger?
    /// Where it is told how a failed attempt can be repeated, if anybody wants to know.
    private(set) var reproductions: Logger?
    let log: WorkerLog
    private let spanQueue: SpanQueue?
    /// The spans of this turn.
    var spans = SpanBuffer()
    /// Which log lines are written when not all are.
    var sampler = Sampler(seed: .random(in: .min ... .max))
    let share: WorkerShare
    /// What the worker counts.
    let meter: WorkerMeter
    let counters: WorkerCounters
    private lazy var front = FrontResources(
        loop: loop,
        handler: self,
        settings: FrontSettings(settings),
        responseBuffers: responseBuffers
    )
    private var acceptors: WorkerAcceptors?
    private(set) var connections: [ClientConnection] = []
    private var idleExchanges: [Exchange] = []
    private var idleHedges: [Hedge] = []
    private(set) lazy var queue = RequestQueue(loop: loop, control: share.overload, worker: share.index)
    private lazy var drainTimer = DrainTimer(worker: self)
    private lazy var housekeeping = Housekeeping(worker: self)

    /// Builds a worker on the queue that will run it.
    public init(
        settings: ForwardingSettings,
        pool: PoolUpdate,
        accessLog: AccessLog?,
        spans: SpanQueue? = nil,
        diagnostics: Logger? = nil,
        share: WorkerShare
    ) {
        self.settings = settings
        balancer = Balancer(pool.snapshot, seed: .random(in: .min ... .max))
        self.diagnostics = diagnostics
        spanQueue = spans
        self.share = share
        meter = share.meter
        counters = meter.counters
        log = WorkerLog(loop: loop, to: accessLog, settings.accessLogStyle, counters: counters, clock: clock)
        retryPolicy = RetryPolicy(settings)
        multi = CurlMulti(loop: loop)

        responseBuffers = BufferPool(
            capacity: max(Stream.bufferCapacity(for: settings.headLimits), FailureResponse.maximumSize),
            maximumIdle: 1024
        )
        requestBuffers = BufferPool(
            capacity: UpstreamRequest.bufferCapacity(for: settings.headLimits),
            maximumIdle: 256
        )
        headScratch = responseBuffers.take()
        findReproductions()
        adopt(pool)
    }

    /// Serves until it is told to stop.
    ///
    /// Runs on the caller's thread, which it keeps.
    public func run() {
        share.mailbox.open(on: loop) { [unowned self] in receive($0) }
        if spanQueue != nil { loop.onTurnEnd = { [unowned(unsafe) self] in handOverSpans() } }
        measureTurns()
        housekeeping.begin()
        loop.run()
        for connection in connections { connection.closeNow() }
        for entry in streams { entry?.pool.close() }
        // Before the mailbox is closed: who is told that a worker takes no messages takes its lines for handed over.
        handOverSpans()
        log.handOver()
        for message in share.mailbox.closeAndDrain() {
            if case .serve(let socket) = message { share.discard(socket) }
        }
        // What the messages that were not read said is for others to hear.
        queue.wakeOldest()
        // It holds nothing of any pool, and is not waited for.
        share.poolVersion.store(.max, ordering: .releasing)
        loop.onTurnEnd = nil
        loop.onTurnMeasured = nil
        loop.tearDown()
    }

    private func measureTurns() {
        var staleEvents: UInt64 = 0
        loop.onTurnMeasured = { [unowned(unsafe) loop, counters] busy, lateness in
            counters.add(.turns)
            counters.add(.busyNanoseconds, busy)
            counters.record(.turn, busy)
            if let lateness { counters.record(.lateness, lateness) }
            if loop.surprises != staleEvents {
                counters.add(.staleEvents, loop.surprises &- staleEvents)
                staleEvents = loop.surprises
            }
        }
    }

    // MARK: Messages

    private func receive(_ message: WorkerMessage) {
        switch message {
        case .accept(let listeners, let group):
            acceptors = listeners.accept(on: loop) { [unowned self] socket in
                if let socket = group.place(socket, acceptedBy: share) { serve(socket) }
            }
        case .serve(let socket):
            serve(socket)
        case .adopt(let update):
            adopt(update)
            queue.poolChanged()
        case .placeFree(let ticket):
            queue.serve(told: ticket)
        case .change(let settings, let accessLog):
            change(settings, accessLog)
        case .drain(let nanoseconds):
            drain(within: nanoseconds)
        case .stopAccepting:
            acceptors?.close()
        case .lookForConnections:
            acceptors?.look()
        case .handOverLines:
            // Its receipt goes with the message.
            log.handOver()
        case .pulse(let number):
            share.pulse.store(number, ordering: .relaxed)
        }
    }

    /// Goes over to other settings, between two events: nothing that is in flight is disturbed.
    private func change(_ settings: ForwardingSettings, _ accessLog: AccessLog?) {
        log.change(to: accessLog, settings.accessLogStyle)
        self.settings = settings
        retryPolicy = RetryPolicy(settings)
        findReproductions()
        front.change(FrontSettings(settings))
        for entry in streams { entry?.pool.change(StreamSettings(settings)) }
        for connection in connections { connection.judgeTrust() }
    }

    private func findReproductions() { reproductions = diagnostics.flatMap { $0.logLevel <= .debug ? $0 : nil } }

    private func serve(_ socket: AcceptedSocket) {
        guard let connection = ClientConnection(socket, resources: front) else {
            share.release(socket.peer, socket.admission)
            return
        }
        count(connection)
        connection.listIndex = connections.count
        connections.append(connection)
        connection.start()
    }

    private func count(_ connection: ClientConnection) {
        switch connection.admission.refusal {
        case nil: counters.add(.connectionsOpened)
        case .total: counters.add(.refusedTotal)
        case .client: counters.add(.refusedClient)
        }
    }

    // MARK: Draining

    private func drain(within nanoseconds: UInt64) {
        guard !isDraining else { return }
        isDraining = true
        drainTimer.begin(idleGrace: min(Worker.idleGrace, nanoseconds), limit: nanoseconds)
    }

    /// Watches connections come to their end.
    private final class DrainTimer: EventHandler {
        private unowned let worker: Worker
        private var idleEnd = MonotonicTime.never
        private var limit = MonotonicTime.never

        init(worker: Worker) {
            self.worker = worker
            super.init(loop: worker.loop)
        }

        func begin(idleGrace: UInt64, limit: UInt64) {
            idleEnd = loop.now + idleGrace
            self.limit = loop.now + limit
            deadlineReached()
        }

        override func deadlineReached() {
            let isOver = loop.now >= limit
            if loop.now >= idleEnd || isOver {
                // Backwards: a closed connection's place is taken by the last one.
                for index in worker.connections.indices.reversed() {
                    if isOver { worker.connections[index].closeNow() } else { worker.connections[index].closeIfIdle() }
                }
            }
            if worker.connections.isEmpty || isOver {
                loop.stop()
            } else {
                setDeadline(min(limit, loop.now + Worker.drainCheckInterval))
            }
        }
    }

    // MARK: Memory

    /// Gives memory back that a burst has left behind.
    private final class Housekeeping: EventHandler {
        private static let interval: UInt64 = 5_000_000_000
        /// So many buffers let go of at once tell of a burst that is over.
        private static let burst = 64
        private unowned let worker: Worker

        init(worker: Worker) {
            self.worker = worker
            super.init(loop: worker.loop)
        }

        func begin() { setDeadline(loop.now + Self.interval) }

        override func deadlineReached() {
            let count = worker.responseBuffers.trim() + worker.requestBuffers.trim() + worker.front.trim()
            if count >= Self.burst { DispatchQueue.global(qos: .utility).async { Buffer.trimHeap() } }
            begin()
        }
    }

    // MARK: RequestHandler

    public func beginExchange(on connection: ClientConnection) -> any ClientExchange {
        takeExchange(connection, refusing: nil)
    }

    public func beginExchange(on connection: ClientConnection, refusing reason: RequestRefused) -> any ClientExchange {
        takeExchange(connection, refusing: reason)
    }

    public func connectionClosed(_ connection: ClientConnection) {
        let index = connection.listIndex
        let last = connections.removeLast()
        if last !== connection {
            connections[index] = last
            last.listIndex = index
        }
        connection.listIndex = -1
        if connection.admission.refusal == nil { counters.add(.connectionsClosed) }
        share.release(connection.peer, connection.admission)
    }

    private func takeExchange(_ connection: ClientConnection, refusing reason: RequestRefused?) -> Exchange {
        let exchange = idleExchanges.popLast() ?? Exchange(worker: self)
        exchange.prepare(on: connection, refusing: reason)
        return exchange
    }

    /// Takes back an exchange that is over.
    func retire(_ exchange: Exchange) {
        exchange.reset()
        if idleExchanges.count < 1024 { idleExchanges.append(exchange) }
    }

    func takeHedge() -> Hedge { idleHedges.popLast() ?? Hedge() }

    /// Takes back a second attempt that is over.
    func retire(_ hedge: Hedge) { if idleHedges.count < 64 { idleHedges.append(hedge) } }

    // MARK: Small services

    func pageFormat(for reader: RequestReader) -> PageFormat {
        let head = reader.head
        let bytes = reader.headBytes(0..<head.length)
        return bytes.withMemoryRebound(to: UInt8.self) {
            PageFormat.preferred(in: $0.span, accept: head.length > 0 ? head.fields.value(.accept) : nil)
        }
    }

    private func handOverSpans() { if !spans.isEmpty { spanQueue?.submit(&spans) } }
}

@available(*, unavailable)
extension Worker: Sendable {}
