// All listening sockets of the process, and the workers that accept from them.

public import EventLoop
public import Logging
internal import Synchronization

/// The addresses that clients connect to.
///
/// Each worker accepts on its own loop, so that a connection that it keeps is handed to no other thread. Any thread.
public final class ListenerGroup: Sendable {
    private struct State {
        /// One for each worker that accepts.
        var mailboxes: [Mailbox<Command>] = []
        var accepting = 0
        var isStopped = false
    }

    private enum Command: Sendable {
        case stop
    }

    private let sockets: [ListeningSocket]
    private let diagnostics: Logger
    private let stopped: @Sendable () -> Void
    private let state = Mutex(State())

    /// The addresses bound, with the ports that the kernel chose.
    public var addresses: [ListenAddress] { sockets.map(\.address) }

    /// Binds all addresses; clients that come before a worker accepts wait in the kernel.
    ///
    /// - Parameter stopped: called on some worker's thread when, after ``stop()``, all have delivered what they had accepted.
    /// - Throws: ``ListenError`` for the first address that cannot be had; none is listened on then.
    public init(
        on addresses: [ListenAddress],
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
    }

    /// Accepts from all sockets on a loop from now on.
    ///
    /// Loop thread only, once for each loop.
    ///
    /// - Parameter deliver: gets each accepted connection, on the loop.
    public func accept(on loop: EventLoop, deliver: @escaping (AcceptedSocket) -> Void) {
        let mailbox = Mailbox<Command>()
        let isStopped = state.withLock { state in
            guard !state.isStopped else { return true }
            state.mailboxes.append(mailbox)
            state.accepting += 1
            return false
        }
        guard !isStopped else { return }
        let acceptors = sockets.map { Acceptor(from: $0, on: loop, diagnostics: diagnostics, deliver: deliver) }
        mailbox.open(on: loop) { [self] command in
            switch command {
            case .stop:
                for acceptor in acceptors { acceptor.close() }
                acceptorsClosed()
            }
        }
    }

    /// Stops accepting, once what the kernel has accepted is delivered.
    public func stop() {
        let (mailboxes, isLast) = state.withLock { state -> ([Mailbox<Command>], Bool) in
            guard !state.isStopped else { return ([], false) }
            state.isStopped = true
            return (state.mailboxes, state.accepting == 0)
        }
        for mailbox in mailboxes { mailbox.post(.stop) }
        if isLast { close() }
    }

    private func acceptorsClosed() {
        let isLast = state.withLock { state in
            state.accepting -= 1
            return state.accepting == 0
        }
        if isLast { close() }
    }

    private func close() {
        for socket in sockets { socket.close() }
        stopped()
    }
}
