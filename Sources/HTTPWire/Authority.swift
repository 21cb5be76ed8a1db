// The syntax of host and port (RFC 3986 section 3.2).

/// The rules for `host [ ":" port ]` in a `Host` field or an absolute target.
enum Authority {
    /// Whether the bytes are a host that is not empty, with or without a port; user information is none.
    ///
    /// Accepts registered names, IPv4 and bracketed IPv6 addresses. A port has any number of digits, even none, and is at
    /// most 65535.
    static func isValid(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        let text = bytes.extracting(range)
        guard !text.isEmpty else { return false }
        guard let end = text[0] == 0x5B ? endOfAddress(text) : endOfName(text) else { return false }
        return isPort(text, from: end)
    }

    private static func endOfName(_ text: Span<UInt8>) -> Int? {
        var position = 0
        while position < text.count {
            let byte = text[position]
            if byte.isHostByte {
                position &+= 1
            } else if byte == Byte.colon {
                break
            } else {
                guard byte == 0x25, position + 2 < text.count, text[position + 1].hexDigitValue != nil,
                    text[position + 2].hexDigitValue != nil
                else { return nil }
                position &+= 3
            }
        }
        return position > 0 ? position : nil
    }

    /// An IPv6 address as far as its letters go: hexadecimal digits, dots, at least two colons.
    private static func endOfAddress(_ text: Span<UInt8>) -> Int? {
        var colonCount = 0
        for position in 1..<text.count {
            let byte = text[position]
            if byte == 0x5D { return colonCount >= 2 ? position + 1 : nil }
            if byte == Byte.colon {
                colonCount += 1
            } else if byte.hexDigitValue == nil, byte != 0x2E {
                return nil
            }
        }
        return nil
    }

    private static func isPort(_ text: Span<UInt8>, from start: Int) -> Bool {
        guard start < text.count else { return true }
        guard text[start] == Byte.colon else { return false }
        var port = 0
        for position in (start + 1)..<text.count {
            guard text[position].isDigit else { return false }
            port = port * 10 + Int(text[position] - 0x30)
            guard port <= 65_535 else { return false }
        }
        return true
    }
}
