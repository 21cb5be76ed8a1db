// All workers of the process, each on a queue of its own.

public import Balancing
internal import Dispatch
internal import EventLoop
public import Front
internal import Glibc
public import Logging
internal import Synchronization
public import Telemetry

/// Starts the workers, gives each connection to the one with the fewest, and tells when all have stopped.
///
/// Any thread.
public final class WorkerGroup: Sendable {
    private let shares: [WorkerShare]
    private let limits: ConnectionLimits
    let metrics: Metrics
    let overload: OverloadControl
    let spans: SpanQueue?
    private let running = DispatchGroup()
    let control: Mutex<PoolControl>
    /// Told of each update of the pool.
    private let followers = Mutex<[@Sendable (PoolUpdate) -> Void]>([])

    /// Starts as many workers as `metrics` counts for, on the same backends, whose names differ.
    public init(
        settings: ForwardingSettings,
        policy: Policy,
        backends configurations: [BackendConfiguration],
        pool settingsOfPool: PoolSettings = PoolSettings(),
        limits: ConnectionLimits,
        metrics: Metrics,
        accessLog: AccessLog?,
        spans: SpanQueue? = nil,
        diagnostics: Logger? = nil
    ) {
        self.limits = limits
        self.spans = spans
        self.metrics = metrics
        let mailboxes = metrics.workers.map { _ in Mailbox<WorkerMessage>() }
        let overload = OverloadControl(settings.overload, mailboxes: mailboxes)
        self.overload = overload
        shares = mailboxes.enumerated().map { index, mailbox in
            WorkerShare(index: index, mailbox: mailbox, limits: limits, metrics: metrics, overload: overload)
        }
        let pool: PoolUpdate
        do throws(PoolRefusal) {
            let control = try PoolControl(
                policy,
                configurations,
                settingsOfPool,
                affinityToken: settings.affinity?.token
            )
            pool = control.update
            metrics.poolChanged(to: pool.snapshot.members.map(\.backend.name))
            self.control = Mutex(control)
        } catch {
            preconditionFailure("settings are checked: \(error)")
        }
        for (index, share) in shares.enumerated() {
            // A serial queue of its own: it gets a thread of its own, and keeps it.
            let queue = DispatchQueue(label: "curl-lb.worker.\(index)")
            queue.async(group: running) {
                Worker(
                    settings: settings,
                    pool: pool,
                    accessLog: accessLog,
                    spans: spans,
                    diagnostics: diagnostics,
                    share: share
                ).run()
            }
        }
    }

    /// Has all workers accept connections.
    public func accept(from listeners: ListenerGroup) {
        for share in shares { share.mailbox.post(.accept(listeners, self)) }
    }

    /// Has all workers deliver what they have accepted, and accept no more; the listeners tell when that is done.
    public func stopAccepting() {
        for share in shares { share.mailbox.post(.stopAccepting) }
    }

    /// Has all workers accept what waits, after another process has ended accepting from the same sockets.
    public func lookForConnections() {
        for share in shares { share.mailbox.post(.lookForConnections) }
    }

    /// What tells whether the workers turn.
    public var pulse: WorkerPulse { WorkerPulse(of: shares) }

    /// Has a connection served that none of the workers accepted; for tests.
    func serve(_ socket: AcceptedSocket) {
        if let socket = place(socket, acceptedBy: shares[0]) { shares[0].serve(socket) }
    }

    /// Gives a connection to the worker with the fewest, unless it is one too many.
    ///
    /// - Returns: the connection if that is the worker that accepted it, which is then to serve it.
    func place(_ socket: AcceptedSocket, acceptedBy own: WorkerShare) -> AcceptedSocket? {
        var socket = socket
        guard let admission = limits.admit(socket.peer) else {
            socket.close()
            own.meter.counters.add(.refusedUnanswered)
            return nil
        }
        socket.admission = admission
        let share = leastLoaded(before: own)
        share.connectionCount.wrappingAdd(1, ordering: .relaxed)
        if share === own { return socket }
        share.serve(socket)
        return nil
    }

    /// The worker with the fewest connections; among equals the one that has the connection already.
    private func leastLoaded(before own: WorkerShare) -> WorkerShare {
        var least = own
        var count = own.connectionCount.load(ordering: .relaxed)
        for share in shares {
            let load = share.connectionCount.load(ordering: .relaxed)
            if load < count {
                least = share
                count = load
            }
        }
        return least
    }

    /// The backends as they stand, with weights and states.
    public var pool: PoolSnapshot { control.withLock { $0.update.snapshot } }

    /// Requests that wait for a place at a backend.
    public var queuedRequests: Int { overload.board.waiting }

    /// Requests that are being repeated.
    public var retriesInProgress: Int { overload.retryBudget.inProgress }

    /// The version of the pool that every worker has, or a later one.
    var adoptedVersion: UInt64 { shares.map { $0.poolVersion.load(ordering: .acquiring) }.min() ?? 0 }

    /// Waits until every worker goes by the pool as it is now, which takes them a turn of their loops: what was drained gets nothing
    /// new from then on, and what it has shows in its count of requests in flight.
    ///
    /// Not for a worker. Gives up after the limit: a worker that is busy for long follows later, one that has stopped no more.
    ///
    /// - Returns: Whether every worker does.
    public func waitForAdoption(within limit: Duration) -> Bool {
        let version = pool.version
        let end = ContinuousClock.now + limit
        while adoptedVersion < version {
            guard ContinuousClock.now < end else { return false }
            usleep(100)
        }
        return true
    }

    /// Backends that were removed and still have requests in flight.
    public var drainingBackends: [Backend] { control.withLock { $0.draining } }

    /// Changes the pool: all that is asked for, or when a part of it is refused, nothing.
    ///
    /// Workers go over to it each in its time; connections of backends that stay are not touched.
    public func change(_ changes: [PoolChange]) throws(PoolRefusal) {
        try control.withLock { control throws(PoolRefusal) in
            try control.apply(changes, adopted: adoptedVersion)
            metrics.poolChanged(
                to: control.update.snapshot.members.map(\.backend.name),
                busy: Set(control.draining.map(\.name))
            )
            publish(control.update)
        }
    }

    /// Takes over what is known of the backends' health; those that are gone are passed over.
    func take(_ conditions: [BackendCondition]) {
        control.withLock { control in
            control.take(conditions, adopted: adoptedVersion)
            publish(control.update)
        }
    }

    /// Goes on with other settings: workers between two events, each in its time; what is in flight is not disturbed.
    ///
    /// - Parameter accessLog: Where lines go from now on.
    public func change(_ settings: ForwardingSettings, pool: PoolSettings, accessLog: AccessLog?) {
        overload.change(settings.overload)
        control.withLock { control in
            control.change(pool, affinityToken: settings.affinity?.token, adopted: adoptedVersion)
            for share in shares { share.mailbox.post(.change(settings, accessLog)) }
            publish(control.update)
        }
    }

    /// Has a follower told of the pool as it is, and of each update.
    ///
    /// It is called under the pool's lock, one update after the other: it may not wait, and not change the pool.
    public func follow(_ follower: @escaping @Sendable (PoolUpdate) -> Void) {
        control.withLock { control in
            followers.withLock { $0.append(follower) }
            follower(control.update)
        }
    }

    /// Under the pool's lock, so that everyone gets one update after the other.
    private func publish(_ update: PoolUpdate) {
        for share in shares { share.mailbox.post(.adopt(update)) }
        for follower in followers.withLock({ $0 }) { follower(update) }
    }

    /// Has the workers give the access log the lines that they have gathered, and waits for it for at most that long.
    ///
    /// Any thread but a worker's.
    public func handOverLines(milliseconds: Int) {
        let receipts = DispatchGroup()
        for share in shares { share.mailbox.post(.handOverLines(LinesReceipt(in: receipts))) }
        _ = receipts.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    /// Lets the workers finish what is in flight for at most that long, and stop.
    public func drain(_ limit: Duration) {
        for share in shares { share.mailbox.post(.drain(nanoseconds: limit.clampedNanoseconds)) }
    }

    /// Calls back once when all workers have stopped.
    public func notifyWhenStopped(_ stopped: @escaping @Sendable () -> Void) {
        running.notify(queue: DispatchQueue(label: "curl-lb.stopped"), execute: stopped)
    }
}
