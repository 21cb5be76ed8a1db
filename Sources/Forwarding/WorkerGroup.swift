// All workers of the process, each on a queue of its own.

internal import Balancing
internal import Dispatch
internal import EventLoop
public import Front
internal import Synchronization
public import Telemetry

/// Starts the workers, gives each connection to the one with the fewest, and tells when all have stopped.
///
/// Any thread.
public final class WorkerGroup: Sendable {
    private let shares: [WorkerShare]
    private let limits: ConnectionLimits
    private let tally: ReasonTally
    private let running = DispatchGroup()

    /// Starts `count` workers on the same backends.
    public init(
        count: Int,
        settings: ForwardingSettings,
        backends configurations: [BackendConfiguration],
        limits: ConnectionLimits,
        tally: ReasonTally,
        accessLog: AccessLog?
    ) {
        self.limits = limits
        self.tally = tally
        shares = (0..<count).map { _ in WorkerShare(limits: limits, tally: tally) }
        let backends = BackendPool(names: configurations.map(\.name))
        for (index, share) in shares.enumerated() {
            // A serial queue of its own: it gets a thread of its own, and keeps it.
            let queue = DispatchQueue(label: "curl-lb.worker.\(index)")
            queue.async(group: running) {
                Worker(
                    settings: settings,
                    backends: backends,
                    configurations: configurations,
                    accessLog: accessLog,
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

    /// Gives a connection to the worker with the fewest, unless it is one too many.
    ///
    /// - Returns: the connection if that is the worker that accepted it, which is then to serve it.
    func place(_ socket: AcceptedSocket, acceptedBy own: WorkerShare) -> AcceptedSocket? {
        var socket = socket
        switch limits.admit(socket.peer) {
        case .served: break
        case .refused(let refusal): socket.refusal = refusal
        case .dropped:
            socket.close()
            tally.count("connection_limit_unanswered")
            return nil
        }
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

    /// Lets the workers finish what is in flight for at most that long, and stop.
    public func drain(_ limit: Duration) {
        for share in shares { share.mailbox.post(.drain(nanoseconds: limit.clampedNanoseconds)) }
    }

    /// Calls back once when all workers have stopped.
    public func notifyWhenStopped(_ stopped: @escaping @Sendable () -> Void) {
        running.notify(queue: DispatchQueue(label: "curl-lb.stopped"), execute: stopped)
    }
}
