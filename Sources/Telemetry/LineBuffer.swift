// Bytes of text that are put together piece by piece, in memory that is kept.

internal import Glibc

/// Text on its way to a log: appending costs a comparison and a copy.
///
/// Confined to one thread.
public struct LineBuffer: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// How many bytes there are.
    public private(set) var count = 0

    public init() {
        capacity = 4096
        start = .allocate(capacity: capacity)
    }

    deinit { start.deallocate() }

    public var isEmpty: Bool { count == 0 }

    /// What has been appended; valid until the next change.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Forgets the bytes and keeps the memory.
    public mutating func removeAll() { count = 0 }

    /// Forgets what was appended behind a place.
    mutating func truncate(to place: Int) { count = min(count, place) }

    @inline(never)
    private mutating func grow(by extra: Int) {
        capacity = max(capacity * 2, count + extra)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: start, count: count)
        start.deallocate()
        start = larger
    }

    @inline(__always)
    private mutating func makeRoom(for extra: Int) { if capacity - count < extra { grow(by: extra) } }

    // MARK: Appending

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        makeRoom(for: 1)
        start[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        makeRoom(for: bytes.count)
        memcpy(start + count, source, bytes.count)
        count += bytes.count
    }

    /// Puts another byte in place of one that was appended.
    mutating func replace(at place: Int, with byte: UInt8) {
        precondition(place >= 0 && place < count)
        start[place] = byte
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a literal's bytes.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        makeRoom(for: length)
        let source = UnsafeRawPointer(text.utf8Start)
        let target = UnsafeMutableRawPointer(start + count)
        count += length
        // Most are keys of 8 to 16 bytes: two words that may overlap, in place of a call.
        guard length >= 8, length <= 16 else {
            memcpy(target, source, length)
            return
        }
        let head = source.loadUnaligned(as: UInt64.self)
        let tail = source.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
        target.storeBytes(of: head, as: UInt64.self)
        target.storeBytes(of: tail, toByteOffset: length - 8, as: UInt64.self)
    }

    /// Appends spaces until so many columns stand behind a place.
    mutating func pad(from place: Int, to width: Int) { while count - place < width { append(UInt8(ascii: " ")) } }

    // MARK: Numbers

    /// Appends a number in decimal digits, with leading zeros up to a width of at most 20.
    mutating func append(decimal value: UInt64, minimumDigits: Int = 1) {
        makeRoom(for: 20)
        let target = start + count
        guard value >= 1000 || minimumDigits > 3 else {
            count += Self.write(UInt32(truncatingIfNeeded: value), minimumDigits: minimumDigits, to: target)
            return
        }
        var length = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        length = max(length, minimumDigits)
        rest = value
        var place = length
        while place > 0 {
            place -= 1
            target[place] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
        }
        count += length
    }

    /// Writes a number below 1,000 in up to three digits; returns in how many.
    @inline(__always)
    private static func write(_ value: UInt32, minimumDigits: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        func digit(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 48 &+ value) }
        if value >= 100 || minimumDigits == 3 {
            target[0] = digit(value / 100)
            target[1] = digit(value / 10 % 10)
            target[2] = digit(value % 10)
            return 3
        }
        if value >= 10 || minimumDigits == 2 {
            target[0] = digit(value / 10)
            target[1] = digit(value % 10)
            return 2
        }
        target[0] = digit(value)
        return 1
    }

    /// Appends a number in sixteen hexadecimal digits.
    mutating func append(hexadecimal value: UInt64) {
        makeRoom(for: 16)
        for shift in stride(from: 60, through: 0, by: -4) {
            start[count] = hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15))
            count += 1
        }
    }

    /// Appends nanoseconds as milliseconds with three decimals, cut, not rounded.
    mutating func append(milliseconds nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1000
        let milliseconds = microseconds / 1000
        append(decimal: milliseconds)
        makeRoom(for: 4)
        start[count] = UInt8(ascii: ".")
        let rest = UInt32(truncatingIfNeeded: microseconds &- milliseconds &* 1000)
        count += 1 + Self.write(rest, minimumDigits: 3, to: start + count + 1)
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
    ///
    /// There is room for all of them.
    @inline(__always)
    private mutating func appendPlain(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let source = bytes.baseAddress else { return 0 }
        let target = UnsafeMutableRawPointer(start + count)
        let length = bytes.count
        var place = 0
        while length - place >= 8 {
            let word = source.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard Self.arePlain(word) else { break }
            target.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
            place += 8
        }
        // The rest once more together with what is in front of it.
        if place > 0, length - place < 8 {
            let word = source.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
            if Self.arePlain(word) {
                target.storeBytes(of: word, toByteOffset: length - 8, as: UInt64.self)
                place = length
            }
        }
        while place < length, Self.isPlain(bytes[place]) {
            target.storeBytes(of: bytes[place], toByteOffset: place, as: UInt8.self)
            place += 1
        }
        count += place
        return place
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer, escape: StaticString) {
        makeRoom(for: bytes.count)
        let plain = appendPlain(bytes)
        if plain < bytes.count { appendEscaping(UnsafeRawBufferPointer(rebasing: bytes[plain...]), escape: escape) }
    }

    /// The rest, which begins with a byte that must not stand as it is.
    @inline(never)
    private mutating func appendEscaping(_ bytes: UnsafeRawBufferPointer, escape: StaticString) {
        var rest = bytes
        while let byte = rest.first {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                append(UInt8(ascii: "\\"))
                append(byte)
            } else {
                append(escape)
                append(hexadecimalDigit(byte >> 4))
                append(hexadecimalDigit(byte & 15))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[1...])
            makeRoom(for: rest.count)
            rest = UnsafeRawBufferPointer(rebasing: rest[appendPlain(rest)...])
        }
    }

    /// Appends bytes that somebody else chose so that they can neither end the field nor the line: printable ASCII stays but
    /// for quote and backslash; everything else becomes `\xHH`.
    mutating func append(escapedForText bytes: UnsafeRawBufferPointer) { append(bytes, escape: "\\x") }

    /// Appends bytes that somebody else chose inside a JSON string: what is not printable ASCII becomes `\u00HH`, byte by byte,
    /// so that the line is valid JSON whatever the bytes were.
    mutating func append(escapedForJSON bytes: UnsafeRawBufferPointer) { append(bytes, escape: "\\u00") }

    mutating func append(escapedForText text: String) {
        var text = text
        text.withUTF8 { append(escapedForText: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(escapedForJSON text: String) {
        var text = text
        text.withUTF8 { append(escapedForJSON: UnsafeRawBufferPointer($0)) }
    }
}

@available(*, unavailable)
extension LineBuffer: Sendable {}

/// A digit in hexadecimal.
func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
