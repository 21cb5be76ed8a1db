// Whose word is taken for who the client is: proxies in front of this one, by their addresses.

/// The addresses that share their first bits with one: `10.0.0.0/8`, `2001:db8::/32`.
public struct AddressPrefix: Sendable, Equatable, CustomStringConvertible {
    /// IPv4 or IPv6; all bits behind the prefix are 0.
    public let address: PeerAddress
    /// How many bits are compared.
    public let length: Int

    /// The number of bits in an address of the family; 0 for that of Unix-domain sockets.
    public static func bits(of family: PeerAddress.Family) -> Int {
        switch family {
        case .ipv4: 32
        case .ipv6: 128
        case .unix: 0
        }
    }

    /// A prefix of an address; nil when the length is none for its family, or when the address is that of a Unix-domain socket.
    ///
    /// - Parameter address: Its bits behind the prefix, and its port, do not count.
    public init?(_ address: PeerAddress, length: Int) {
        let bits = Self.bits(of: address.family)
        guard bits > 0, (0...bits).contains(length) else { return nil }
        let kept = length == 0 ? 0 : (UInt128.max << UInt128(128 - length)) >> UInt128(128 - bits)
        self.address = PeerAddress(family: address.family, number: address.number & kept)
        self.length = length
    }

    /// The form that `LB_TRUSTED` takes; without a length where all bits are compared.
    public var description: String {
        length == Self.bits(of: address.family) ? address.host : "\(address.host)/\(length)"
    }

    /// The first and the last address.
    fileprivate var range: ClosedRange<UInt128> {
        let free = Self.bits(of: address.family) - length
        let rest = free == 128 ? UInt128.max : (1 << UInt128(free)) - 1
        return address.number...(address.number | rest)
    }
}

/// A list of proxies that are believed about their clients, looked up without a lock and without memory of its own.
///
/// Any thread.
public struct TrustedPeers: Sendable, Equatable {
    /// As they were given.
    public let prefixes: [AddressPrefix]
    /// Whether whoever connects to a Unix-domain socket is among them.
    public let includesUnix: Bool
    /// Ascending, no two overlapping.
    private let ipv4: [ClosedRange<UInt128>]
    private let ipv6: [ClosedRange<UInt128>]

    public init(_ prefixes: [AddressPrefix] = [], includesUnix: Bool = false) {
        self.prefixes = prefixes
        self.includesUnix = includesUnix
        ipv4 = Self.merged(prefixes.filter { $0.address.family == .ipv4 })
        ipv6 = Self.merged(prefixes.filter { $0.address.family == .ipv6 })
    }

    /// Whether nobody is trusted.
    public var isEmpty: Bool { prefixes.isEmpty && !includesUnix }

    /// Whether a peer is on the list.
    public func contains(_ peer: PeerAddress) -> Bool {
        switch peer.family {
        case .unix: includesUnix
        case .ipv4: Self.contains(peer.number, in: ipv4)
        case .ipv6: Self.contains(peer.number, in: ipv6)
        }
    }

    /// Of two prefixes one lies within the other, or they have nothing in common.
    private static func merged(_ prefixes: [AddressPrefix]) -> [ClosedRange<UInt128>] {
        let ranges = prefixes.map(\.range).sorted { ($0.lowerBound, $1.upperBound) < ($1.lowerBound, $0.upperBound) }
        var result: [ClosedRange<UInt128>] = []
        for range in ranges where result.last.map({ range.lowerBound > $0.upperBound }) ?? true { result.append(range) }
        return result
    }

    private static func contains(_ number: UInt128, in ranges: [ClosedRange<UInt128>]) -> Bool {
        // The first range that ends at the number or behind it.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }
}
