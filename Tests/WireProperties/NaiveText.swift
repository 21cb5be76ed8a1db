// Plain readings of text, slow and obvious, that the parsers' results are held against.

extension Sequence<UInt8> {
    /// The bytes with letters of ASCII in lower case.
    var lowercased: [UInt8] { map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }
}

extension [UInt8] {
    init(_ text: String) { self = Array(text.utf8) }

    /// A number that depends on every byte (FNV-1a): where to cut an input, so that the input alone decides it.
    public var fingerprint: UInt64 {
        reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    /// Whether these bytes stand at an offset.
    func has(_ text: String, at offset: Int) -> Bool {
        offset >= 0 && self[Swift.min(offset, count)...].starts(with: text.utf8)
    }
}

extension ArraySlice<UInt8> {
    /// The bytes without SP and HTAB at their ends.
    var trimmed: ArraySlice<UInt8> {
        var rest = self
        while rest.first == 0x20 || rest.first == 0x09 { rest.removeFirst() }
        while rest.last == 0x20 || rest.last == 0x09 { rest.removeLast() }
        return rest
    }

    /// The members of a comma-separated list, trimmed; empty ones included.
    var members: [ArraySlice<UInt8>] { split(separator: 0x2C, omittingEmptySubsequences: false).map(\.trimmed) }

    /// The members of a list of tokens, trimmed and in lower case, without the empty ones.
    var tokens: [[UInt8]] { members.filter { !$0.isEmpty }.map(\.lowercased) }

    /// Whether all bytes are digits and there is one.
    var isNumber: Bool { !isEmpty && allSatisfy { (0x30...0x39).contains($0) } }

    /// Whether all bytes may stand in a token and there is one (RFC 9110 section 5.6.2).
    var isToken: Bool { !isEmpty && allSatisfy { tokenBytes.contains($0) } }

    /// The number, if it is one and an `Int` holds it.
    var number: Int? { isNumber ? Int(String(decoding: self, as: UTF8.self)) : nil }
}

private let tokenBytes = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
