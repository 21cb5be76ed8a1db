// Chunks put around bytes.

import EventLoop
import MessageIO
import TestSupport
import Testing

@Suite("Chunk framing")
struct ChunkFramingTests {
    private let pool = BufferPool(capacity: 1 << 17, maximumIdle: 2)

    @Test(
        arguments: [
            (0, ""), (1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"), (4095, "fff"),
            (4096, "1000"), (43_981, "abcd"), (65_536, "10000"),
        ] as [(Int, String)],
        [false, true]
    )
    func `a region becomes one chunk, an empty one none`(chunk: (count: Int, size: String), isLast: Bool) {
        let content = [UInt8](repeating: 0x78, count: chunk.count)
        let text = String(decoding: content, as: UTF8.self)
        let expected = (chunk.count > 0 ? "\(chunk.size)\r\n\(text)\r\n" : "") + (isLast ? "0\r\n\r\n" : "")

        let inPlace = pool.take(headroom: Buffer.chunkHeadroom)
        inPlace.append(content)
        inPlace.frameAsChunk(isLast: isLast)
        #expect(String(decoding: inPlace.bytes, as: UTF8.self) == expected)

        let copied = pool.take()
        copied.append("before ")
        content.withUnsafeBytes { copied.appendChunk($0) }
        if isLast { copied.appendLastChunk(trailers: []) }
        #expect(String(decoding: copied.bytes, as: UTF8.self) == "before " + expected)
    }

    @Test func `framing takes no more room than it says`() {
        let buffer = pool.take(headroom: Buffer.chunkHeadroom)
        let count = buffer.room - Buffer.chunkTailroom
        buffer.append([UInt8](repeating: 0x78, count: count))
        buffer.frameAsChunk(isLast: true)
        #expect(buffer.room == 0)
        #expect(buffer.start >= 0)
        #expect(Buffer.chunkHeadroom == 16 + 2, "the longest size and its line end")
        #expect(Buffer.chunkTailroom == 2 + 5, "a chunk's line end and the last chunk")
    }

    @Test func `trailer lines stand behind the last chunk`() {
        let lines = Array("A: b\r\nC: d\r\n".utf8)
        let inPlace = pool.take(headroom: Buffer.chunkHeadroom)
        inPlace.append("hello")
        inPlace.frameAsChunk(isLast: true, trailers: lines)
        #expect(String(decoding: inPlace.bytes, as: UTF8.self) == "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n")
        let alone = pool.take()
        alone.frameAsChunk(isLast: true, trailers: lines)
        #expect(String(decoding: alone.bytes, as: UTF8.self) == "0\r\nA: b\r\nC: d\r\n\r\n")
        let open = pool.take(headroom: Buffer.chunkHeadroom)
        open.append("hello")
        open.frameAsChunk(isLast: false, trailers: lines)
        #expect(String(decoding: open.bytes, as: UTF8.self) == "5\r\nhello\r\n")
    }

    @Test func `hexadecimal digits are those of the alphabet, in lower case`() {
        #expect(String(decoding: (0..<16).map { hexadecimalDigit($0) }, as: UTF8.self) == "0123456789abcdef")
    }
}
