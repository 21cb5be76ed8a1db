// What the kernel knows of the other end of a connection: how much has come there, and how much of it was read.

import Glibc

extension Connection {
    /// Waits until the other end, a TCP socket of this machine, has read all that was sent, or reads no more.
    ///
    /// What is sent afterwards cannot be read together with it.
    func waitUntilRead() throws {
        var kernel = try SocketDiagnosis()
        let limit = UInt64(sentCount)
        var hasArrived = false
        try eventually("all that was sent to be read", within: patience, pause: 20) {
            let answer: SocketDiagnosis.Answer
            do { answer = try kernel.inbound(of: peerPort, from: port) } catch is SocketDiagnosis.Silence {
                kernel = try SocketDiagnosis()
                return false
            }
            guard case .open(let inbound) = answer else { return true }
            // The queue counts what has arrived: only when all has, and is seen to have, does an empty one mean that it was read.
            if hasArrived, inbound.unread == 0 { return true }
            hasArrived = inbound.received >= limit
            return false
        }
    }
}

/// Asks the kernel about TCP connections over the loopback interface (sock_diag(7)).
///
/// Confined to its thread.
private final class SocketDiagnosis {
    /// The kernel has not answered, which happens once in many thousand questions: it is to be asked again, through another socket.
    struct Silence: Error {}

    enum Answer {
        case open(Inbound)
        /// Closed, or being closed.
        case closed
    }

    /// What a socket has received; a connection that waits to be accepted has a socket, too.
    struct Inbound {
        /// Bytes that have come since it was connected, read or not.
        let received: UInt64
        /// Bytes that nobody has read yet.
        let unread: UInt32
    }

    // From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h, which Glibc's module leaves out.
    private static let netlinkSocketDiagnosis: CInt = 4
    private static let byFamily: UInt16 = 20
    private static let isRequest: UInt16 = 1
    private static let wantsInfo: UInt8 = 1 << 1
    private static let requestSize = 72
    private static let stateOffset = 17
    private static let unreadOffset = 72
    private static let attributesOffset = 88
    private static let infoAttribute: UInt16 = 2
    /// Where tcpi_bytes_received stands in struct tcp_info.
    private static let receivedOffset = 128

    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_NETLINK, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), Self.netlinkSocketDiagnosis)
        guard descriptor >= 0 else { throw Disappointment("no socket for sock_diag: errno \(errno)") }
        var limit = timeval(tv_sec: 0, tv_usec: 500_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// What the socket on a port has received from another port.
    func inbound(of port: UInt16, from peerPort: UInt16) throws -> Answer {
        let request = Self.request(port, peerPort)
        guard send(descriptor, request, request.count, 0) == request.count else {
            throw Disappointment("sock_diag takes no request: errno \(errno)")
        }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        if count < 0, errno == EAGAIN { throw Silence() }
        guard count >= 20 else { throw Disappointment("sock_diag does not answer: errno \(errno)") }
        let inbound = try reply.withUnsafeBytes { try Self.inbound(in: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        return inbound.map { .open($0) } ?? .closed
    }

    private static func request(_ port: UInt16, _ peerPort: UInt16) -> [UInt8] {
        var request = [UInt8](repeating: 0, count: requestSize)
        request.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt32(requestSize), toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: byFamily, toByteOffset: 4, as: UInt16.self)
            bytes.storeBytes(of: isRequest, toByteOffset: 6, as: UInt16.self)
            bytes[16] = UInt8(AF_INET)
            bytes[17] = UInt8(IPPROTO_TCP)
            bytes[18] = wantsInfo
            bytes.storeBytes(of: .max, toByteOffset: 20, as: UInt32.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 24, as: UInt16.self)
            bytes.storeBytes(of: peerPort.bigEndian, toByteOffset: 26, as: UInt16.self)
            let loopback = UInt32(0x7F00_0001).bigEndian
            bytes.storeBytes(of: loopback, toByteOffset: 28, as: UInt32.self)
            bytes.storeBytes(of: loopback, toByteOffset: 44, as: UInt32.self)
            // No cookie: the ports say which socket is meant.
            bytes.storeBytes(of: .max, toByteOffset: 64, as: UInt64.self)
        }
        return request
    }

    private static func inbound(in reply: UnsafeRawBufferPointer) throws -> Inbound? {
        guard reply.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == byFamily else {
            let code = -reply.loadUnaligned(fromByteOffset: 16, as: Int32.self)
            guard code == ENOENT else { throw Disappointment("sock_diag answers with errno \(code)") }
            return nil
        }
        switch CInt(reply[stateOffset]) {
        // A listening socket is found when there is no other.
        case CInt(TCP_TIME_WAIT), CInt(TCP_CLOSE), CInt(TCP_LISTEN): return nil
        default: break
        }
        let unread = reply.loadUnaligned(fromByteOffset: unreadOffset, as: UInt32.self)
        var offset = attributesOffset
        while offset + 4 <= reply.count {
            let length = Int(reply.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            let kind = reply.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
            if kind == infoAttribute, length >= 4 + receivedOffset + 8 {
                let received = reply.loadUnaligned(fromByteOffset: offset + 4 + receivedOffset, as: UInt64.self)
                return Inbound(received: received, unread: unread)
            }
            offset += max(4, (length + 3) & ~3)
        }
        // A handshake that is not complete on that side.
        return Inbound(received: 0, unread: unread)
    }
}
