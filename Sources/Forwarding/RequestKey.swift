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
            guard head.fields.contains(.cookie) else { return nil }
            for line in head.fields.lines where line.name == .cookie {
                if let value = cookie(name, in: headBytes(line.valueRange)) { return hash(value) }
            }
            return nil
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

    /// The value of the first cookie of a name in a Cookie field (RFC 6265 section 4.2.1); names are told apart by case.
    private func cookie(_ name: String, in field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var rest = field[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
            let pair = rest[..<end].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            rest = rest[end...].dropFirst()
            guard pair.starts(with: name.utf8) else { continue }
            let value = pair.dropFirst(name.utf8.count)
            if value.first == UInt8(ascii: "=") { return UnsafeRawBufferPointer(rebasing: value.dropFirst()) }
        }
        return nil
    }
}
