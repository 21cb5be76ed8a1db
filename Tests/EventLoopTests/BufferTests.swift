// Buffers and their pool.

import TestSupport
import Testing

@testable import EventLoop

extension Buffer {
    /// The readable region, copied.
    fileprivate var contents: [UInt8] { Array(bytes) }
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}

@Suite("Buffer")
struct BufferTests {
    @Test func `a new buffer is empty and all room`() {
        let buffer = Buffer(capacity: 8192)
        #expect(buffer.isEmpty)
        #expect(buffer.count == 0)
        #expect(buffer.room == 8192)
    }

    @Test func `the region grows at both ends`() {
        let buffer = Buffer(capacity: 4096)
        buffer.reset(headroom: 10)
        buffer.append("literal ")
        buffer.append(text: "text" + "")
        buffer.append(byte: 0x20)
        buffer.append([0x62, 0x79, 0x74, 0x65, 0x73])
        buffer.prepend("a ")
        buffer.prepend(byte: 0x3E)
        [UInt8]("<<".utf8).withUnsafeBytes { buffer.prepend($0) }
        #expect(buffer.text == "<<>a literal text bytes")
        #expect(buffer.start == 5)
        #expect(Array(buffer.elements) == buffer.contents)
        #expect(buffer.bytesStart == UnsafeRawPointer(buffer.base + 5))
    }

    @Test func `a buffer can be filled to its last byte from both ends`() {
        let buffer = Buffer(capacity: 4096)
        buffer.reset(headroom: 1)
        buffer.append([UInt8](repeating: 1, count: 4094))
        buffer.append(byte: 2)
        buffer.prepend(byte: 0)
        #expect(buffer.count == 4096)
        #expect(buffer.room == 0)
        buffer.append([])
        buffer.append(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(buffer.contents == [0] + Array(repeating: 1, count: 4094) + [2])
    }

    @Test func `what does not fit is our own bug`() async {
        await #expect(processExitsWith: .failure) {
            Buffer(capacity: 4096).append([UInt8](repeating: 0, count: 4097))
        }
        await #expect(processExitsWith: .failure) {
            Buffer(capacity: 4096).prepend(byte: 0)
        }
    }

    @Test(
        arguments: [
            (0, "0"), (9, "9"), (10, "10"), (99, "99"), (100, "100"), (65_535, "65535"), (1_000_000, "1000000"),
            (UInt64(Int64.max), "9223372036854775807"), (.max, "18446744073709551615"),
        ] as [(UInt64, String)]
    )
    func `numbers are written in decimal`(number: UInt64, expected: String) {
        let buffer = Buffer(capacity: 4096)
        buffer.reset(headroom: 4096 - expected.utf8.count)
        buffer.append(decimal: number)
        #expect(buffer.text == expected)
        #expect(buffer.room == 0)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `random operations leave what an array has`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let buffer = Buffer(capacity: 4096)
        var model: [UInt8] = []
        for _ in 0..<2000 {
            switch generator.number(in: 0...7) {
            case 0:
                let headroom = generator.number(in: 0...4096)
                buffer.reset(headroom: headroom)
                model = []
                #expect(buffer.start == headroom)
            case 1:
                let bytes = generator.bytes(generator.number(in: 0...min(buffer.room, 300)))
                buffer.append(bytes)
                model += bytes
            case 2:
                let bytes = generator.bytes(generator.number(in: 0...min(buffer.start, 300)))
                bytes.withUnsafeBytes { buffer.prepend($0) }
                model = bytes + model
            case 3:
                let offset = generator.number(in: 0...(4096 - buffer.count))
                buffer.move(to: offset)
                #expect(buffer.start == offset)
            case 4:
                let dropped = generator.number(in: 0...buffer.count)
                buffer.start += dropped
                model.removeFirst(dropped)
            case 5:
                let dropped = generator.number(in: 0...buffer.count)
                buffer.end -= dropped
                model.removeLast(dropped)
            case 6:
                // Inside the region, with and without overlap.
                let count = generator.number(in: 0...buffer.count)
                let source = generator.number(in: 0...(buffer.count - count))
                let destination = generator.number(in: 0...(buffer.count - count))
                buffer.moveBytes(from: buffer.start + source, count: count, to: buffer.start + destination)
                let moved = Array(model[source..<(source + count)])
                model.replaceSubrange(destination..<(destination + count), with: moved)
            default:
                guard buffer.room >= 20 else { continue }
                let number = generator.next() >> UInt64(generator.number(in: 0...63))
                buffer.append(decimal: number)
                model += Array("\(number)".utf8)
            }
            #expect(buffer.contents == model)
            #expect(buffer.room == 4096 - buffer.end)
        }
    }
}

@Suite("Buffer pool")
struct BufferPoolTests {
    @Test(arguments: [(1, 4096), (4096, 4096), (4097, 8192), (65_536, 65_536), (70_000, 73_728)])
    func `the capacity is that asked for in whole pages`(asked: Int, given: Int) {
        let pool = BufferPool(capacity: asked, maximumIdle: 1)
        #expect(pool.capacity == given)
        let buffer = pool.take()
        #expect(buffer.capacity == given)
        pool.give(buffer)
    }

    @Test func `the buffer given back last is taken first, and is empty again`() {
        let pool = BufferPool(capacity: 4096, maximumIdle: 4)
        let first = pool.take()
        let second = pool.take()
        #expect(first !== second)
        #expect(pool.inUse == 2)
        first.append("first")
        second.append("second")
        pool.give(first)
        pool.give(second)
        #expect(pool.inUse == 0)
        let again = pool.take(headroom: 100)
        #expect(again === second)
        #expect(again.isEmpty)
        #expect(again.start == 100)
        #expect(pool.take() === first)
        #expect(pool.inUse == 2)
    }

    @Test func `no more than the maximum is kept`() {
        let pool = BufferPool(capacity: 4096, maximumIdle: 1)
        weak var kept: Buffer?
        weak var freed: Buffer?
        do {
            let first = pool.take()
            let second = pool.take()
            kept = first
            freed = second
            pool.give(first)
            pool.give(second)
        }
        #expect(kept != nil)
        #expect(freed == nil)
        #expect(pool.inUse == 0)
    }

    @Test func `what nobody took between two trims is let go of`() {
        let pool = BufferPool(capacity: 4096, maximumIdle: 8)
        let buffers = (0..<5).map { _ in pool.take() }
        for buffer in buffers { pool.give(buffer) }
        #expect(pool.trim() == 0, "all five were taken")
        let used = [pool.take(), pool.take()]
        for buffer in used { pool.give(buffer) }
        #expect(pool.trim() == 3)
        #expect(pool.trim() == 2)
        #expect(pool.trim() == 0)
    }
}
