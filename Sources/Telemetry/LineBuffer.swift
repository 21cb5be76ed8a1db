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

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a literal's bytes.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends spaces until so many columns stand behind a place.
    mutating func pad(from place: Int, to width: Int) { while count - place < width { append(UInt8(ascii: " ")) } }

    // MARK: Numbers

    /// Appends a number in decimal digits, with leading zeros up to a width of at most 20.
    mutating func append(decimal value: UInt64, minimumDigits: Int = 1) {
        makeRoom(for: 20)
        var length = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        length = max(length, minimumDigits)
        rest = value
        var place = count + length
        count = place
        for _ in 0..<length {
            place -= 1
            start[place] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
    }

    /// Appends nanoseconds as milliseconds with three decimals, cut, not rounded.
    mutating func append(milliseconds nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1000
        append(decimal: microseconds / 1000)
        append(UInt8(ascii: "."))
        append(decimal: microseconds % 1000, minimumDigits: 3)
    }

    // MARK: What others have chosen

    /// Whether a byte may stand in a log as it is: printable ASCII but for quote and backslash.
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// How many bytes from a place on may stand as they are.
    private static func plainCount(_ bytes: UnsafeRawBufferPointer, from place: Int) -> Int {
        var end = place
        while end < bytes.count, isPlain(bytes[end]) { end += 1 }
        return end - place
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer, escape: StaticString) {
        var place = 0
        while true {
            let plain = Self.plainCount(bytes, from: place)
            append(UnsafeRawBufferPointer(rebasing: bytes[place..<(place + plain)]))
            place += plain
            guard place < bytes.count else { return }
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                append(UInt8(ascii: "\\"))
                append(byte)
            } else {
                append(escape)
                append(hexadecimalDigit(byte >> 4))
                append(hexadecimalDigit(byte & 15))
            }
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

private func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
