// Bodies framed as chunks around bytes that stay where they are (RFC 9112 section 7.1).

public import EventLoop

extension Buffer {
    /// The most that ``frameAsChunk(isLast:)`` puts before and behind the region.
    public static let chunkHeadroom = 18
    public static let chunkTailroom = 7

    /// Turns the region into one chunk, and with `isLast` adds the last chunk; an empty region becomes no chunk.
    ///
    /// Grows the region by at most ``chunkHeadroom`` bytes at its start and ``chunkTailroom`` at its end.
    public func frameAsChunk(isLast: Bool) {
        if !isEmpty {
            let size = count
            append("\r\n")
            prepend("\r\n")
            prependHexadecimal(UInt64(size))
        }
        if isLast { append("0\r\n\r\n") }
    }

    /// Appends bytes as one chunk, and with `isLast` the last chunk.
    public func appendChunk(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
        if !bytes.isEmpty {
            append(hexadecimal: UInt64(bytes.count))
            append("\r\n")
            append(bytes)
            append("\r\n")
        }
        if isLast { append("0\r\n\r\n") }
    }

    private func prependHexadecimal(_ value: UInt64) {
        var rest = value
        repeat {
            prepend(byte: hexadecimalDigit(rest & 15))
            rest >>= 4
        } while rest > 0
    }

    private func append(hexadecimal value: UInt64) {
        let digits = max(1, (67 - value.leadingZeroBitCount) / 4)
        for position in stride(from: digits - 1, through: 0, by: -1) {
            append(byte: hexadecimalDigit(value >> UInt64(4 * position) & 15))
        }
    }
}

/// The digit 0…9, a…f for a value below 16.
@inlinable
public func hexadecimalDigit(_ value: UInt64) -> UInt8 {
    let digit = UInt8(truncatingIfNeeded: value)
    return digit < 10 ? 48 + digit : 87 + digit
}
