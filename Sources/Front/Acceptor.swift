// One worker's hold of a listening socket: it accepts for itself, and for the others.

internal import CLinux
internal import Dispatch
internal import EventLoop
internal import Glibc
internal import Logging

/// A freshly accepted connection on its way to a worker.
public struct AcceptedSocket: Sendable {
    public let descriptor: CInt
    public let peer: PeerAddress
    /// In which counts it stands.
    public var admission = ConnectionAdmission.served

    /// Closes a socket that no worker wants.
    public func close() { Socket.closeDescriptor(descriptor) }
}

/// Accepts from one listening socket on one loop and delivers what comes.
///
/// Loop thread only. The socket stands in the epoll of every worker, and the kernel wakes one that waits, not all of them
/// (EPOLLEXCLUSIVE).
final class Acceptor: EventHandler {
    /// Connections accepted in one go before other events get their turn.
    private static let acceptsPerTurn = 256
    /// How long accepting rests when the process or the system has no descriptor left.
    private static let exhaustionPause: UInt64 = 100_000_000
    /// How often running out of descriptors is reported.
    private static let reportInterval: UInt64 = 10_000_000_000
    /// What a connection gets that can be accepted on the reserve only.
    private static let exhaustionAnswer: StaticString = """
        HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n
        """

    private let socket: ListeningSocket
    private let diagnostics: Logger
    private let deliver: (AcceptedSocket) -> Void

    /// A descriptor held back for the time when there is no other: with it a client can be told, and does not hang.
    private var reserve = lb_null_device()
    private var refusedOnReserve = 0
    private var isExhausted = false
    private var nextReport = MonotonicTime(nanoseconds: 0)
    private var isClosed = false

    /// Begins to accept.
    init(
        from socket: ListeningSocket,
        on loop: EventLoop,
        diagnostics: Logger,
        deliver: @escaping (AcceptedSocket) -> Void
    ) {
        self.socket = socket
        self.diagnostics = diagnostics
        self.deliver = deliver
        super.init(loop: loop)
        if !watch() { rest() }
    }

    /// False when the kernel has no memory or no watch left.
    private func watch() -> Bool {
        let interest: Readiness = [.readable, .exclusively]
        if loop.register(self, descriptor: socket.descriptor, interest: interest, edgeTriggered: false) { return true }
        report(because: errno)
        return false
    }

    var socketDescriptor: CInt { socket.descriptor }

    /// Delivers what the kernel has accepted already, and accepts no more.
    ///
    /// - Parameter isLeft: Whether another process goes on with the socket: what waits is left to it, which looks for it, since the
    ///   kernel may have woken this one alone.
    func close(isLeft: Bool = false) {
        guard !isClosed else { return }
        isClosed = true
        // No more than can have waited: what keeps coming has come after the end.
        if !isLeft { for _ in 0..<2 * ListeningSocket.backlog { guard acceptOnce() else { break } } }
        loop.unregister(self)
        if reserve >= 0 { Socket.closeDescriptor(reserve) }
    }

    override func ready(_ readiness: Readiness) {
        for _ in 0..<Acceptor.acceptsPerTurn {
            guard acceptOnce() else { return }
        }
    }

    /// Accepts what waits, though nobody has told of it.
    func look() { if !isClosed, !isExhausted { ready(.readable) } }

    override func deadlineReached() {
        guard isExhausted, !isClosed else { return }
        isExhausted = false
        if !watch() { rest() }
    }

    /// Accepts one connection; false when there is none, or none can be had now.
    private func acceptOnce() -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = lb_accept(socket.descriptor, &storage, &length)
        if descriptor >= 0 {
            deliver(AcceptedSocket(descriptor: descriptor, peer: PeerAddress(storage)))
            return true
        }
        switch errno {
        case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH:
            // The connection is gone before it was accepted: on with the next (accept(2)).
            return true
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            let code = errno
            switch code == EMFILE || code == ENFILE ? refuseOnReserve() : .impossible {
            case .refused:
                report(because: code)
                return true
            case .nobodyWaits:
                return false
            case .impossible:
                report(because: code)
                rest()
                return false
            }
        default:
            return false
        }
    }

    /// What came of refusing a connection.
    private enum Refusing {
        case refused
        /// The kernel takes a descriptor before it looks whether there is a connection.
        case nobodyWaits
        case impossible
    }

    /// Gives the reserve up to accept one connection, which is told that it cannot be served.
    private func refuseOnReserve() -> Refusing {
        guard reserve >= 0 else { return .impossible }
        Socket.closeDescriptor(reserve)
        defer { reserve = lb_null_device() }
        let descriptor = lb_accept(socket.descriptor, nil, nil)
        guard descriptor >= 0 else { return errno == EAGAIN ? .nobodyWaits : .impossible }
        refusedOnReserve += 1
        let answer = Acceptor.exhaustionAnswer
        _ = send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount, CInt(MSG_NOSIGNAL))
        Socket.shutDownWriting(descriptor)
        Socket.closeDescriptor(descriptor)
        return .refused
    }

    private func report(because code: CInt) {
        guard loop.now >= nextReport else { return }
        nextReport = loop.now + Acceptor.reportInterval
        let text = """
            no connection can be accepted on \(socket.address): \(String(cString: strerror(code))); connections are refused, \(refusedOnReserve) so far; \
            raise the limit of open files (ulimit -n), or lower LB_MAX_CONNECTIONS
            """
        // Nobody may be reading standard error, and a worker does not wait.
        DispatchQueue.global(qos: .utility).async { [diagnostics] in diagnostics.error("\(text)") }
    }

    /// Without descriptors a level-triggered listener would spin: it looks away for a moment.
    private func rest() {
        guard !isClosed else { return }
        if reserve < 0 { reserve = lb_null_device() }
        isExhausted = true
        loop.unregister(self)
        setDeadline(loop.now + Acceptor.exhaustionPause)
    }
}
