// Stream-socket system calls with their three outcomes: progress, later, over.

internal import CLinux
internal import Glibc

/// What came of a read or a write.
@frozen
public enum SocketResult {
    /// That many bytes moved; at least one.
    case moved(Int)
    /// Nothing can move before the socket is ready again.
    case wouldBlock
    /// The peer has ended its sending (reads only).
    case ended
    /// The connection is lost; the errno says how.
    case failed(CInt)
}

/// Calls on non-blocking stream sockets.
///
/// Each corresponds to the C function in its last line.
public enum Socket {
    /// Reads into a buffer's room, at most `limit` bytes.
    ///
    /// `recv`.
    public static func receive(_ descriptor: CInt, into buffer: Buffer, limit: Int = .max) -> SocketResult {
        let wanted = min(buffer.room, limit)
        precondition(wanted > 0, "room to read into")
        while true {
            let count = recv(descriptor, buffer.base + buffer.end, wanted, 0)
            if count > 0 {
                buffer.end += count
                return .moved(count)
            }
            if count == 0 { return .ended }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Sends a buffer's region as far as the socket takes it, and drops what was sent from the region.
    ///
    /// `send`.
    public static func send(_ descriptor: CInt, from buffer: Buffer) -> SocketResult {
        while true {
            let count = Glibc.send(descriptor, buffer.base + buffer.start, buffer.count, CInt(MSG_NOSIGNAL))
            if count >= 0 {
                buffer.start += count
                return .moved(count)
            }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Whether an idle connection has anything to read: bytes, an end, or an error.
    ///
    /// `recv` with MSG_PEEK.
    public static func hasPendingInput(_ descriptor: CInt) -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
            if count >= 0 { return true }
            if errno != EINTR { return errno != EAGAIN }
        }
    }

    /// How many bytes that were sent the peer has not acknowledged.
    ///
    /// `ioctl` SIOCOUTQ.
    public static func unacknowledged(_ descriptor: CInt) -> Int { Int(lb_unacknowledged(descriptor)) }

    /// Ends the sending direction.
    ///
    /// `shutdown`.
    public static func shutDownWriting(_ descriptor: CInt) { _ = shutdown(descriptor, CInt(SHUT_WR)) }

    /// Makes the coming close reset the connection, so that the peer sees an error, not an end.
    ///
    /// `setsockopt` SO_LINGER.
    public static func resetOnClose(_ descriptor: CInt) {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
    }

    /// How many descriptors the process may be allowed to open at most.
    ///
    /// `getrlimit` RLIMIT_NOFILE.
    public static var descriptorLimit: UInt64 { lb_descriptor_limit() }

    /// The errno with which the system refuses another descriptor; nil when it gives one.
    ///
    /// `open` of /dev/null.
    public static var whyNoDescriptor: CInt? {
        let descriptor = lb_null_device()
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        return nil
    }

    /// Lets the process open as many descriptors as its hard limit allows; returns that limit.
    ///
    /// `setrlimit` RLIMIT_NOFILE.
    public static func raiseDescriptorLimit() -> UInt64 { lb_raise_descriptor_limit() }

    /// Closes a descriptor.
    ///
    /// `close`.
    public static func closeDescriptor(_ descriptor: CInt) { _ = close(descriptor) }
}
