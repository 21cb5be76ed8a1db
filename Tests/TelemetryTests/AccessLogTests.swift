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

    /// Waits until so many messages have come: they come from a thread that nobody waits for.
    func wait(for count: Int) throws {
        for _ in 0..<60_000 where messages.count < count { usleep(1000) }
        try #require(messages.count >= count)
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
        var lines = LineBuffer()
        lines.append(text)
        submit(&lines)
        let isEmpty = lines.isEmpty
        #expect(isEmpty)
    }

    fileprivate var dropped: UInt64 { lost.count }

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

    @Test func `a file that cannot be opened is an error that names it`() throws {
        let directory = try Directory()
        let path = directory.path("missing/access.log")
        let error = #expect(throws: AccessLogError.self) {
            try AccessLog.open(.file(path: path), diagnostics: diagnostics.logger)
        }
        #expect(error?.description == "LB_ACCESS_LOG=\(path): No such file or directory")
    }

    @Test func `on a full disk lines are lost and counted, and that is said at most once a second`() throws {
        let log = try open("/dev/full")
        let start = ContinuousClock.now
        log.submit("1\n2\n3\n")
        log.settle()
        #expect(log.dropped == 3)
        for _ in 0..<20 {
            log.submit("4\n")
            log.settle()
        }
        #expect(log.dropped == 23)
        let seconds = Int((ContinuousClock.now - start).components.seconds) + 1
        try diagnostics.wait(for: 1)
        #expect(
            diagnostics.messages.first
                == "error: the access log loses lines: No space left on device; 3 lost so far, traffic goes on"
        )
        #expect(diagnostics.messages.count <= seconds)
    }

    @Test func `a file that is moved or removed is made anew within about a second`() throws {
        let directory = try Directory()
        let log = try open(directory.path("a.log"))
        log.submit("1\n")
        log.settle()
        for name in ["moved.log", "moved again.log"] {
            try FileManager.default.moveItem(atPath: directory.path("a.log"), toPath: directory.path(name))
            var lines = 0
            while !FileManager.default.fileExists(atPath: directory.path("a.log")), lines < 6000 {
                log.submit("x\n")
                log.settle()
                lines += 1
                usleep(10_000)
            }
            #expect(try directory.text("a.log") == "x\n")
        }
        #expect(try directory.text("moved.log").hasPrefix("1\n"))
        #expect(log.dropped == 0)
        #expect(diagnostics.messages == [])
    }

    @Test func `opening anew on demand: what was handed over before goes to the old file, what comes after to the new`()
        throws
    {
        let directory = try Directory()
        let log = try open(directory.path("a.log"))
        log.submit("1\n")
        log.settle()
        try FileManager.default.moveItem(atPath: directory.path("a.log"), toPath: directory.path("b.log"))
        log.submit("2\n")
        log.reopen()
        log.settle()
        log.submit("3\n")
        log.settle()
        #expect(try directory.text("b.log") == "1\n2\n")
        #expect(try directory.text("a.log") == "3\n")
    }

    @Test func `a file that cannot be made anew is told of, and lines go on to the old one`() throws {
        let directory = try Directory()
        try FileManager.default.createDirectory(atPath: directory.path("x"), withIntermediateDirectories: false)
        let log = try open(directory.path("x/a.log"))
        try FileManager.default.moveItem(atPath: directory.path("x"), toPath: directory.path("y"))
        log.reopen()
        log.submit("1\n")
        log.settle()
        try diagnostics.wait(for: 1)
        #expect(try directory.text("y/a.log") == "1\n")
        #expect(diagnostics.messages.count == 1)
        #expect(
            diagnostics.messages.first?.hasPrefix(
                "error: the access log cannot be opened anew: \(directory.path("x/a.log")): No such file or directory;"
            ) == true
        )
    }

    @Test func `a pipe that nobody has opened for reading yet is waited for, and lines until then are counted`() throws
    {
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        let log = try open(directory.path("pipe"))
        log.submit("1\n2\n")
        log.settle()
        #expect(log.dropped == 2)
        let reader = Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(reader >= 0)
        defer { close(reader) }
        #expect(firstText(from: reader, writing: "3\n", to: log) == "3\n")
    }

    /// Writes a line again and again until a pipe's reader gets one; what it gets.
    private func firstText(from reader: CInt, writing line: String, to log: AccessLog) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        var count = -1
        for _ in 0..<6000 where count <= 0 {
            log.submit(line)
            log.settle()
            count = read(reader, &bytes, 16)
            if count <= 0 { usleep(10_000) }
        }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test func `a pipe that is removed and made anew gets the lines, and nobody puts a file in its place`() throws {
        // As the program does.
        signal(SIGPIPE, SIG_IGN)
        let directory = try Directory()
        let path = directory.path("pipe")
        func reader() throws -> CInt {
            try #require(mkfifo(path, 0o600) == 0)
            let reader = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            return reader
        }
        let first = try reader()
        let log = try open(path)
        log.submit("1\n")
        log.settle()
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(read(first, &bytes, 16) == 2)
        unlink(path)
        // Longer than from one look to the next.
        let end = ContinuousClock.now + .milliseconds(1500)
        while ContinuousClock.now < end {
            log.submit("2\n")
            log.settle()
            usleep(10_000)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        close(first)
        let second = try reader()
        defer { close(second) }
        #expect(firstText(from: second, writing: "3\n", to: log) == "3\n")
    }

    @Test func `a socket cannot be opened: that is an error at once, which says what can`() throws {
        let directory = try Directory()
        let path = directory.path("socket")
        let socket = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        let error = #expect(throws: AccessLogError.self) {
            try AccessLog.open(.file(path: path), diagnostics: diagnostics.logger)
        }
        #expect(
            error?.description
                == "LB_ACCESS_LOG=\(path): No such device or address: it is no file and no pipe; name one of these, or"
                + " /dev/stdout or /dev/stderr"
        )
    }

    @Test func `logs one after the other count what is lost together`() throws {
        let lost = LostLines()
        for _ in 0..<2 {
            let log = try #require(
                try AccessLog.open(.file(path: "/dev/full"), lost: lost, diagnostics: diagnostics.logger)
            )
            log.submit("1\n2\n")
            log.settle()
        }
        #expect(lost.count == 4)
    }

    @Test func `several logs are flushed together, though one of them is stuck`() throws {
        // As the program does.
        signal(SIGPIPE, SIG_IGN)
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        let reader = Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(reader >= 0)
        let stuck = try open(directory.path("pipe"))
        stuck.submit(String(repeating: "x", count: 1 << 20) + "\n")
        let log = try open(directory.path("a.log"))
        log.submit("1\n")
        AccessLog.flush([stuck, log], milliseconds: 100)
        log.settle()
        #expect(try directory.text("a.log") == "1\n")
        close(reader)
        stuck.settle()
    }

    @Test func `while lines are lost for want of room nobody says that all is well again`() throws {
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        let reader = Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(reader >= 0)
        defer { close(reader) }
        let log = try open(directory.path("pipe"))
        let line = String(repeating: "x", count: AccessLog.capacity / 2 - 1) + "\n"
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        func take(_ count: Int) {
            var rest = count
            while rest > 0 {
                let some = read(reader, &bytes, min(rest, bytes.count))
                if some > 0 { rest -= some } else { usleep(1000) }
            }
        }
        let length = line.utf8.count
        // While the first is written there is room for two more, and while these are written for another two.
        log.submit(line)
        take(1)
        for _ in 0..<3 { log.submit(line) }
        #expect(log.dropped == 1)
        take(length)
        for _ in 0..<3 { log.submit(line) }
        #expect(log.dropped == 2)
        take(4 * length - 1)
        log.settle()
        let notice = "notice: the access log is being written again; lines lost: "
        for _ in 0..<60_000 where !diagnostics.messages.contains("\(notice)2") { usleep(1000) }
        #expect(diagnostics.messages.filter { $0.hasPrefix(notice) } == ["\(notice)2"])
    }

    @Test func `a line that was cut off stays a line of its own`() throws {
        // As the program does.
        signal(SIGPIPE, SIG_IGN)
        let directory = try Directory()
        try #require(mkfifo(directory.path("pipe"), 0o600) == 0)
        func reader() -> CInt { Glibc.open(directory.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        let first = reader()
        var file = try AccessLogFile(path: directory.path("pipe"))
        // More than a pipe holds: some of it is written before the reader goes.
        let line = [UInt8](repeating: 0x78, count: 1 << 20) + [0x0A]
        Thread.detachNewThread {
            var waiting = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 60_000)
            close(first)
        }
        let (written, failure) = line.withUnsafeBytes { file.write($0) }
        #expect(written > 0 && written < line.count && failure == "Broken pipe")
        let second = reader()
        defer { close(second) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        // The pipe has kept what was written.
        while read(second, &bytes, bytes.count) > 0 {}
        #expect(Array("2\n".utf8).withUnsafeBytes { file.write($0).failure } == nil)
        #expect(read(second, &bytes, 16) == 3)
        #expect(bytes.prefix(3).elementsEqual("\n2\n".utf8))
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
        try diagnostics.wait(for: 2)
        #expect(
            Set(diagnostics.messages) == [
                "error: the access log loses lines: Broken pipe; 2 lost so far, traffic goes on",
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
            var lines = LineBuffer()
            for _ in 0..<linesPerBatch { lines.append(filled) }
            log.submit(&lines)
            let isEmpty = lines.isEmpty
            #expect(isEmpty)
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
