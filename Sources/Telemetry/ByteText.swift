// Text as bytes: what log lines and heads are made of, without String.

extension [UInt8] {
    /// Appends a literal's bytes.
    public mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a number in decimal digits.
    public mutating func append(decimal value: UInt64) {
        append(decimal: value, minimumDigits: 1)
    }

    /// Appends a number in decimal digits, with leading zeros up to a width.
    public mutating func append(decimal value: UInt64, minimumDigits: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = value
            repeat {
                start -= 1
                digits[start] = UInt8(48 + rest % 10)
                rest /= 10
            } while rest > 0 || 20 - start < minimumDigits
            append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
        }
    }

    /// Appends nanoseconds as milliseconds with three decimals.
    public mutating func append(milliseconds nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1000
        append(decimal: microseconds / 1000)
        append(UInt8(ascii: "."))
        append(decimal: microseconds % 1000, minimumDigits: 3)
    }

    /// Appends bytes that somebody else chose so that they can neither end the field nor the line: printable ASCII stays but
    /// for quote and backslash; everything else becomes `\xHH`.
    public mutating func append(escapedForText bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20..<0x7F:
                append(byte)
            default:
                append("\\x")
                append(hexadecimalDigit(byte >> 4))
                append(hexadecimalDigit(byte & 15))
            }
        }
    }

    /// Appends bytes that somebody else chose inside a JSON string: what is not printable ASCII becomes `\u00HH`, byte by byte,
    /// so that the line is valid JSON whatever the bytes were.
    public mutating func append(escapedForJSON bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20..<0x7F:
                append(byte)
            default:
                append("\\u00")
                append(hexadecimalDigit(byte >> 4))
                append(hexadecimalDigit(byte & 15))
            }
        }
    }
}

private func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
