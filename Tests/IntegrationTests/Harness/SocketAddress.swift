// Addresses that tests listen on and connect to.

import CLinux
import Glibc

/// A port of the loopback interface, or a path.
enum SocketAddress: Sendable {
    case loopback(port: UInt16)
    case unix(path: String)

    var family: CInt {
        switch self {
        case .loopback: AF_INET
        case .unix: AF_UNIX
        }
    }

    /// The corresponding C function is `connect`.
    func connect(_ descriptor: CInt) -> CInt { withAddress { Glibc.connect(descriptor, $0, $1) } }

    /// Binds a new socket to the address.
    ///
    /// - Throws: ``Disappointment`` when it cannot be had.
    func bind() throws -> CInt {
        let descriptor = lb_stream_socket(family)
        guard withAddress({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
            Glibc.close(descriptor)
            throw Disappointment("cannot bind \(self): errno \(errno)")
        }
        return descriptor
    }

    /// The port that a socket is bound to, or with `getpeername` connected to.
    static func port(
        of descriptor: CInt,
        _ name: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt = {
            getsockname($0, $1, $2)
        }
    ) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        switch self {
        case .loopback(let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            return Self.rebound(&name, body)
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            return Self.rebound(&name, body)
        }
    }

    private static func rebound<Name>(_ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt
    {
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
        }
    }
}
