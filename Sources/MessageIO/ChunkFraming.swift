// Bodies framed as chunks around bytes that stay where they are (RFC 9112 section 7.1).

public import EventLoop

extension Buffer {
    /// The most that ``frameAsChunk(isLast:trailers:)`` puts before and behind the region, trailers apart.
    public static let chunkHeadroom = 18
    public static let chunkTailroom = 7

    /// Turns the region into one chunk, and with `isLast` adds the last chunk and the trailer field lines; an empty region
    /// becomes no chunk.
    ///
    /// Grows the region by at most ``chunkHeadroom`` bytes at its start and ``chunkTailroom`` at its end.
    public func frameAsChunk(isLast: Bool, trailers: [UInt8] = []) {
        if !isEmpty {
            let size = count
            append("\r\n")
            prepend("\r\n")
            prependHexadecimal(UInt64(size))
        }
        if isLast { appendLastChunk(trailers: trailers) }
    }

    /// Appends bytes as one chunk; none at all become no chunk.
    public func appendChunk(_ bytes: UnsafeRawBufferPointer) {
        if !bytes.isEmpty {
            append(hexadecimal: UInt64(bytes.count))
            append("\r\n")
            append(bytes)
            append("\r\n")
        }
    }

    /// Appends the last chunk and the trailer section: whole field lines, or none.
    public func appendLastChunk(trailers: [UInt8]) {
        append("0\r\n")
        append(trailers)
        append("\r\n")
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
