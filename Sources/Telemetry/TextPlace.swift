// Where text is being written: the writing itself, which does not look at the memory's end.

/// A place in memory that has room for what is written there; each writing moves it behind what was written.
///
/// Whoever makes one knows that there is room: up to 7 bytes more than what is to be written, since it is written in words.
public struct TextPlace {
    /// Room that is to be there beyond what is written.
    static let slack = 8

    @usableFromInline var place: UnsafeMutableRawPointer
    /// Behind what has been written.
    @inlinable public var pointer: UnsafeMutableRawPointer { place }

    @inlinable
    public init(_ pointer: UnsafeMutableRawPointer) { place = pointer }

    @inlinable
    @inline(__always)
    mutating func write(_ byte: UInt8) {
        place.storeBytes(of: byte, as: UInt8.self)
        place += 1
    }

    /// Writes all words of a short text, of which some bytes count.
    @inline(__always)
    mutating func write(_ text: ShortText) {
        place.storeBytes(of: text.words.0, as: UInt64.self)
        place.storeBytes(of: text.words.1, toByteOffset: 8, as: UInt64.self)
        place.storeBytes(of: text.words.2, toByteOffset: 16, as: UInt64.self)
        place += text.count
    }

    /// Writes one or two bytes, the first of which is the lower one.
    @inline(__always)
    mutating func write(_ bytes: UInt16, length: Int) {
        place.storeBytes(of: bytes.littleEndian, as: UInt16.self)
        place += length
    }

    // MARK: Numbers

    /// The most digits of a number.
    static let mostDigits = 20

    /// Writes a number in decimal digits.
    @inlinable
    @inline(__always)
    public mutating func write(decimal value: UInt64) {
        guard value >= 10 else {
            // As many of a log's numbers are.
            write(UInt8(truncatingIfNeeded: 48 &+ value))
            return
        }
        guard value < 1_000_000 else {
            write(decimal: value, minimumDigits: 7)
            return
        }
        let value = UInt32(truncatingIfNeeded: value)
        guard value >= 1000 else {
            write(value, digits: Self.digits(of: value))
            return
        }
        let thousands = value / 1000
        write(thousands, digits: Self.digits(of: thousands))
        write(value &- thousands &* 1000, digits: 3)
    }

    /// How many digits a number below 1,000 has.
    @inlinable
    @inline(__always)
    static func digits(of value: UInt32) -> Int { value >= 100 ? 3 : value >= 10 ? 2 : 1 }

    /// Writes a number in decimal digits, with leading zeros up to a width of at most 20.
    @usableFromInline
    @inline(never)
    mutating func write(decimal value: UInt64, minimumDigits: Int) {
        var length = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        length = max(length, minimumDigits)
        rest = value
        for offset in stride(from: length - 1, through: 0, by: -1) {
            place.storeBytes(of: UInt8(truncatingIfNeeded: 48 &+ rest % 10), toByteOffset: offset, as: UInt8.self)
            rest /= 10
        }
        place += length
    }

    /// Writes the last one to three digits of a number below 1,000.
    @inlinable
    @inline(__always)
    mutating func write(_ value: UInt32, digits: Int) {
        let hundreds = value / 100
        let tens = value / 10
        let word = 0x30_3030 | hundreds | (tens &- hundreds &* 10) << 8 | (value &- tens &* 10) << 16
        // The digits in front fall out of it.
        let shown = word &>> UInt32(truncatingIfNeeded: 8 &* (3 &- digits))
        place.storeBytes(of: shown.littleEndian, as: UInt32.self)
        place += digits
    }

    /// Writes nanoseconds as milliseconds with three decimals, cut, not rounded.
    @inline(__always)
    mutating func write(milliseconds nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1000
        let milliseconds = microseconds / 1000
        write(decimal: milliseconds)
        write(UInt8(ascii: "."))
        write(UInt32(truncatingIfNeeded: microseconds &- milliseconds &* 1000), digits: 3)
    }

    /// Writes a number in sixteen hexadecimal digits.
    @inlinable
    public mutating func write(hexadecimal value: UInt64) {
        place.storeBytes(of: Self.digits(UInt32(truncatingIfNeeded: value &>> 32)), as: UInt64.self)
        place.storeBytes(of: Self.digits(UInt32(truncatingIfNeeded: value)), toByteOffset: 8, as: UInt64.self)
        place += 16
    }

    /// The digits of a number of 128 bits.
    public static let identifierLength = 32

    /// Writes a number in ``identifierLength`` hexadecimal digits, its upper half first.
    public mutating func write(hexadecimal value: (UInt64, UInt64)) {
        write(hexadecimal: value.0)
        write(hexadecimal: value.1)
    }

    /// Eight hexadecimal digits, the first in the byte that stands first in memory; all at once, in the bytes of a word.
    @inlinable
    @inline(__always)
    static func digits(_ value: UInt32) -> UInt64 {
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles &<< 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles &<< 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in the bytes of ten and more, whose digits stand 39 places further on.
        let letters = (nibbles &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
        return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39).bigEndian
    }

    /// Copies bytes as they are.
    @inlinable
    @inline(__always)
    public mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        let length = bytes.count
        defer { place += length }
        guard length >= 8 else {
            // Two halves that may overlap.
            if length >= 4 {
                let last = source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
                place.storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
                place.storeBytes(of: last, toByteOffset: length &- 4, as: UInt32.self)
            } else if length > 0 {
                let middle = source.load(fromByteOffset: length / 2, as: UInt8.self)
                let last = source.load(fromByteOffset: length &- 1, as: UInt8.self)
                place.storeBytes(of: source.load(as: UInt8.self), as: UInt8.self)
                place.storeBytes(of: middle, toByteOffset: length / 2, as: UInt8.self)
                place.storeBytes(of: last, toByteOffset: length &- 1, as: UInt8.self)
            }
            return
        }
        // The last word overlaps the one in front of it.
        var offset = 0
        while offset < length &- 8 {
            place.storeBytes(
                of: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                toByteOffset: offset,
                as: UInt64.self
            )
            offset &+= 8
        }
        let last = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
        place.storeBytes(of: last, toByteOffset: length &- 8, as: UInt64.self)
    }

    // MARK: What others have chosen

    /// Whether a byte may stand in a log as it is: printable ASCII but for quote and backslash.
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Whether all of eight bytes may stand as they are; some that do may be taken for others.
    @inline(__always)
    private static func arePlain(_ bytes: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Each marks in its byte's highest bit: below 0x20, 0x7F, quote, backslash; and a byte's own highest bit.
        func isZero(_ bytes: UInt64) -> UInt64 { (bytes &- ones) & ~bytes }
        let control = (bytes &- ones &* 0x20) & ~bytes
        let odd = isZero(bytes ^ ones &* 0x7F) | isZero(bytes ^ ones &* 0x22) | isZero(bytes ^ ones &* 0x5C)
        return (bytes | control | odd) & (ones &* 0x80) == 0
    }

    /// Copies bytes for as long as they may stand as they are; returns how many.
    @inline(__always)
    mutating func writePlain(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let source = bytes.baseAddress else { return 0 }
        let length = bytes.count
        var place = 0
        while length &- place >= 8 {
            let word = source.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard Self.arePlain(word) else { break }
            self.place.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
            place &+= 8
        }
        // What is less than a word, once more together with what is in front of it.
        if place > 0, place < length, length &- place < 8 {
            let word = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            if Self.arePlain(word) {
                self.place.storeBytes(of: word, toByteOffset: length &- 8, as: UInt64.self)
                place = length
            }
        } else if length >= 4, length < 8 {
            let head = source.loadUnaligned(as: UInt32.self)
            let tail = source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
            if Self.arePlain(UInt64(head) << 32 | UInt64(tail)) {
                self.place.storeBytes(of: head, as: UInt32.self)
                self.place.storeBytes(of: tail, toByteOffset: length &- 4, as: UInt32.self)
                place = length
            }
        }
        while place < length, Self.isPlain(bytes[place]) {
            self.place.storeBytes(of: bytes[place], toByteOffset: place, as: UInt8.self)
            place &+= 1
        }
        self.place += place
        return place
    }
}
