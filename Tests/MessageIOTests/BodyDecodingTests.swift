// Bodies decoded and framed anew in the buffer they arrived in.

import EventLoop
import HTTPWire
import MessageIO
import TestSupport
import Testing

extension Buffer {
    /// Bytes at absolute offsets, copied.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes(range), as: UTF8.self) }
}

extension DecodedBody.State {
    /// The state as a word, for comparing.
    var word: String {
        switch self {
        case .open: "open"
        case .finished: "finished"
        case .refused(let refusal): refusal.rawValue
        }
    }
}

struct Decoding: Sendable, CustomTestStringConvertible {
    let label: String
    let framing: MessageFraming
    let input: String
    let content: String
    let rest: String
    let state: String
    var testDescription: String { label }

    static let table: [Decoding] = [
        .init(label: "no body", framing: .none, input: "GET /", content: "", rest: "GET /", state: "finished"),
        .init(
            label: "length, all of it",
            framing: .length(5),
            input: "hello",
            content: "hello",
            rest: "",
            state: "finished"
        ),
        .init(
            label: "length, more to come",
            framing: .length(9),
            input: "hello",
            content: "hello",
            rest: "",
            state: "open"
        ),
        .init(label: "length, nothing yet", framing: .length(5), input: "", content: "", rest: "", state: "open"),
        .init(
            label: "length, next message behind it",
            framing: .length(5),
            input: "helloGET /",
            content: "hello",
            rest: "GET /",
            state: "finished"
        ),
        .init(label: "until close", framing: .untilClose, input: "hello", content: "hello", rest: "", state: "open"),
        .init(label: "chunked, nothing yet", framing: .chunked, input: "", content: "", rest: "", state: "open"),
        .init(label: "chunked, a size cut", framing: .chunked, input: "1", content: "", rest: "", state: "open"),
        .init(
            label: "chunked, a chunk cut",
            framing: .chunked,
            input: "9\r\nhello",
            content: "hello",
            rest: "",
            state: "open"
        ),
        .init(
            label: "chunked, a chunk's end cut",
            framing: .chunked,
            input: "5\r\nhello\r",
            content: "hello",
            rest: "",
            state: "open"
        ),
        .init(
            label: "chunked, two chunks moved together",
            framing: .chunked,
            input: "5\r\nhello\r\n6;x=y\r\n world\r\n",
            content: "hello world",
            rest: "",
            state: "open"
        ),
        .init(
            label: "chunked, all of it",
            framing: .chunked,
            input: "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
            content: "hello world",
            rest: "",
            state: "finished"
        ),
        .init(
            label: "chunked, next message behind it",
            framing: .chunked,
            input: "5\r\nhello\r\n0\r\nA: b\r\n\r\nGET /",
            content: "hello",
            rest: "GET /",
            state: "finished"
        ),
        .init(
            label: "chunked, the trailer section cut",
            framing: .chunked,
            input: "5\r\nhello\r\n0\r\nA: b\r\n",
            content: "hello",
            rest: "A: b\r\n",
            state: "open"
        ),
        .init(
            label: "chunked, empty, next message behind it",
            framing: .chunked,
            input: "0\r\n\r\nGET /",
            content: "",
            rest: "GET /",
            state: "finished"
        ),
        .init(
            label: "chunked, broken behind content",
            framing: .chunked,
            input: "5\r\nhello\r\nx\r\n",
            content: "hello",
            rest: "x\r\n",
            state: "malformed_chunk_size"
        ),
    ]
}

@Suite("Body decoding in place")
struct BodyDecodingTests {
    /// Where the bytes start, and what stands before them.
    private static let offset = 40

    @Test(arguments: Decoding.table)
    func `a pass leaves content, rest and state`(_ row: Decoding) {
        let pool = BufferPool(capacity: 4096, maximumIdle: 0)
        let buffer = pool.take()
        let before = [UInt8](repeating: 0xEE, count: Self.offset)
        buffer.append(before)
        buffer.append(text: row.input)
        var decoder = BodyDecoder(row.framing)
        var trailers = TrailerLines()
        let decoded = decoder.decode(in: buffer, from: Self.offset, trailers: &trailers)
        #expect(buffer.text(decoded.content) == row.content)
        #expect(buffer.text(decoded.rest) == row.rest)
        #expect(decoded.state.word == row.state)
        #expect(decoded.rest.upperBound == buffer.end)
        #expect(buffer.bytes(0..<Self.offset) == before)
        #expect(buffer.end == Self.offset + row.input.utf8.count, "the region itself is left alone")
    }

    @Test func `trailers that may go on are kept as whole lines, however they arrive`() {
        let input = Array("5\r\nhello\r\n0\r\nA: b\r\nContent-Length: 5\r\nX-Sum:  1 \r\nHost: c\r\n\r\n".utf8)
        let pool = BufferPool(capacity: 4096, maximumIdle: 0)
        for cut in 0...input.count {
            let buffer = pool.take()
            buffer.append("before|")
            buffer.append(Array(input.prefix(cut)))
            var decoder = BodyDecoder(.chunked)
            var trailers = TrailerLines()
            let first = decoder.decode(in: buffer, from: 7, trailers: &trailers)
            guard cut < input.count else {
                #expect(String(decoding: trailers.bytes, as: UTF8.self) == "A: b\r\nX-Sum:  1 \r\n")
                continue
            }
            #expect(trailers.bytes == [], "not before the body is finished")
            buffer.append(Array(input.dropFirst(cut)))
            let second = decoder.decode(in: buffer, from: first.rest.lowerBound, trailers: &trailers)
            #expect(second.state.word == "finished")
            #expect(String(decoding: trailers.bytes, as: UTF8.self) == "A: b\r\nX-Sum:  1 \r\n", "cut at \(cut)")
            trailers.reset()
            #expect(trailers.bytes == [])
        }
    }

    // MARK: Random bodies, split at random

    /// A chunked body and what it says.
    private struct Message {
        var data: [UInt8]
        var wire: [UInt8] = []

        init(using generator: inout SeededGenerator) {
            data = generator.bytes(generator.number(in: 0...2000))
            var position = 0
            while position < data.count {
                let count = min(data.count - position, generator.number(in: 1...(generator.once(in: 3) ? 700 : 20)))
                var size = String(count, radix: 16, uppercase: generator.once(in: 2))
                if generator.once(in: 4) { size = String(repeating: "0", count: generator.number(in: 1...5)) + size }
                if generator.once(in: 5) { size += ";name=\"value\"" }
                wire += Array(size.utf8) + [13, 10] + data[position..<(position + count)] + [13, 10]
                position += count
            }
            wire += Array((generator.once(in: 3) ? "000" : "0").utf8) + [13, 10]
            if generator.once(in: 3) { wire += Array("Checksum: 0123456789abcdef\r\nOther: x\r\n".utf8) }
            wire += [13, 10]
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `random bodies in random reads, framed anew in place, say the same, and nothing beside them is damaged`(
        seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        let pool = BufferPool(capacity: 4096, maximumIdle: 1)
        for _ in 0..<60 {
            let message = Message(using: &generator)
            let next = generator.bytes(generator.number(in: 0...200))
            let arriving = message.wire + next
            let reads = generator.once(in: 3) ? 1...9 : 1...1500

            let buffer = pool.take()
            defer { pool.give(buffer) }
            // Room for framing before the bytes, and in front of that what must not be touched.
            let guarded = generator.bytes(50)
            let start = guarded.count + Buffer.chunkHeadroom
            buffer.append(guarded)
            buffer.end = start

            var decoder = BodyDecoder(.chunked)
            var trailers = TrailerLines()
            var arrived = 0
            var rawStart = start
            var data: [UInt8] = []
            var framed: [UInt8] = []
            var isFinished = false
            while !isFinished {
                let room = buffer.room - Buffer.chunkTailroom
                let count = min(generator.number(in: reads), arriving.count - arrived, room)
                buffer.append(Array(arriving[arrived..<(arrived + count)]))
                arrived += count
                let decoded = decoder.decode(in: buffer, from: rawStart, trailers: &trailers)
                switch decoded.state {
                case .open: break
                case .finished: isFinished = true
                case .refused(let refusal):
                    Issue.record("refused: \(refusal)")
                    return
                }
                let rest = buffer.bytes(decoded.rest)
                data += buffer.bytes(decoded.content)
                // Framing in place is for content; an end that comes alone has no place of its own.
                if decoded.content.isEmpty {
                    if isFinished { framed += Array("0\r\n".utf8) + trailers.bytes + [13, 10] }
                } else {
                    let end = buffer.end
                    buffer.start = decoded.content.lowerBound
                    buffer.end = decoded.content.upperBound
                    buffer.frameAsChunk(isLast: isFinished, trailers: trailers.bytes)
                    framed += Array(buffer.bytes)
                    buffer.start = 0
                    buffer.end = end
                }
                #expect(buffer.bytes(decoded.rest) == rest, "what follows is intact")
                #expect(buffer.bytes(0..<guarded.count) == guarded, "what stands before is intact")
                // As the readers do it: what was not consumed goes back to where reading began.
                buffer.moveBytes(from: decoded.rest.lowerBound, count: decoded.rest.count, to: start)
                rawStart = start
                buffer.end = start + decoded.rest.count
            }
            #expect(data == message.data)
            #expect(buffer.bytes(start..<buffer.end) + arriving[arrived...] == next, "the next message is whole")

            let again = BufferPool(capacity: framed.count, maximumIdle: 0).take()
            again.append(framed)
            var second = BodyDecoder(.chunked)
            let decoded = second.decode(in: again, from: 0, trailers: &trailers)
            #expect(decoded.state.word == "finished")
            #expect(decoded.rest.isEmpty)
            #expect(again.bytes(decoded.content) == message.data)
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `a body of a length ends with its last byte, however it arrives`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pool = BufferPool(capacity: 4096, maximumIdle: 1)
        for _ in 0..<50 {
            let data = generator.bytes(generator.number(in: 1...1500))
            let next = generator.bytes(generator.number(in: 0...100))
            let buffer = pool.take()
            defer { pool.give(buffer) }
            var decoder = BodyDecoder(.length(data.count))
            var trailers = TrailerLines()
            var arriving = (data + next)[...]
            var collected: [UInt8] = []
            var rawStart = 0
            var isFinished = false
            while !isFinished {
                let read = arriving.prefix(generator.number(in: 1...400))
                arriving = arriving.dropFirst(read.count)
                buffer.append(Array(read))
                let decoded = decoder.decode(in: buffer, from: rawStart, trailers: &trailers)
                if !decoded.content.isEmpty {
                    #expect(decoded.content.lowerBound == rawStart, "content stays where it is")
                }
                collected += buffer.bytes(decoded.content)
                rawStart = decoded.rest.lowerBound
                if case .finished = decoded.state { isFinished = true }
            }
            #expect(collected == data)
            #expect(buffer.bytes(rawStart..<buffer.end) + arriving == next)
        }
    }
}
