// Which bytes may stand where: every byte value at every offset of the eight-byte scans, against a plain definition.

import HTTPWire
import Testing

@Suite("Byte classes", .tags(.wire))
struct ByteClassTests {
    private static let marks = Set("!#$%&'*+-.^_`|~".utf8)

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: marks.contains(byte)
        }
    }

    /// Puts each byte at each offset of a text of letters and compares what is accepted with what should be.
    private func check(
        _ before: String,
        _ after: String,
        from firstOffset: Int = 0,
        isLegal: (UInt8) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for offset in firstOffset..<18 {
            for byte in UInt8.min...UInt8.max {
                var middle = [UInt8](repeating: UInt8(ascii: "z"), count: 18)
                middle[offset] = byte
                let message = bytes(before) + middle + bytes(after)
                let isAccepted = parseRequest(message, .whole(message)).progress == .complete
                guard isAccepted != isLegal(byte) else { continue }
                Issue.record("byte \(byte) at \(offset): accepted is \(isAccepted)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func `a field name is a token`() {
        // A colon ends the name, and what follows is a value.
        check("GET / HTTP/1.1\r\nHost: a\r\n", ": v\r\n\r\n", from: 1) { Self.isTokenByte($0) || $0 == 0x3A }
    }

    @Test func `a value holds text, tabs and bytes beyond ASCII`() {
        check("GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n") { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    @Test func `a target holds visible ASCII but no number sign`() {
        check("GET /", " HTTP/1.1\r\nHost: a\r\n\r\n") { (0x21...0x7E).contains($0) && $0 != 0x23 }
    }

    @Test func `a method is a token`() {
        check("", " / HTTP/1.1\r\nHost: a\r\n\r\n", isLegal: Self.isTokenByte)
    }

    @Test func `a host is a name without commas`() {
        let legal = Set("-._~!$&'()*+;=".utf8)
        // White space in front is no part of it; a percent sign is not followed by digits here.
        check("GET / HTTP/1.1\r\nHost: ", ":80\r\n\r\n", from: 1) { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: legal.contains(byte)
            }
        }
    }
}
