// A bound address that listens: made once, accepted from by all workers.

internal import CLinux
internal import EventLoop
internal import Glibc

/// A listening socket could not be made.
public struct ListenError: Error, CustomStringConvertible {
    public let address: ListenAddress
    public let reason: String

    public var description: String { "LB_LISTEN=\(address): \(reason)" }
}

/// A socket that listens on one address.
struct ListeningSocket: Sendable {
    /// Connections that the kernel holds before they are accepted; the kernel caps it at net.core.somaxconn.
    static let backlog: CInt = 4096
    /// What may wait in the kernel for a client that does not read; it would else be megabytes for each.
    private static let unsentLimit: CInt = 128 * 1024

    /// The address bound, with the port that the kernel chose where 0 was asked for.
    let address: ListenAddress
    /// The address as it was asked for.
    let wanted: ListenAddress
    let descriptor: CInt
    /// Whether the file of a Unix-domain socket goes with it.
    let isOwned: Bool
    /// The file, where the address is a path.
    private let file: SocketFile?

    /// Takes over one that another process has made.
    init(_ inherited: InheritedSocket) {
        (descriptor, address, wanted) = (inherited.descriptor, inherited.address, inherited.wanted)
        isOwned = inherited.isOwned
        file = SocketFile(of: address)
    }

    /// Binds an address and listens.
    ///
    /// - Parameter mode: The permissions of a Unix-domain socket's file; nil for what the umask leaves.
    /// - Throws: ``ListenError`` when the address is in use, not this machine's, or not allowed.
    init(on address: ListenAddress, mode: mode_t? = nil) throws(ListenError) {
        (descriptor, self.address) = try Self.listen(on: address, mode)
        wanted = address
        isOwned = true
        file = SocketFile(of: self.address)
    }

    /// Stops listening; clients are refused from now on, unless another process has the socket, too.
    ///
    /// - Parameter isLeft: Whether another process goes on with it: the path stays.
    func close(isLeft: Bool = false) {
        // First: once it is closed, another process may take the path over.
        if isOwned, !isLeft { file?.remove() }
        Socket.closeDescriptor(descriptor)
    }

    /// Gives a socket the options that accepted ones inherit, or that accepting asks for.
    static func prepare(_ socket: CInt, isTCP: Bool) {
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        guard isTCP else { return }
        // Accepted sockets inherit it: one call instead of one for each connection.
        _ = lb_set_no_delay(socket)
        _ = lb_set_unsent_limit(socket, unsentLimit)
    }

    private static func listen(
        on address: ListenAddress,
        _ mode: mode_t?
    ) throws(ListenError) -> (CInt, ListenAddress) {
        switch address {
        case .tcp(let host, let port): try listen(host: host, port: port)
        case .unix(let path): (try listen(path: path, mode), address)
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
        prepare(socket, isTCP: true)
        guard bind(socket, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(socket, backlog) == 0 else {
            let reason = explain(errno)
            Socket.closeDescriptor(socket)
            throw ListenError(address: address, reason: reason)
        }
        return (socket, .tcp(host: host, port: port == 0 ? boundPort(socket) : port))
    }

    private static func listen(path: String, _ mode: mode_t?) throws(ListenError) -> CInt {
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
        // Before it listens, so that nobody is let in who may not.
        let isProtected = result != 0 || mode.map { chmod(path, $0) == 0 } ?? true
        guard result == 0, isProtected, Glibc.listen(socket, backlog) == 0 else {
            let reason = explain(errno)
            if result == 0 { unlink(path) }
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

/// The file at a Unix-domain socket's path, as it was when the socket began to listen.
private struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let number: ino_t

    /// nil for what is no path.
    init?(of address: ListenAddress) {
        guard case .unix(let path) = address else { return nil }
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        (self.path, device, number) = (path, status.st_dev, status.st_ino)
    }

    /// Removes it, unless another one has taken its place meanwhile: that one is somebody else's.
    func remove() {
        guard let current = SocketFile(of: .unix(path: path)), current.device == device, current.number == number
        else { return }
        unlink(path)
    }
}
