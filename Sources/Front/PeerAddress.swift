// Who is at the other end of an accepted connection.

internal import CLinux
internal import Glibc
internal import Telemetry

/// A client's address, kept in a few words and written out when somebody asks.
public struct PeerAddress: Sendable, Equatable {
    /// What kind of address it is.
    public enum Family: UInt8, Sendable {
        case ipv4
        case ipv6
        /// A Unix-domain socket's peer has no address.
        case unix
    }

    public let family: Family
    /// The port, in host order; 0 for Unix-domain sockets, and when a proxy has told the address without one.
    public let port: UInt16
    /// The address's 128 bits in network order; an IPv4 address stands in the first four bytes.
    private let bytes: (UInt64, UInt64)

    /// A Unix-domain socket's peer.
    public static let unix = Self(family: .unix, port: 0, bytes: (0, 0))

    init(family: Family, port: UInt16, bytes: (UInt64, UInt64)) {
        self.family = family
        self.port = port
        self.bytes = bytes
    }

    /// The address in a `sockaddr` as `accept` filled it; IPv4 clients of an IPv6 listener count as IPv4.
    init(_ storage: sockaddr_storage) {
        self = withUnsafePointer(to: storage) { pointer -> PeerAddress in
            let raw = UnsafeRawPointer(pointer)
            switch CInt(storage.ss_family) {
            case AF_INET:
                let address = raw.loadUnaligned(as: sockaddr_in.self)
                return PeerAddress(
                    family: .ipv4,
                    port: UInt16(bigEndian: address.sin_port),
                    bytes: (UInt64(address.sin_addr.s_addr), 0)
                )
            case AF_INET6:
                let address = raw.loadUnaligned(as: sockaddr_in6.self)
                return PeerAddress(address.sin6_addr, port: UInt16(bigEndian: address.sin6_port))
            default:
                return .unix
            }
        }
    }

    /// An IPv6 address, or the IPv4 address that it stands for: ::ffff:a.b.c.d.
    init(_ address: in6_addr, port: UInt16) {
        let bytes = withUnsafeBytes(of: address) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        let isMapped = bytes.0 == 0 && UInt32(truncatingIfNeeded: bytes.1) == UInt32(0x0000_FFFF).bigEndian
        self.init(family: isMapped ? .ipv4 : .ipv6, port: port, bytes: isMapped ? (bytes.1 >> 32, 0) : bytes)
    }

    /// The address as a number whose order is that of the bytes; an IPv4 address has 32 bits.
    var number: UInt128 {
        family == .ipv4
            ? UInt128(UInt32(bigEndian: UInt32(truncatingIfNeeded: bytes.0)))
            : UInt128(UInt64(bigEndian: bytes.0)) << 64 | UInt128(UInt64(bigEndian: bytes.1))
    }

    /// An address without a port; the reverse of ``number``.
    init(family: Family, number: UInt128) {
        let bytes: (UInt64, UInt64) =
            family == .ipv4
            ? (UInt64(UInt32(truncatingIfNeeded: number).bigEndian), 0)
            : (UInt64(truncatingIfNeeded: number >> 64).bigEndian, UInt64(truncatingIfNeeded: number).bigEndian)
        self.init(family: family, port: 0, bytes: bytes)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.family == right.family && left.port == right.port && left.bytes == right.bytes
    }

    /// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which is the least that one customer gets.
    struct Client: Hashable {
        let family: Family
        let bits: UInt64
    }

    /// Who the peer is, whatever its port; nil for Unix-domain sockets.
    var client: Client? { family == .unix ? nil : Client(family: family, bits: bytes.0) }

    /// Each octet's digits and the dot behind them, in the order of memory; they do not change.
    private nonisolated(unsafe) static let octets: UnsafePointer<UInt32> = {
        let words = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
        for octet in 0..<256 {
            let text = "\(octet).".utf8
            (words + octet).initialize(to: text.reversed().reduce(0) { $0 << 8 | UInt32($1) }.littleEndian)
        }
        return UnsafePointer(words)
    }()

    /// The longest text: an IPv6 address in brackets with a port.
    public static let maximumTextLength = 56

    /// Writes the address without its port: `192.0.2.1`, `2001:db8::1`, `unix`.
    ///
    /// - Returns: how many bytes were written; the target has at least ``maximumTextLength``.
    public func writeHost(to target: UnsafeMutableRawBufferPointer) -> Int {
        switch family {
        case .unix:
            target.copyBytes(from: "unix".utf8)
            return 4
        case .ipv4:
            guard let base = target.baseAddress else { return 0 }
            let octets = Self.octets
            var end = base
            for index in 0..<4 as Range<UInt64> {
                let octet = Int(truncatingIfNeeded: bytes.0 &>> (8 &* index) & 0xFF)
                end.storeBytes(of: octets[octet], as: UInt32.self)
                end += octet >= 100 ? 4 : octet >= 10 ? 3 : 2
            }
            return end - base &- 1
        case .ipv6:
            var address = bytes
            let text = target.assumingMemoryBound(to: CChar.self)
            guard inet_ntop(AF_INET6, &address, text.baseAddress, socklen_t(target.count)) != nil else { return 0 }
            return target.firstIndex(of: 0) ?? target.count
        }
    }

    /// The address without its port; not for the way of a request.
    public var host: String {
        withUnsafeTemporaryAllocation(byteCount: Self.maximumTextLength, alignment: 1) { text in
            String(decoding: text[..<writeHost(to: text)], as: UTF8.self)
        }
    }

    /// Writes address and port: `192.0.2.1:80`, `[2001:db8::1]:80`, `unix`; without brackets where there is no port.
    public func write(to target: UnsafeMutableRawBufferPointer) -> Int {
        guard port != 0 else { return writeHost(to: target) }
        var length = 0
        if family == .ipv6 {
            target[0] = UInt8(ascii: "[")
            length = 1 + writeHost(to: UnsafeMutableRawBufferPointer(rebasing: target[1...]))
            target[length] = UInt8(ascii: "]")
            length += 1
        } else {
            length = writeHost(to: target)
        }
        target[length] = UInt8(ascii: ":")
        return write(decimal: UInt32(port), to: target, at: length + 1)
    }

    /// Writes a number of at most five digits; returns where it ends.
    @inline(__always)
    private func write(decimal value: UInt32, to target: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
        guard let base = target.baseAddress else { return start }
        var place = TextPlace(base + start)
        place.write(decimal: UInt64(value))
        return place.pointer - base
    }
}
