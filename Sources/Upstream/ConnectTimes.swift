// How long it took to make a connection, by its parts.

/// The parts of connecting, as libcurl measures them, in nanoseconds.
public struct ConnectTimes: Sendable, Equatable {
    /// Name lookup; next to nothing for an address.
    public var lookup: UInt64
    /// The TCP connection, or that of a Unix-domain socket.
    public var connect: UInt64
    /// The TLS handshake; nil without TLS.
    public var handshake: UInt64?

    public init(lookup: UInt64, connect: UInt64, handshake: UInt64?) {
        self.lookup = lookup
        self.connect = connect
        self.handshake = handshake
    }
}
