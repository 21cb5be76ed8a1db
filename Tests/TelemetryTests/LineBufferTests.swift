// Numbers as bytes of text.

import Testing

@testable import Telemetry

@Suite("Text as bytes")
struct LineBufferTests {
    private func text(_ write: (inout LineBuffer) -> Void) -> String {
        var line = LineBuffer()
        line.append(">")
        write(&line)
        return String(decoding: line.bytes.dropFirst(), as: UTF8.self)
    }

    @Test func `what is appended stays whole while the memory grows`() {
        var line = LineBuffer()
        var expected: [UInt8] = []
        for index in 0..<10_000 {
            let piece = [UInt8](repeating: UInt8(index & 0xFF), count: index % 37)
            line.append(piece)
            expected += piece
        }
        let appended = Array(line.bytes)
        #expect(appended == expected)
        line.removeAll()
        let isEmpty = line.isEmpty
        #expect(isEmpty)
        line.append(UInt8(ascii: "x"))
        let rest = Array(line.bytes)
        #expect(rest == [UInt8(ascii: "x")])
    }

    @Test func `bytes are copied one for one, whatever their number, and none behind them is touched`() {
        let source = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        for length in 0..<source.count {
            var target = [UInt8](repeating: UInt8(ascii: "."), count: source.count + 1)
            let end = target.withUnsafeMutableBytes { target -> Int? in
                guard let start = target.baseAddress else { return nil }
                var place = TextPlace(start)
                source.withUnsafeBytes { place.write(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
                return place.pointer - start
            }
            #expect(end == length)
            #expect(
                target == Array(source[..<length])
                    + [UInt8](repeating: UInt8(ascii: "."), count: source.count + 1 - length)
            )
        }
    }

    @Test func `a number in hexadecimal has sixteen digits`() {
        let values = [0, 9, 10, 0x99AA_AA99_0F9F_A0A9, .max] + (0..<64).map { UInt64.max / 17 &* 5 >> $0 }
        for value in values {
            let digits = String(value, radix: 16)
            let expected = String(repeating: "0", count: 16 - digits.count) + digits
            #expect(text { $0.append(hexadecimal: value) } == expected)
        }
    }

    @Test func `every byte at every place of a long text is escaped as it is alone`() {
        func escaped(_ bytes: [UInt8]) -> String {
            text { line in bytes.withUnsafeBytes { line.append(escapedForText: $0) } }
        }
        for byte in UInt8.min ... .max {
            let alone = escaped([byte])
            let isPlain = (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            #expect((alone.count == 1) == isPlain)
            for place in 0..<17 {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 17)
                bytes[place] = byte
                let expected = String(repeating: "a", count: place) + alone + String(repeating: "a", count: 16 - place)
                #expect(escaped(bytes) == expected)
            }
        }
    }

    @Test func `a field is padded to its columns, and a longer one is not cut`() {
        #expect(text { $0.pad(from: 1, to: 3) } == "   ")
        #expect(
            text {
                $0.append("abcd")
                $0.pad(from: 1, to: 3)
            } == "abcd"
        )
    }

    @Test(
        arguments: [
            (0, 0, "0"), (0, 1, "0"), (0, 3, "000"), (7, 2, "07"), (10, 2, "10"), (123, 2, "123"),
            (123, 20, String(repeating: "0", count: 17) + "123"),
            (.max, 1, "18446744073709551615"), (.max, 20, "18446744073709551615"),
        ] as [(UInt64, Int, String)]
    )
    func `a number has at least so many digits`(number: UInt64, digits: Int, expected: String) {
        #expect(text { $0.append(decimal: number, minimumDigits: digits) } == expected)
    }

    @Test func `small numbers are the digits that Swift writes`() {
        for number in 0...1100 as ClosedRange<UInt64> {
            for digits in 0...5 {
                let plain = "\(number)"
                let expected = String(repeating: "0", count: max(0, digits - plain.count)) + plain
                #expect(text { $0.append(decimal: number, minimumDigits: digits) } == expected)
            }
        }
    }

    @Test func `every byte is escaped or not, wherever it stands`() {
        func expected(_ bytes: [UInt8]) -> String {
            bytes.map { byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(Unicode.Scalar(byte))
                case 0x20..<0x7F: String(Unicode.Scalar(byte))
                default: "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }
            }.joined()
        }
        for length in 1...20 {
            for place in 0..<length {
                for byte in UInt8.min ... .max {
                    var bytes = (0..<length).map { UInt8(ascii: "a") + UInt8($0) }
                    bytes[place] = byte
                    // One more from time to time, behind or in front of it.
                    if byte % 3 == 0 { bytes[(place + 5) % length] = byte }
                    let written = bytes.withUnsafeBytes { bytes in text { $0.append(escapedForJSON: bytes) } }
                    guard written == expected(bytes) else {
                        Issue.record("\(bytes) became \(written)")
                        return
                    }
                }
            }
        }
    }

    @Test(
        arguments: [
            (0, "0.000"), (999, "0.000"), (1000, "0.001"), (999_999, "0.999"), (1_000_000, "1.000"),
            (1_050_000, "1.050"), (61_000_001_000, "61000.001"), (.max, "18446744073709.551"),
        ] as [(UInt64, String)]
    )
    func `nanoseconds are written as milliseconds with three decimals, cut, not rounded`(
        nanoseconds: UInt64,
        expected: String
    ) {
        #expect(text { $0.append(milliseconds: nanoseconds) } == expected)
    }

    @Test func `a literal is appended as its bytes`() {
        #expect(text { $0.append("käse") } == "käse")
    }
}
