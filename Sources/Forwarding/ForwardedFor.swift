// Who the client is behind proxies that are trusted.

internal import Front
internal import HTTPWire

/// Where the walk through `X-Forwarded-For` has ended.
struct ForwardedClient: Equatable {
    /// The nearest address that is no trusted proxy's; that of the farthest trusted proxy when there is no other.
    var address: PeerAddress
    /// Whether every hop is told, and trusted: the request comes from a trusted address itself.
    var isTrusted: Bool
}

extension RequestReader {
    /// The most hops that are looked at: no request comes by so many proxies.
    static let maximumForwardedHops = 64

    /// Walks through `X-Forwarded-For` from right to left, to the first address that is not trusted.
    ///
    /// Each proxy appends the address that it saw, so that what stands left of the first untrusted one is that client's own
    /// invention. The walk also ends where an element is no address; what is before that is not known.
    ///
    /// - Parameter peer: The other end of the connection, which is trusted.
    func client(behind peer: PeerAddress, trusting trusted: TrustedPeers) -> ForwardedClient {
        var client = ForwardedClient(address: peer, isTrusted: true)
        guard head.fields.contains(.xForwardedFor) else { return client }
        var hops = 0
        for index in stride(from: head.fields.count - 1, through: 0, by: -1) {
            let line = head.fields[index]
            guard line.name == .xForwardedFor else { continue }
            var rest = headBytes(line.valueRange)[...]
            while let member = Self.lastMember(of: &rest) {
                hops += 1
                guard hops <= Self.maximumForwardedHops, let address = PeerAddress(text: member) else {
                    client.isTrusted = false
                    return client
                }
                client.address = address
                guard trusted.contains(address) else {
                    client.isTrusted = false
                    return client
                }
            }
        }
        return client
    }

    /// Takes the last member that is not empty off a list; nil when there is none.
    private static func lastMember(of rest: inout Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer? {
        while !rest.isEmpty {
            let comma = rest.lastIndex(of: UInt8(ascii: ","))
            var member = rest[(comma.map { $0 + 1 } ?? rest.startIndex)...]
            rest = rest[..<(comma ?? rest.startIndex)]
            while let first = member.first, isBlank(first) { member = member.dropFirst() }
            while let last = member.last, isBlank(last) { member = member.dropLast() }
            if !member.isEmpty { return UnsafeRawBufferPointer(rebasing: member) }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
