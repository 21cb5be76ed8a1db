// Reading field values: list members, comparison of text, decimal numbers.

extension Span where Element == UInt8 {
    /// The next member of a comma-separated list, without the white space around it; nil at the end.
    ///
    /// Empty members are skipped (RFC 9110 section 5.6.1.2). Commas in quoted strings are not special: for lists of tokens.
    ///
    /// - Parameters:
    ///   - position: Where to look; moved behind the member and its comma.
    ///   - end: Where the value ends.
    public func nextListMember(from position: inout Int, upTo end: Int) -> Range<Int>? {
        while position < end {
            let start = position
            while position < end, self[position] != Byte.comma { position &+= 1 }
            let member = trimmed(start..<position)
            position &+= 1
            if !member.isEmpty { return member }
        }
        return nil
    }

    /// Whether two ranges hold the same text, letters of ASCII compared without case.
    public func equalsIgnoringCase(_ range: Range<Int>, _ other: Range<Int>) -> Bool {
        guard range.count == other.count else { return false }
        let left = extracting(range)
        let right = extracting(other)
        for offset in left.indices where left[offset] != right[offset] {
            guard left[offset].isLetter, left[offset] ^ right[offset] == 0x20 else { return false }
        }
        return true
    }

    /// Whether a range holds a text, letters of ASCII compared without case.
    ///
    /// Not for the way of a request: ``FieldName`` is quicker.
    public func equalsIgnoringCase(_ range: Range<Int>, _ text: StaticString) -> Bool {
        let text = text.description.utf8
        guard range.count == text.count else { return false }
        for (offset, expected) in text.enumerated() {
            let byte = self[range.lowerBound + offset]
            guard byte == expected || (byte ^ expected == 0x20 && byte.isLetter) else { return false }
        }
        return true
    }

    /// Up to eight bytes as a lower-cased word whose lowest byte comes first.
    func lowercasedWord(_ range: Range<Int>) -> UInt64 {
        word(at: range.lowerBound, length: range.count) | word(at: range.lowerBound, length: range.count).foldMask
    }

    /// The number written in a range with digits alone.
    func decimal(_ range: Range<Int>) -> Decimal {
        guard !range.isEmpty else { return .malformed }
        let digits = extracting(range)
        var value = 0
        var overflows = false
        for position in digits.indices {
            let digit = digits[position] &- 0x30
            guard digit < 10 else { return .malformed }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, stillTooLarge) = product.addingReportingOverflow(Int(digit))
            overflows = overflows || tooLarge || stillTooLarge
            value = sum
        }
        return overflows ? .tooLarge : .value(value)
    }

    /// What remains of a range without white space at its ends.
    @inline(__always)
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start].isBlank { start &+= 1 }
        while end > start, self[end &- 1].isBlank { end &-= 1 }
        return start..<end
    }
}

/// What a range of digits says.
enum Decimal: Equatable {
    case value(Int)
    /// No digit, or something else than digits: no sign, no white space.
    case malformed
    /// More than an `Int` holds.
    case tooLarge
}

extension UInt64 {
    /// Bit 0x20 in each byte that is not zero and has bit 0x40: letters become lower-case, digits and marks stay.
    fileprivate var foldMask: UInt64 { (self & .repeating(0x40)) &>> 1 }
}
