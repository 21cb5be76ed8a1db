// Bytes of text that are put together piece by piece, in memory that is kept.

internal import Glibc

/// Text on its way to a log: appending costs a comparison and a copy.
///
/// Confined to one thread.
public struct LineBuffer: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    /// How many bytes its memory has room for.
    private(set) var capacity: Int
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
    private mutating func makeRoom(for extra: Int) { if capacity &- count < extra { grow(by: extra) } }

    /// The place behind what has been appended, with room for so many bytes; valid until the next change.
    @inline(__always)
    mutating func place(for extra: Int) -> TextPlace {
        makeRoom(for: extra &+ TextPlace.slack)
        return TextPlace(UnsafeMutableRawPointer(start + count))
    }

    /// Takes what was written up to a place as appended.
    @inline(__always)
    mutating func end(at place: TextPlace) { count = UnsafeRawPointer(place.pointer) - UnsafeRawPointer(start) }

    // MARK: Appending

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        makeRoom(for: 1)
        start[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        makeRoom(for: bytes.count)
        memcpy(start + count, source, bytes.count)
        count += bytes.count
    }

    /// Puts another byte in place of the one that was appended last.
    mutating func replaceLast(with byte: UInt8) {
        precondition(count > 0)
        start[count - 1] = byte
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
        let tail = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
        target.storeBytes(of: head, as: UInt64.self)
        target.storeBytes(of: tail, toByteOffset: length - 8, as: UInt64.self)
    }

    mutating func append(_ text: ShortText) {
        var place = place(for: ShortText.capacity)
        place.write(text)
        end(at: place)
    }

    /// Appends spaces until so many columns stand behind a place.
    mutating func pad(from place: Int, to width: Int) { while count - place < width { append(UInt8(ascii: " ")) } }

    // MARK: Numbers

    /// Appends a number in decimal digits, with leading zeros up to a width of at most 20.
    mutating func append(decimal value: UInt64, minimumDigits: Int = 1) {
        var place = place(for: TextPlace.mostDigits)
        place.write(decimal: value, minimumDigits: minimumDigits)
        end(at: place)
    }

    /// Appends a number in sixteen hexadecimal digits.
    mutating func append(hexadecimal value: UInt64) {
        var place = place(for: 16)
        place.write(hexadecimal: value)
        end(at: place)
    }

    /// Appends nanoseconds as milliseconds with three decimals, cut, not rounded.
    mutating func append(milliseconds nanoseconds: UInt64) {
        var place = place(for: TextPlace.mostDigits + 1)
        place.write(milliseconds: nanoseconds)
        end(at: place)
    }

    // MARK: What others have chosen

    /// Appends bytes that somebody else chose so that they can neither end the field nor the line: printable ASCII stays but for
    /// quote and backslash, which stand behind a backslash; everything else becomes the escape and two hexadecimal digits.
    mutating func append(_ bytes: UnsafeRawBufferPointer, escape: StaticString) {
        let plain = appendPlain(bytes)
        if plain < bytes.count { appendEscaping(UnsafeRawBufferPointer(rebasing: bytes[plain...]), escape: escape) }
    }

    private mutating func appendPlain(_ bytes: UnsafeRawBufferPointer) -> Int {
        var place = place(for: bytes.count)
        let count = place.writePlain(bytes)
        end(at: place)
        return count
    }

    /// The rest, which begins with a byte that must not stand as it is.
    @inline(never)
    mutating func appendEscaping(_ bytes: UnsafeRawBufferPointer, escape: StaticString) {
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
