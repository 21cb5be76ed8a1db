// All listening sockets of the process, and the workers that accept from them.

public import EventLoop
public import Logging
internal import Synchronization

/// The addresses that clients connect to.
///
/// Each worker accepts on its own loop, so that a connection that it keeps is handed to no other thread. Any thread.
public final class ListenerGroup: Sendable {
    private let sockets: [ListeningSocket]
    private let diagnostics: Logger
    private let stopped: @Sendable () -> Void
    /// Workers that may still accept.
    private let accepting: Atomic<Int>

    /// The addresses bound, with the ports that the kernel chose.
    public var addresses: [ListenAddress] { sockets.map(\.address) }

    /// Binds all addresses; clients that come before a worker accepts wait in the kernel.
    ///
    /// - Parameters:
    ///   - workers: how many will call ``accept(on:deliver:)``.
    ///   - stopped: called once, on the thread of the last worker that stops accepting, when all have delivered what they had.
    /// - Throws: ``ListenError`` for the first address that cannot be had; none is listened on then.
    public init(
        on addresses: [ListenAddress],
        workers: Int,
        diagnostics: Logger,
        stopped: @escaping @Sendable () -> Void
    ) throws(ListenError) {
        var sockets: [ListeningSocket] = []
        do throws(ListenError) {
            for address in addresses { sockets.append(try ListeningSocket(on: address)) }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        self.sockets = sockets
        self.diagnostics = diagnostics
        self.stopped = stopped
        accepting = Atomic(workers)
    }

    /// Accepts from all sockets on a loop from now on.
    ///
    /// Loop thread only, once for each worker.
    ///
    /// - Parameter deliver: gets each accepted connection, on the loop.
    /// - Returns: what the worker holds, and closes in the end.
    public func accept(on loop: EventLoop, deliver: @escaping (AcceptedSocket) -> Void) -> WorkerAcceptors {
        WorkerAcceptors(
            sockets.map { Acceptor(from: $0, on: loop, diagnostics: diagnostics, deliver: deliver) },
            of: self
        )
    }

    fileprivate func workerStopped() {
        guard accepting.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        for socket in sockets { socket.close() }
        stopped()
    }
}

/// One worker's part in accepting.
///
/// Loop thread only.
public final class WorkerAcceptors {
    private let acceptors: [Acceptor]
    private let group: ListenerGroup
    private var isClosed = false

    fileprivate init(_ acceptors: [Acceptor], of group: ListenerGroup) {
        self.acceptors = acceptors
        self.group = group
    }

    /// Delivers what the kernel has accepted already, and accepts no more; the last worker's closes the sockets.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        for acceptor in acceptors { acceptor.close() }
        group.workerStopped()
    }
}

@available(*, unavailable)
extension WorkerAcceptors: Sendable {}
