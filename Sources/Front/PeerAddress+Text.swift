// Addresses as text, as proxies write them into X-Forwarded-For.

internal import Glibc

extension PeerAddress {
    /// The longest IPv6 address without brackets: one that ends in the form of an IPv4 address.
    private static let longestAddress = 45

    /// Reads an address: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
    ///
    /// Addresses like `::ffff:192.0.2.1` are those of IPv4. Nil for everything else: names, zones, numbers in other forms.
    public init?(text: UnsafeRawBufferPointer) {
        let colons = text.count { $0 == UInt8(ascii: ":") }
        var host = text[...]
        var port = text[text.endIndex...]
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[1..<end]
            port = text[(end + 1)...]
            // Brackets hold no IPv4 address.
            guard host.contains(UInt8(ascii: ":")) else { return nil }
        } else if colons == 1, let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            host = text[..<colon]
            port = text[colon...]
        }
        guard let port = Self.port(in: port), let address = Self(host: host, port: port) else { return nil }
        self = address
    }

    /// Reads an address without a port and without brackets; not for the way of a request.
    public init?(host: String) {
        let address = Array(host.utf8).withUnsafeBytes { Self(host: Slice(base: $0, bounds: 0..<$0.count), port: 0) }
        guard let address else { return nil }
        self = address
    }

    /// The port behind a colon, 0 where there is none; nil for anything else.
    private static func port(in text: Slice<UnsafeRawBufferPointer>) -> UInt16? {
        guard let colon = text.first else { return 0 }
        guard colon == UInt8(ascii: ":"), (2...6).contains(text.count) else { return nil }
        var port = 0
        for byte in text.dropFirst() {
            guard byte &- 0x30 < 10 else { return nil }
            port = port * 10 + Int(byte &- 0x30)
        }
        return UInt16(exactly: port)
    }

    private init?(host: Slice<UnsafeRawBufferPointer>, port: UInt16) {
        guard (1...Self.longestAddress).contains(host.count), !host.contains(0) else { return nil }
        let parsed = withUnsafeTemporaryAllocation(byteCount: Self.longestAddress + 1, alignment: 1) { text -> Self? in
            text.copyBytes(from: host)
            text[host.count] = 0
            let start = text.assumingMemoryBound(to: CChar.self).baseAddress
            if host.contains(UInt8(ascii: ":")) {
                var address = in6_addr()
                guard let start, inet_pton(AF_INET6, start, &address) == 1 else { return nil }
                return PeerAddress(address, port: port)
            }
            var address = in_addr()
            guard let start, inet_pton(AF_INET, start, &address) == 1 else { return nil }
            return PeerAddress(family: .ipv4, port: port, bytes: (UInt64(address.s_addr), 0))
        }
        guard let parsed else { return nil }
        self = parsed
    }
}
