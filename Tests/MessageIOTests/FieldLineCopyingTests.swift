// Field lines copied from one head into another.

import EventLoop
import HTTPWire
import MessageIO
import TestSupport
import Testing

/// Copies the kept lines of a request's fields into a buffer.
private func copied(_ request: String, where isKept: (FieldLine) -> Bool) -> String {
    let received = BufferPool(capacity: 65_536, maximumIdle: 0).take()
    received.append(text: request)
    var parser = RequestParser()
    var head = RequestHead()
    #expect(parser.parse(received.elements.span, into: &head) == .complete)
    head.markHopByHop(received.elements.span)
    let output = BufferPool(capacity: 65_536, maximumIdle: 0).take()
    output.append("|")
    output.appendLines(of: head.fields, from: received.bytesStart, where: isKept)
    return String(decoding: output.bytes, as: UTF8.self)
}

@Suite("Field line copying")
struct FieldLineCopyingTests {
    struct Copying: Sendable, CustomTestStringConvertible {
        let label: String
        let fields: String
        let expected: String
        var testDescription: String { label }
    }

    @Test(arguments: [
        Copying(label: "all go on", fields: "Host: a\r\nA: b\r\nA: c\r\n", expected: "Host: a\r\nA: b\r\nA: c\r\n"),
        Copying(
            label: "the first stays",
            fields: "Connection: close\r\nHost: a\r\nB: c\r\n",
            expected: "Host: a\r\nB: c\r\n"
        ),
        Copying(
            label: "the last stays",
            fields: "Host: a\r\nB: c\r\nTE: trailers\r\n",
            expected: "Host: a\r\nB: c\r\n"
        ),
        Copying(
            label: "every other stays",
            fields: "TE: x\r\nHost: a\r\nUpgrade: x\r\nB: c\r\nKeep-Alive: 5\r\nD: e\r\nProxy-Connection: x\r\n",
            expected: "Host: a\r\nB: c\r\nD: e\r\n"
        ),
        Copying(
            label: "those that Connection names stay",
            fields: "Host: a\r\nConnection: x-one, X-TWO, close\r\nX-One: 1\r\nX-Two: 2\r\nx-two: 3\r\nX-Three: 4\r\n",
            expected: "Host: a\r\nX-Three: 4\r\n"
        ),
        Copying(
            label: "white space, case and bytes beyond ASCII go on as they are",
            fields: "hOsT:a\r\nX:  \t b c \t \r\nE:\r\nU: \u{E9}\u{1F40C}\r\n",
            expected: "hOsT:a\r\nX:  \t b c \t \r\nE:\r\nU: \u{E9}\u{1F40C}\r\n"
        ),
    ])
    func `lines that go on do so byte for byte and in order`(_ row: Copying) {
        #expect(copied("GET / HTTP/1.1\r\n\(row.fields)\r\n") { !$0.isHopByHop } == "|" + row.expected)
    }

    @Test func `nothing kept is nothing copied`() {
        #expect(copied("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n") { _ in false } == "|")
        #expect(copied("GET / HTTP/1.0\r\n\r\n") { _ in true } == "|")
    }

    @Test(arguments: SeededGenerator.seeds)
    func `any choice of lines is copied`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let lines = (0..<generator.number(in: 1...20)).map { "X-\($0): \(generator.number(in: 0...99_999))\r\n" }
            let kept = lines.map { _ in generator.once(in: 2) }
            var index = -1
            let output = copied("GET / HTTP/1.0\r\n\(lines.joined())\r\n") { _ in
                index += 1
                return kept[index]
            }
            #expect(output == "|" + zip(lines, kept).filter(\.1).map(\.0).joined())
        }
    }
}
