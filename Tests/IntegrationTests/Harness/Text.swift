// Bytes as text and back, one scalar for each byte (Latin-1), so that any bytes can be written and compared as text.

extension Sequence<UInt8> {
    /// The bytes as text.
    var text: String {
        var scalars = String.UnicodeScalarView()
        for byte in self { scalars.append(Unicode.Scalar(byte)) }
        return String(scalars)
    }
}

extension StringProtocol {
    /// The text as bytes; it holds no scalar above U+00FF.
    var bytes: [UInt8] { unicodeScalars.map { UInt8($0.value) } }
}

extension Array<UInt8> {
    /// Bytes that repeat only after a long while, so that a shift, a gap or a repetition shows.
    static func pattern(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index % 251 &+ index / 65521) }
            filled = count
        }
    }

    /// The bytes in chunks of that size, with the last chunk.
    func chunked(by size: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + count / size * 16 + 64)
        for start in stride(from: 0, to: count, by: size) {
            let piece = self[start..<Swift.min(start + size, count)]
            result += "\(String(piece.count, radix: 16))\r\n".bytes
            result += piece
            result += "\r\n".bytes
        }
        return result + "0\r\n\r\n".bytes
    }
}
