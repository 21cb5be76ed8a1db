// Requests and responses for tests: parsed from text as the proxy parses them, and read back.

import HTTPWire
import Testing

@testable import EventLoop
@testable import Front

extension Buffer {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// A reader that has read the head of a request.
func reader(of request: String) throws -> RequestReader {
    let limits = HeadLimits()
    let reader = RequestReader(buffer: Buffer(capacity: 1 << 17), limits: limits)
    reader.reset()
    reader.buffer.append(text: request)
    try #require(reader.parseHead() == .complete)
    reader.beginBody()
    return reader
}

extension RequestReader {
    /// Bytes of the head as text.
    func text(_ range: Range<Int>) -> String { String(decoding: headBytes(range), as: UTF8.self) }
}

/// A response's head and the bytes it was parsed from.
final class ReceivedResponse {
    let buffer = Buffer(capacity: 1 << 17)
    private(set) var head = ResponseHead()

    init(_ response: String, answering method: HTTPWire.Method = .get) throws {
        buffer.append(text: response)
        var parser = ResponseParser(requestMethod: method, limits: HeadLimits())
        let progress = parser.parse(buffer.elements.span, into: &head)
        try #require(progress == .complete, "\(progress): \(response)")
        head.markHopByHop(buffer.elements.span)
    }

    /// The values of all fields of a name, whatever its case.
    func values(_ name: String) -> [String] {
        head.fields.lines.filter { text($0.nameRange).lowercased() == name.lowercased() }.map { text($0.valueRange) }
    }

    var reason: String { text(head.reasonRange) }

    /// What follows the head.
    var body: String { text(head.length..<buffer.count) }

    private func text(_ range: Range<Int>) -> String { String(decoding: buffer.bytes[range], as: UTF8.self) }
}
