// What of a request is hashed when the policy sends equal keys to the same backend.

internal import Balancing
internal import Front
internal import HTTPWire

extension RequestReader {
    /// The hash of a request's key; nil when it has none: no such field or cookie, or a client without an address.
    func hash(of key: HashKey, peer: PeerAddress) -> UInt64? {
        switch key {
        case .clientAddress:
            guard peer.family != .unix else { return nil }
            return withUnsafeTemporaryAllocation(byteCount: PeerAddress.maximumTextLength, alignment: 1) { text in
                let length = peer.writeHost(to: text)
                return hash(UnsafeRawBufferPointer(rebasing: text[..<length]))
            }
        case .uri:
            return hash(headBytes(head.pathRange))
        case .header(let name):
            guard let line = head.fields.lines.first(where: { isEqual(headBytes($0.nameRange), name) }) else {
                return nil
            }
            return hash(headBytes(line.valueRange))
        case .cookie(let name):
            return firstCookie(named: name.utf8) { hash($0) }
        }
    }

    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.withMemoryRebound(to: UInt8.self) { KeyHash.of($0.span) }
    }

    /// Whether bytes are a name in ASCII, whatever the case of either.
    private func isEqual(_ bytes: UnsafeRawBufferPointer, _ name: String) -> Bool {
        bytes.count == name.utf8.count && zip(bytes, name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
