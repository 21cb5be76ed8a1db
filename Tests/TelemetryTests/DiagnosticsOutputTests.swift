// Diagnostics that nobody takes in time.

import Glibc
import Logging
import Testing

@testable import Telemetry

@Suite("Diagnostics", .timeLimit(.minutes(5)))
struct DiagnosticsOutputTests {
    /// All that comes out of a descriptor until something is in it.
    private func read(_ descriptor: CInt, until end: String) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
            if String(decoding: bytes, as: UTF8.self).contains(end) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `lines are written in their order, and whole`() throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = DiagnosticsOutput(to: ends[1], label: "test")
        for number in 0..<10 { output.write("line \(number)\n") }
        output.flush(milliseconds: 60_000)
        output.write("the end\n")
        let expected = (0..<10).map { "line \($0)\n" }.joined() + "the end\n"
        #expect(read(ends[0], until: "the end\n") == expected)
    }

    @Test func `who says something goes on although nobody reads, and is told later how much is missing`() throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = DiagnosticsOutput(to: ends[1], label: "test")
        let logger = Logger(label: "test") { StreamLogHandler(label: $0, stream: output) }
        // More than a pipe holds, and than may wait beside that.
        let text = String(repeating: "x", count: 1000)
        for number in 0..<5000 { logger.notice("\(number) \(text)") }
        let said = read(ends[0], until: "lines were left out here")
        #expect(said.contains(" warning test: "))
        let count = try #require(said.firstMatch(of: /(\d+) lines were left out here/).flatMap { Int($0.1) })
        let lines = said.matches(of: /notice test: \[\w+\] (\d+) x{1000}\n/).compactMap { Int($0.1) }
        #expect(lines.count + count == 5000)
        #expect(lines.count >= DiagnosticsOutput.capacity)
        #expect(lines == Array(0..<lines.count))
    }
}
