// Where clients connect: sockets that listen, and the hand-over of what they accept.

internal import CLinux
public import EventLoop
internal import Glibc
public import Logging

/// A freshly accepted connection on its way to a worker.
public struct AcceptedSocket: Sendable {
    public let descriptor: CInt
    public let peer: PeerAddress
    /// Why it is not served, if it is one too many.
    public var refusal: ConnectionRefusal?

    /// Closes a socket that no worker wants.
    public func close() { Socket.closeDescriptor(descriptor) }
}

/// A listening socket could not be made.
public struct ListenError: Error, CustomStringConvertible {
    public let address: ListenAddress
    public let reason: String

    public var description: String { "LB_LISTEN=\(address): \(reason)" }
}

/// One bound address that accepts connections and delivers them.
///
/// Loop thread only, once started.
public final class Listener: EventHandler {
    /// Connections that the kernel holds before they are accepted; the kernel caps it at net.core.somaxconn.
    private static let backlog: CInt = 4096
    /// What may wait in the kernel for a client that does not read; it would else be megabytes for each.
    private static let unsentLimit: CInt = 128 * 1024
    /// Connections accepted in one go before other events get their turn.
    private static let acceptsPerTurn = 256
    /// How long accepting rests when the process or the system has no descriptor left.
    private static let exhaustionPause: UInt64 = 100_000_000
    /// What a connection gets that can be accepted on the reserve only.
    private static let exhaustionAnswer: StaticString = """
        HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n
        """

    /// The address bound, with the port that the kernel chose where 0 was asked for.
    public let address: ListenAddress
    private let socket: CInt
    private let diagnostics: Logger
    private let deliver: (AcceptedSocket) -> Void
    /// How often running out of descriptors is reported.
    private static let reportInterval: UInt64 = 10_000_000_000

    /// A descriptor held back for the time when there is no other: with it a client can be told, and does not hang.
    private var reserve = lb_null_device()
    private var refusedOnReserve = 0
    private var isExhausted = false
    private var nextReport = MonotonicTime(nanoseconds: 0)
    private var isClosed = false

    /// Binds an address and listens; clients are accepted after ``start()``.
    ///
    /// - Throws: ``ListenError`` when the address is in use, not this machine's, or not allowed.
    public init(
        _ address: ListenAddress,
        loop: EventLoop,
        diagnostics: Logger,
        deliver: @escaping (AcceptedSocket) -> Void
    ) throws(ListenError) {
        (socket, self.address) = try Listener.listen(on: address)
        self.diagnostics = diagnostics
        self.deliver = deliver
        super.init(loop: loop)
    }

    /// Begins to accept.
    public func start() {
        guard loop.register(self, descriptor: socket, interest: .readable, edgeTriggered: false) else {
            preconditionFailure("epoll refuses a listening socket")
        }
    }

    /// Delivers what the kernel has accepted already, then stops listening; clients are refused from now on.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        while acceptOnce() {}
        loop.unregister(self, isClosing: true)
        Socket.closeDescriptor(socket)
        if reserve >= 0 { Socket.closeDescriptor(reserve) }
        if case .unix(let path) = address { unlink(path) }
    }

    public override func ready(_ readiness: Readiness) {
        for _ in 0..<Listener.acceptsPerTurn {
            guard acceptOnce() else { return }
        }
    }

    public override func deadlineReached() {
        guard isExhausted, !isClosed else { return }
        isExhausted = false
        loop.modify(self, interest: .readable, edgeTriggered: false)
    }

    /// Accepts one connection; false when there is none, or none can be had now.
    private func acceptOnce() -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = lb_accept(socket, &storage, &length)
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
        let descriptor = lb_accept(socket, nil, nil)
        guard descriptor >= 0 else { return errno == EAGAIN ? .nobodyWaits : .impossible }
        refusedOnReserve += 1
        let answer = Listener.exhaustionAnswer
        _ = send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount, CInt(MSG_NOSIGNAL))
        Socket.shutDownWriting(descriptor)
        Socket.closeDescriptor(descriptor)
        return .refused
    }

    private func report(because code: CInt) {
        guard loop.now >= nextReport else { return }
        nextReport = loop.now + Listener.reportInterval
        diagnostics.error(
            """
            no connection can be accepted on \(address): \(String(cString: strerror(code))); connections are refused, \(refusedOnReserve) so far; \
            raise the limit of open files (ulimit -n), or lower LB_MAX_CONNECTIONS
            """
        )
    }

    /// Without descriptors a level-triggered listener would spin: it looks away for a moment.
    private func rest() {
        guard !isClosed else { return }
        if reserve < 0 { reserve = lb_null_device() }
        isExhausted = true
        loop.modify(self, interest: [], edgeTriggered: false)
        setDeadline(loop.now + Listener.exhaustionPause)
    }

    // MARK: Binding

    private static func listen(on address: ListenAddress) throws(ListenError) -> (CInt, ListenAddress) {
        switch address {
        case .tcp(let host, let port): try listen(host: host, port: port)
        case .unix(let path): (try listen(path: path), address)
        }
    }

    private static func listen(host: String, port: UInt16) throws(ListenError) -> (CInt, ListenAddress) {
        let address = ListenAddress.tcp(host: host, port: port)
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host == "*" ? nil : host, String(port), &hints, &list)
        guard code == 0, let info = list?.pointee else {
            throw ListenError(address: address, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }

        let socket = lb_stream_socket(info.ai_family)
        guard socket >= 0 else { throw ListenError(address: address, reason: String(cString: strerror(errno))) }
        _ = lb_set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        // So that 0.0.0.0 and [::] can both be listened on, by two addresses in the list.
        if info.ai_family == AF_INET6 { _ = lb_set_ipv6_only(socket) }
        // Accepted sockets inherit it: one call instead of one for each connection.
        _ = lb_set_no_delay(socket)
        _ = lb_set_unsent_limit(socket, unsentLimit)
        guard bind(socket, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(socket, backlog) == 0 else {
            let reason = explain(errno)
            Socket.closeDescriptor(socket)
            throw ListenError(address: address, reason: reason)
        }
        return (socket, .tcp(host: host, port: port == 0 ? boundPort(socket) : port))
    }

    private static func listen(path: String) throws(ListenError) -> CInt {
        let address = ListenAddress.unix(path: path)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: name.sun_path)
        guard path.utf8.count < capacity else {
            throw ListenError(address: address, reason: "the path is longer than \(capacity - 1) bytes")
        }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let socket = lb_stream_socket(AF_UNIX)
        guard socket >= 0 else { throw ListenError(address: address, reason: String(cString: strerror(errno))) }
        removeStaleSocket(at: path, &name)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, Glibc.listen(socket, backlog) == 0 else {
            let reason = explain(errno)
            Socket.closeDescriptor(socket)
            throw ListenError(address: address, reason: reason)
        }
        return socket
    }

    /// Removes a socket file that nobody listens on any more; any other file stays, and makes binding fail.
    private static func removeStaleSocket(at path: String, _ name: inout sockaddr_un) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let probe = lb_stream_socket(AF_UNIX)
        guard probe >= 0 else { return }
        defer { Socket.closeDescriptor(probe) }
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result != 0, errno == ECONNREFUSED { unlink(path) }
    }

    private static func boundPort(_ socket: CInt) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        return PeerAddress(storage).port
    }

    private static func explain(_ code: CInt) -> String {
        let reason = String(cString: strerror(code))
        return switch code {
        case EADDRINUSE: "\(reason): another process listens there; stop it, or choose another port"
        case EACCES: "\(reason): ports below 1024 need the capability CAP_NET_BIND_SERVICE, paths a writable directory"
        case EADDRNOTAVAIL: "\(reason): no interface of this machine has the address"
        default: reason
        }
    }
}
