// Byte classes, and the scans that look at eight bytes at a time.

/// The bytes of the grammar that have a meaning of their own.
enum Byte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let comma: UInt8 = 0x2C
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let questionMark: UInt8 = 0x3F
    static let delete: UInt8 = 0x7F
}

extension UInt8 {
    /// Whether the byte may stand in a token: `tchar` of RFC 9110 section 5.6.2.
    @inline(__always)
    var isTokenByte: Bool {
        isIn(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// Whether the byte may stand in a registered name: RFC 3986 section 3.2.2, without the comma and without `%`.
    ///
    /// A comma is legal there, but no name has one, and a list of two hosts joined by an intermediary looks like it.
    @inline(__always)
    var isHostByte: Bool {
        isIn(low: 0x2BFF_6FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// Whether the byte is optional white space: SP or HTAB (RFC 9110 section 5.6.3).
    @inline(__always)
    var isBlank: Bool { self == Byte.space || self == Byte.tab }

    /// Whether the byte is a letter of ASCII.
    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// The value of a hexadecimal digit, nil for any other byte.
    @inline(__always)
    var hexDigitValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// Tests membership in a set of ASCII bytes: bit n of `low` stands for byte n, bit n of `high` for byte 64 + n.
    @inline(__always)
    func isIn(low: UInt64, high: UInt64) -> Bool {
        guard self < 128 else { return false }
        let mask = self < 64 ? low : high
        return (mask &>> UInt64(self & 63)) & 1 != 0
    }
}

extension UInt64 {
    /// The same byte eight times.
    @inline(__always)
    static func repeating(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// The top bit of each byte that is below `bound`, which is at most 0x80.
    ///
    /// Only the lowest bit set is certain: above a hit the borrow may report a byte that is none.
    @inline(__always)
    func bytes(below bound: UInt8) -> UInt64 {
        (self &- .repeating(bound)) & ~self & .repeating(0x80)
    }

    /// The top bit of each byte that equals `byte`; only the lowest bit set is certain.
    @inline(__always)
    func bytes(equalTo byte: UInt8) -> UInt64 {
        (self ^ .repeating(byte)).bytes(below: 1)
    }

    /// Whether all eight bytes, which are ASCII, are letters or hyphens.
    ///
    /// As no byte has its top bit set, the sums do not carry from one to the next.
    @inline(__always)
    var hasLettersAndHyphensOnly: Bool {
        let lowercased = self | .repeating(0x20)
        let letters = (lowercased &+ .repeating(0x80 - 0x61)) & ~(lowercased &+ .repeating(0x80 - 0x7B))
        let hyphens = ~((self ^ .repeating(0x2D)) &+ .repeating(0x7F))
        return (letters | hyphens) & .repeating(0x80) == .repeating(0x80)
    }

    /// The offset of the byte of the lowest bit set.
    @inline(__always)
    var firstHitOffset: Int { trailingZeroBitCount &>> 3 }
}

extension Span where Element == UInt8 {
    /// The eight bytes from `position` as a word whose lowest byte comes first; nil if fewer are left.
    ///
    /// The compiler makes one load of it, and the clamped count is the only bounds check.
    @inline(__always)
    func word(at position: Int) -> UInt64? {
        let block = extracting(droppingFirst: position).extracting(first: 8)
        guard block.count == 8 else { return nil }
        let low =
            UInt64(block[0]) | UInt64(block[1]) &<< 8 | UInt64(block[2]) &<< 16 | UInt64(block[3]) &<< 24
        let high =
            UInt64(block[4]) &<< 32 | UInt64(block[5]) &<< 40 | UInt64(block[6]) &<< 48 | UInt64(block[7]) &<< 56
        return low | high
    }

    /// Up to eight bytes from `position` as a word whose lowest byte comes first, zero-filled above.
    @inline(__always)
    func word(at position: Int, length: Int) -> UInt64 {
        if let word = word(at: position) {
            return length >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: length &* 8)) &- 1)
        }
        var word: UInt64 = 0
        for offset in 0..<Swift.min(length, 8) {
            word |= UInt64(self[position + offset]) &<< UInt64(truncatingIfNeeded: offset &* 8)
        }
        return word
    }

    /// The first offset from `start` with a byte that ends or spoils a field value; the count if there is none.
    ///
    /// That is any control byte but HTAB, and DEL (RFC 9110 section 5.5).
    @inline(__always)
    func endOfText(from start: Int) -> Int {
        var position = start
        while let word = word(at: position) {
            let hits = word.bytes(below: 0x20) | word.bytes(equalTo: Byte.delete)
            if hits == 0 {
                position &+= 8
                continue
            }
            position &+= hits.firstHitOffset
            guard self[position] == Byte.tab else { return position }
            position &+= 1
        }
        while position < count {
            let byte = self[position]
            if (byte < 0x20 && byte != Byte.tab) || byte == Byte.delete { return position }
            position &+= 1
        }
        return count
    }

    /// The first offset from `start` with a colon, white space, a control byte, or a byte beyond ASCII.
    @inline(__always)
    func endOfFieldName(from start: Int) -> Int {
        var position = start
        while let word = word(at: position) {
            let hits =
                word.bytes(below: 0x21) | word.bytes(equalTo: Byte.colon) | word.bytes(equalTo: Byte.delete)
                | (word & .repeating(0x80))
            if hits != 0 { return position &+ hits.firstHitOffset }
            position &+= 8
        }
        while position < count {
            let byte = self[position]
            if byte < 0x21 || byte == Byte.colon || byte >= Byte.delete { return position }
            position &+= 1
        }
        return count
    }

    /// The first offset from `start` with a byte that ends or spoils a request target.
    ///
    /// That is SP, a control byte, a byte beyond ASCII, or `#`: a target has no fragment (RFC 9112 section 3.2).
    @inline(__always)
    func endOfTarget(from start: Int) -> Int {
        var position = start
        while let word = word(at: position) {
            let hits =
                word.bytes(below: 0x21) | word.bytes(equalTo: 0x23) | word.bytes(equalTo: Byte.delete)
                | (word & .repeating(0x80))
            if hits != 0 { return position &+ hits.firstHitOffset }
            position &+= 8
        }
        while position < count {
            let byte = self[position]
            if byte < 0x21 || byte == 0x23 || byte >= Byte.delete { return position }
            position &+= 1
        }
        return count
    }

    /// Whether every byte of the range may stand in a token; all are known to be ASCII.
    @inline(__always)
    func holdsTokenBytesOnly(_ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        while position < range.upperBound {
            let length = Swift.min(8, range.upperBound &- position)
            let filler: UInt64 = length == 8 ? 0 : .repeating(0x61) &<< UInt64(truncatingIfNeeded: length &* 8)
            // Most names are letters and hyphens alone.
            if !(word(at: position, length: length) | filler).hasLettersAndHyphensOnly {
                for offset in 0..<length where !self[position &+ offset].isTokenByte { return false }
            }
            position &+= length
        }
        return true
    }

    /// Whether every byte of the range may stand in a token, and there is one.
    func isToken(_ range: Range<Int>) -> Bool {
        let text = extracting(range)
        for position in text.indices where !text[position].isTokenByte { return false }
        return !text.isEmpty
    }
}
