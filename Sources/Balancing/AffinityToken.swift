// What a client holds to come back to its backend: a text that stands for the backend and tells nothing of it.

/// 128 bits as 22 characters of base64url (RFC 4648 section 5), kept in three words so that comparing is no work.
public struct AffinityToken: Sendable, Hashable {
    /// The length of the text, in bytes.
    public static let length = 22

    /// The text's bytes, the first in the lowest place; the last two bytes of the third word are empty.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64

    /// The token that a text is; nil when it has another length.
    ///
    /// Any bytes will do: one that nobody gave out is found in no ``AffinityTable``.
    public init?(_ text: Span<UInt8>) {
        guard text.count == Self.length else { return nil }
        func word(_ start: Int, _ count: Int) -> UInt64 {
            var word: UInt64 = 0
            for offset in 0..<count { word |= UInt64(text[start + offset]) << UInt64(8 * offset) }
            return word
        }
        first = word(0, 8)
        second = word(8, 8)
        third = word(16, 6)
    }

    /// The text's byte at an index below ``length``.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < Self.length, "an index within the text")
        let word = index < 8 ? first : index < 16 ? second : third
        return UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8)))
    }

    /// Where to look in a table first.
    var hash: Int { Int(truncatingIfNeeded: KeyHash.mixed(first ^ second &+ third)) & .max }
}
