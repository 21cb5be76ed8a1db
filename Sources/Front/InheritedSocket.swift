// A listening socket that another process has made: systemd, or the balancer that ran before.

internal import CLinux
internal import EventLoop
internal import Glibc

/// A socket that listens already, to be accepted from.
public struct InheritedSocket: Sendable, Equatable {
    public let descriptor: CInt
    /// As it was asked for: with port 0 where the kernel was to choose.
    public let wanted: ListenAddress
    /// As it is bound.
    public let address: ListenAddress
    /// Whether the file of a Unix-domain socket is removed in the end: not where another program has made it, and keeps it.
    public let isOwned: Bool

    public init(descriptor: CInt, wanted: ListenAddress, address: ListenAddress, isOwned: Bool) {
        self.descriptor = descriptor
        self.wanted = wanted
        self.address = address
        self.isOwned = isOwned
    }

    /// Looks at a descriptor that another program has passed on; its options become those of our own sockets.
    ///
    /// - Throws: ``InheritanceError`` when it is no stream socket that listens on an address of a kind that we know.
    public init(adopting descriptor: CInt) throws(InheritanceError) {
        guard lb_get_option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) == 1,
            lb_get_option(descriptor, SOL_SOCKET, SO_TYPE) == CInt(SOCK_STREAM.rawValue)
        else { throw InheritanceError(descriptor: descriptor, reason: "it is no stream socket that listens") }
        guard let address = Self.address(of: descriptor) else {
            throw InheritanceError(descriptor: descriptor, reason: "its address is neither TCP's nor a path")
        }
        ListeningSocket.prepare(descriptor, isTCP: address.isTCP)
        self.init(descriptor: descriptor, wanted: address, address: address, isOwned: false)
    }

    /// Closes this process's copy of one that nobody needs here.
    public func close() { Socket.closeDescriptor(descriptor) }

    private static func address(of descriptor: CInt) -> ListenAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        switch CInt(storage.ss_family) {
        case AF_INET, AF_INET6:
            let bound = PeerAddress(storage)
            return .tcp(host: bound.host, port: bound.port)
        case AF_UNIX:
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
            let path = withUnsafeBytes(of: storage) { bytes in
                String(decoding: bytes[start..<max(start, Int(length))].prefix { $0 != 0 }, as: UTF8.self)
            }
            return path.hasPrefix("/") ? .unix(path: path) : nil
        default:
            return nil
        }
    }
}

/// A descriptor that was passed on cannot be accepted from.
public struct InheritanceError: Error, CustomStringConvertible {
    public let descriptor: CInt
    public let reason: String

    public var description: String { "descriptor \(descriptor), which was passed on to listen: \(reason)" }
}

extension ListenAddress {
    var isTCP: Bool {
        switch self {
        case .tcp: true
        case .unix: false
        }
    }
}
