// The access log's writer: what is written, what is dropped and counted, and that nobody waits for it.

import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import Telemetry

/// A logger whose messages can be read.
private final class Diagnostics: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in self } }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.level): \(event.message)") } }
}

/// A directory that goes away with its owner.
private final class Directory {
    let path: String

    init() throws {
        var template = Array("/tmp/access-log-tests-XXXXXX".utf8CString)
        try #require(template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } } != nil)
        path = template.withUnsafeBytes { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
}

extension AccessLog {
    fileprivate func submit(_ text: String) {
        var lines = Array(text.utf8)
        submit(&lines)
        #expect(lines.isEmpty)
    }

    fileprivate var dropped: UInt64 { droppedLines.load(ordering: .relaxed) }

    /// Waits until everything submitted is written or dropped.
    fileprivate func settle() { flush(milliseconds: 60_000) }
}

@Suite("Access log writer", .timeLimit(.minutes(5)))
struct AccessLogTests {
    private let diagnostics = Diagnostics()

    private func open(_ path: String) throws -> AccessLog {
        try #require(try AccessLog.open(.file(path: path), diagnostics: diagnostics.logger))
    }

    @Test func `off is no log`() throws {
        #expect(try AccessLog.open(.off, diagnostics: diagnostics.logger) == nil)
    }

    @Test func `lines are appended to a file in the order they were submitted`() throws {
        let directory = try Directory()
        let log = try open(directory.path("new.log"))
        log.submit("1\n2\n")
        log.submit("3\n")
        log.settle()
        log.submit("4\n")
        log.submit("")
        log.settle()
        #expect(try directory.text("new.log") == "1\n2\n3\n4\n")
        #expect(log.dropped == 0)
        #expect(diagnostics.messages == [])
    }

    @Test func `what a file holds already stays, and two writers do not overwrite each other`() throws {
        let directory = try Directory()
        try "0\n".write(toFile: directory.path("old.log"), atomically: false, encoding: .utf8)
        let first = try open(directory.path("old.log"))
        let second = try open(directory.path("old.log"))
        first.submit("1\n")
        first.settle()
        second.submit("2\n")
        second.settle()
        first.submit("3\n")
        first.settle()
        #expect(try directory.text("old.log") == "0\n1\n2\n3\n")
    }

    @Test func `lines are written though nobody waits for them and the log is let go`() throws {
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        let reader = Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(reader >= 0)
        defer { close(reader) }
        do {
            let log = try open(directory.path("pipe"))
            log.submit("1\n")
        }
        #expect(fcntl(reader, F_SETFL, 0) == 0)
        var bytes = [UInt8](repeating: 0, count: 16)
        // The pipe's end comes when the log has closed it.
        #expect(read(reader, &bytes, 16) == 2)
        #expect(read(reader, &bytes, 16) == 0)
    }

    @Test func `submitting keeps the array's memory for the next lines`() throws {
        let log = try open("/dev/null")
        var lines = [UInt8](repeating: UInt8(ascii: "\n"), count: 5000)
        let capacity = lines.capacity
        log.submit(&lines)
        #expect(lines.isEmpty)
        #expect(lines.capacity >= capacity)
        log.settle()
    }

    @Test func `a file that cannot be opened is an error that names it`() throws {
        let directory = try Directory()
        let path = directory.path("missing/access.log")
        let error = #expect(throws: AccessLogError.self) {
            try AccessLog.open(.file(path: path), diagnostics: diagnostics.logger)
        }
        #expect(error?.description == "LB_ACCESS_LOG=\(path): No such file or directory")
    }

    @Test func `on a full disk lines are lost and counted, and that is said once`() throws {
        let log = try open("/dev/full")
        log.submit("1\n2\n3\n")
        log.settle()
        #expect(log.dropped == 3)
        log.submit("4\n")
        log.settle()
        #expect(log.dropped == 4)
        let message =
            "error: the access log cannot be written: No space left on device; lines are lost, traffic goes on"
        #expect(diagnostics.messages == [message])
    }

    @Test func `when a pipe's reader has gone lines are lost and counted, and the return of writing is told`() throws {
        // As the program does.
        signal(SIGPIPE, SIG_IGN)
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        func reader() -> CInt { Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        let first = reader()
        let log = try open(directory.path("pipe"))
        close(first)
        log.submit("1\n2\n")
        log.settle()
        #expect(log.dropped == 2)
        let second = reader()
        defer { close(second) }
        log.submit("3\n")
        log.settle()
        #expect(log.dropped == 2)
        #expect(
            diagnostics.messages == [
                "error: the access log cannot be written: Broken pipe; lines are lost, traffic goes on",
                "notice: the access log is being written again; lines lost: 2",
            ]
        )
    }

    @Test func `a pipe that nobody reads holds nobody up: lines beyond the capacity are dropped and counted`() throws {
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        let reader = Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(reader >= 0)
        defer { close(reader) }
        let log = try open(directory.path("pipe"))

        // Lines of one length, each with its batch's number: three times what may wait.
        let lineLength = 4096
        let linesPerBatch = 128
        let batches = 3 * AccessLog.capacity / (lineLength * linesPerBatch)
        for batch in 0..<batches {
            let line = Array("\(batch) ".utf8)
            let filled = line + [UInt8](repeating: 0x78, count: lineLength - line.count - 1) + [UInt8(ascii: "\n")]
            var lines: [UInt8] = []
            for _ in 0..<linesPerBatch { lines.append(contentsOf: filled) }
            log.submit(&lines)
            #expect(lines.isEmpty)
        }
        // Nor does the end of the process wait longer than it wants to.
        log.flush(milliseconds: 1)
        let dropped = Int(log.dropped)
        #expect(dropped > 0)
        #expect(dropped.isMultiple(of: linesPerBatch), "a batch is taken as a whole or not at all")

        // Once somebody reads, all the others are there, whole and in order.
        #expect(fcntl(reader, F_SETFL, 0) == 0)
        let expected = batches * linesPerBatch - dropped
        var bytes = [UInt8](repeating: 0, count: expected * lineLength)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                read(reader, $0.baseAddress?.advanced(by: filled), $0.count - filled)
            }
            try #require(count > 0)
            filled += count
        }
        var previous = -1
        for index in 0..<expected {
            let line = bytes[(index * lineLength)..<((index + 1) * lineLength)]
            #expect(line.last == UInt8(ascii: "\n"))
            let batch = try #require(Int(String(decoding: line.prefix { $0 != 0x20 }, as: UTF8.self)))
            #expect(batch >= previous)
            previous = batch
        }
        log.settle()
        #expect(Int(log.dropped) == dropped)
    }
}
