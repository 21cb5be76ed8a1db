// A few bytes of text that are known beforehand, in registers.

/// Up to 24 bytes of text, appended to a ``LineBuffer`` as three words, however long they are.
struct ShortText: Sendable, Equatable {
    static let capacity = 24

    private(set) var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var length: UInt8 = 0

    /// How many bytes there are.
    var count: Int { Int(length) }

    /// - Precondition: There are at most ``capacity`` bytes.
    init(_ bytes: some Sequence<UInt8>) {
        withUnsafeMutableBytes(of: &words) { words in
            for byte in bytes {
                precondition(length < Self.capacity, "a short text has at most \(Self.capacity) bytes")
                words[Int(length)] = byte
                length += 1
            }
        }
    }

    static func == (one: Self, other: Self) -> Bool { one.length == other.length && one.words == other.words }
}
