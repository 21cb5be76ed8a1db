// What exchanges leave for their lines, when their own bytes have gone.

import Telemetry
import Testing

@testable import Forwarding

@Suite("Kept lines")
struct KeptLinesTests {
    private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Tells of an exchange whose bytes go afterwards.
    private func keep(_ target: String, in lines: KeptLines) -> Bool {
        var bytes = Array(target.utf8)
        let isKept = bytes.withUnsafeBytes { bytes in
            lines.next.pointee.facts = AccessLogFacts()
            lines.next.pointee.facts.target = bytes
            lines.next.pointee.facts.host = UnsafeRawBufferPointer(rebasing: bytes.prefix(3))
            return lines.keep(withProgram: false)
        }
        for index in bytes.indices { bytes[index] = UInt8(ascii: "?") }
        return isKept
    }

    @Test func `bytes are copied, each exchange's for itself, as many as there is room for`() {
        let lines = KeptLines()
        for round in 0..<3 {
            for index in 0..<KeptLines.capacity {
                #expect(!lines.isFull)
                let target = "/\(round)/" + String(repeating: "x", count: index)
                #expect(keep(target, in: lines))
            }
            #expect(lines.isFull && lines.count == KeptLines.capacity)
            for index in 0..<lines.count {
                #expect(text(lines[index].pointee.facts.target) == "/\(round)/" + String(repeating: "x", count: index))
                #expect(text(lines[index].pointee.facts.host) == "/\(round)/")
                #expect(lines[index].pointee.facts.method.isEmpty)
            }
            lines.removeAll()
            #expect(lines.count == 0)
        }
    }

    @Test func `all bytes of an exchange are copied, whichever of its facts they are`() {
        let facts: [WritableKeyPath<AccessLogFacts, UnsafeRawBufferPointer>] = [
            \.method, \.target, \.host, \.backend, \.requestID, \.referer, \.userAgent,
        ]
        let lines = KeptLines()
        var bytes = Array("abcdefg".utf8)
        let isKept = bytes.withUnsafeBytes { bytes in
            for (index, fact) in facts.enumerated() {
                lines.next.pointee.facts[keyPath: fact] = UnsafeRawBufferPointer(rebasing: bytes[index...index])
            }
            return lines.keep(withProgram: true)
        }
        #expect(isKept)
        for index in bytes.indices { bytes[index] = UInt8(ascii: "?") }
        #expect(facts.map { text(lines[0].pointee.facts[keyPath: $0]) }.joined() == "abcdefg")
    }

    @Test func `what the client says of its program is kept if it is wanted`() {
        let lines = KeptLines()
        for isWanted in [false, true] {
            var bytes = Array("curl/8.14".utf8)
            let isKept = bytes.withUnsafeBytes {
                lines.next.pointee.facts.userAgent = $0
                return lines.keep(withProgram: isWanted)
            }
            #expect(isKept)
            for index in bytes.indices { bytes[index] = UInt8(ascii: "?") }
        }
        #expect(text(lines[1].pointee.facts.userAgent) == "curl/8.14")
    }

    @Test func `a line whose request has no trace does not have the former one's`() {
        var line = KeptLine()
        let trace = TraceContext(traceHigh: 1, traceLow: 2, parent: 3, flags: TraceContext.sampled)
        line.setTrace(trace)
        #expect(line.trace == trace)
        line.setTrace(nil)
        #expect(line.trace == nil)
    }

    @Test func `what is too long is said to be, and what was kept before stays`() {
        let lines = KeptLines()
        #expect(keep("/short", in: lines))
        let long = String(repeating: "y", count: 16 << 10)
        #expect(!keep(long, in: lines))
        #expect(lines.count == 2)
        #expect(text(lines[0].pointee.facts.target) == "/short")
        lines.removeAll()
        #expect(keep(String(long.dropLast(3)), in: lines))
        #expect(text(lines[0].pointee.facts.target) == long.dropLast(3))
        #expect(!keep("/more", in: lines))
    }
}
