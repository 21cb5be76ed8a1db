// A worker as other threads see it.

public import EventLoop
internal import Front
public import Synchronization
internal import Telemetry

/// The part of a worker that other threads may touch.
public final class WorkerShare: Sendable {
    public let mailbox: Mailbox<WorkerMessage>
    /// Its place among the workers.
    let index: Int
    /// Connections given to the worker and not yet closed.
    public let connectionCount = Atomic<Int>(0)
    /// The version of the pool that the worker has; whoever sees one sees all that was leased before.
    let poolVersion = Atomic<UInt64>(0)
    /// The last pulse that it was asked for and has come to.
    let pulse = Atomic<UInt64>(0)
    let metrics: Metrics
    /// What bounds repeating and waiting, on all workers.
    let overload: OverloadControl
    private let limits: ConnectionLimits

    init(
        index: Int,
        mailbox: Mailbox<WorkerMessage>,
        limits: ConnectionLimits,
        metrics: Metrics,
        overload: OverloadControl
    ) {
        self.index = index
        self.mailbox = mailbox
        self.limits = limits
        self.metrics = metrics
        self.overload = overload
    }

    /// Whether the worker has stopped, or is about to.
    var hasEnded: Bool { mailbox.isClosed }

    /// What the worker counts.
    var meter: WorkerMeter { metrics.workers[index] }

    /// Gives the worker a connection that was admitted and counted; closes it when the worker has stopped.
    func serve(_ socket: AcceptedSocket) {
        if !mailbox.post(.serve(socket)) { discard(socket) }
    }

    /// Closes a connection that was given to the worker.
    func discard(_ socket: AcceptedSocket) {
        socket.close()
        release(socket.peer, socket.admission)
    }

    /// Counts a connection out that was closed.
    func release(_ peer: PeerAddress, _ admission: ConnectionAdmission) {
        connectionCount.wrappingSubtract(1, ordering: .relaxed)
        limits.release(peer, admission)
    }
}
