// A plain reader of the chunked coding, limits aside.

import HTTPWire

/// A chunked body that is whole and keeps RFC 9112 section 7.1 to the letter.
struct NaiveChunks {
    private(set) var content: [UInt8] = []
    /// The trailer section.
    private(set) var trailers: NaiveFields

    /// Nil if the body is incomplete or malformed.
    init?(_ input: [UInt8]) {
        var content: [UInt8] = []
        var position = 0
        while true {
            guard let (size, start) = NaiveChunks.sizeLine(of: input, from: position) else { return nil }
            if size == 0 {
                guard let trailers = NaiveFields(input, from: start) else { return nil }
                self.content = content
                self.trailers = trailers
                return
            }
            guard size <= input.count - start, input.has("\r\n", at: start + size) else { return nil }
            content += input[start..<(start + size)]
            position = start + size + 2
        }
    }

    /// A chunk's size and the offset behind its line.
    private static func sizeLine(of input: [UInt8], from start: Int) -> (size: Int, end: Int)? {
        let digits = input[start...].prefix { hexDigits.contains($0) }
        guard (1...16).contains(digits.count), let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        var end = digits.endIndex
        if end < input.count, input[end] == 0x3B {
            end = input[end...].firstIndex { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F } ?? input.count
        }
        return input.has("\r\n", at: end) ? (size, end + 2) : nil
    }
}

private let hexDigits = Set("0123456789abcdefABCDEF".utf8)
