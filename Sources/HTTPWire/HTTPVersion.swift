// The version in a start line.

/// The reading of `HTTP/1.x`, byte by byte if need be.
enum HTTPVersion {
    enum Progress {
        case needMore
        /// 0 or 1; later minor versions count as 1 (RFC 9110 section 2.5).
        case minor(UInt8)
        /// No version, seen at the position.
        case malformed
        /// A version of HTTP whose major number is not 1.
        case unsupported
    }

    /// The length of `HTTP/1.1`.
    static let length = 8

    /// - Parameters:
    ///   - start: Where the version starts.
    ///   - position: The first byte not looked at yet.
    @inline(__always)
    static func read(_ bytes: Span<UInt8>, from start: Int, at position: inout Int) -> Progress {
        // "HTTP/1.1" and "HTTP/1.0" with their letters in reverse order.
        if let word = bytes.word(at: start) {
            if word == 0x312E_312F_5054_5448 {
                position = start &+ length
                return .minor(1)
            }
            if word == 0x302E_312F_5054_5448 {
                position = start &+ length
                return .minor(0)
            }
        }
        return readBytes(bytes, from: start, at: &position)
    }

    @inline(never)
    private static func readBytes(_ bytes: Span<UInt8>, from start: Int, at position: inout Int) -> Progress {
        while position < bytes.count {
            let byte = bytes[position]
            switch position - start {
            case 0: guard byte == 0x48 else { return .malformed }
            case 1, 2: guard byte == 0x54 else { return .malformed }
            case 3: guard byte == 0x50 else { return .malformed }
            case 4: guard byte == Byte.slash else { return .malformed }
            case 5:
                guard byte.isDigit else { return .malformed }
                guard byte == 0x31 else { return .unsupported }
            case 6: guard byte == 0x2E else { return .malformed }
            default:
                guard byte.isDigit else { return .malformed }
                position &+= 1
                return .minor(byte == 0x30 ? 0 : 1)
            }
            position &+= 1
        }
        return .needMore
    }
}
