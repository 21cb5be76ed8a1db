// All listening sockets of the process, and the workers that accept from them.

public import EventLoop
public import Glibc
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

    private struct State {
        /// Descriptors of sockets that another process goes on with, or may go on with.
        var left: Set<CInt> = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The addresses bound, with the ports that the kernel chose.
    public var addresses: [ListenAddress] { sockets.map(\.address) }

    /// Binds all addresses; clients that come before a worker accepts wait in the kernel.
    ///
    /// - Parameters:
    ///   - inherited: sockets that other processes have made; one that is bound as an address wants it is not bound again. All of
    ///     them are the group's from here on, or closed: those that no address wants, and all of them when this throws.
    ///   - socketMode: the permissions of Unix-domain sockets' files, before anybody can connect; nil for what the umask leaves.
    ///   - workers: how many will call ``accept(on:deliver:)``.
    ///   - stopped: called once, on the thread of the last worker that stops accepting, when all have delivered what they had.
    /// - Throws: ``ListenError`` for the first address that cannot be had; none is listened on then.
    public init(
        on addresses: [ListenAddress],
        inheriting inherited: [InheritedSocket] = [],
        socketMode: mode_t? = nil,
        workers: Int,
        diagnostics: Logger,
        stopped: @escaping @Sendable () -> Void
    ) throws(ListenError) {
        var sockets: [ListeningSocket] = []
        var unused = inherited
        do throws(ListenError) {
            for address in addresses {
                if let index = unused.firstIndex(where: { $0.wanted == address || $0.address == address }) {
                    sockets.append(ListeningSocket(unused.remove(at: index)))
                } else {
                    sockets.append(try ListeningSocket(on: address, mode: socketMode))
                }
            }
        } catch {
            let made = Set(inherited.map(\.descriptor))
            for socket in sockets { socket.close(isLeft: made.contains(socket.descriptor)) }
            for socket in unused { socket.close() }
            throw error
        }
        for socket in unused { socket.close() }
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

    /// What another process needs to go on with the sockets.
    public var heritage: [InheritedSocket] {
        sockets.map {
            InheritedSocket(descriptor: $0.descriptor, wanted: $0.wanted, address: $0.address, isOwned: $0.isOwned)
        }
    }

    /// Takes note that another process goes on with some of the sockets: they are closed here in the end, and nothing more.
    public func leave(_ descriptors: Set<CInt>) { state.withLock { $0.left = descriptors } }

    /// Takes note that no other process goes on with any of them.
    public func takeBack() { leave([]) }

    /// Gives all sockets to another process, which may go on with them: until ``leave(_:)`` or ``takeBack()`` all are left.
    ///
    /// - Parameter send: Sends the descriptors; they are not closed meanwhile.
    /// - Returns: What that has returned; false when the sockets are closed already.
    public func pass(_ send: () -> Bool) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.left = Set(sockets.map(\.descriptor))
            return send()
        }
    }

    /// Closes all sockets before any worker has accepted from them.
    public func abandon() { close() }

    fileprivate func isLeft(_ descriptor: CInt) -> Bool { state.withLock { $0.left.contains(descriptor) } }

    fileprivate func workerStopped() {
        guard accepting.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        close()
        stopped()
    }

    private func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            for socket in sockets { socket.close(isLeft: state.left.contains(socket.descriptor)) }
        }
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
        for acceptor in acceptors { acceptor.close(isLeft: group.isLeft(acceptor.socketDescriptor)) }
        group.workerStopped()
    }

    /// Accepts what waits, whether the kernel has told of it or not.
    public func look() {
        guard !isClosed else { return }
        for acceptor in acceptors { acceptor.look() }
    }
}

@available(*, unavailable)
extension WorkerAcceptors: Sendable {}
