// The access log's file: lines are handed over in bulk, with their memory, and written where nobody waits for them.

internal import Dispatch
internal import Glibc
public import Logging
internal import Synchronization

/// Where access log lines go.
public enum AccessLogDestination: Sendable, Equatable {
    case off
    case standardOutput
    /// Appended to a file, which is created if need be.
    case file(path: String)
}

/// Takes lines from all workers and writes them on a queue of its own.
///
/// A slow disk, a full one, a pipe that nobody reads: lines beyond ``capacity`` are dropped and counted; no worker waits. A file
/// that was moved or removed is noticed within about a second, and another one is made.
public final class AccessLog: Sendable {
    /// Bytes that may wait to be written.
    public static let capacity = 8 << 20

    /// How much memory, in bytes, is kept for the next lines.
    private static let keptMemory = 1 << 20

    /// Lines, in the memory that a worker wrote them into; whoever has it, one at a time, may touch it.
    private final class Block: @unchecked Sendable {
        var lines = LineBuffer()
    }

    private struct State {
        var waiting: [Block] = []
        /// The bytes in all of them.
        var waitingBytes = 0
        /// Empty: the memory of lines that have been written.
        var spare: [Block] = []
        var spareBytes = 0
        var isWriteScheduled = false

        mutating func takeSpare() -> Block {
            guard let block = spare.popLast() else { return Block() }
            spareBytes -= block.lines.capacity
            return block
        }

        mutating func takeWaiting() -> [Block] {
            isWriteScheduled = false
            waitingBytes = 0
            defer { waiting = [] }
            return waiting
        }

        mutating func keep(_ block: Block, upTo limit: Int) {
            guard spareBytes + block.lines.capacity <= limit else { return }
            spareBytes += block.lines.capacity
            spare.append(block)
        }
    }

    /// Lines that were never written, of this log and those before it.
    let lost: LostLines

    private let queue = DispatchQueue(label: "curl-lb.access-log")
    private let state = Mutex(State())
    /// Touched on the queue only, where it may take its time.
    private let file: Mutex<AccessLogFile>
    private let report: AccessLogReport

    /// Opens the destination.
    ///
    /// - Parameter lost: Where lines are counted that are never written.
    /// - Returns: nil for ``AccessLogDestination/off``.
    /// - Throws: ``AccessLogError`` when the file cannot be opened.
    public static func open(
        _ destination: AccessLogDestination,
        lost: LostLines = LostLines(),
        diagnostics: Logger
    ) throws(AccessLogError) -> AccessLog? {
        switch destination {
        case .off: nil
        case .standardOutput: AccessLog(AccessLogFile(), lost, diagnostics)
        case .file(let path): AccessLog(try AccessLogFile(path: path), lost, diagnostics)
        }
    }

    private init(_ file: consuming AccessLogFile, _ lost: LostLines, _ diagnostics: Logger) {
        self.file = Mutex(file)
        self.lost = lost
        report = AccessLogReport(diagnostics)
    }

    /// Hands whole lines over, most of the time with their memory; the buffer is empty afterwards.
    ///
    /// Any thread; never blocks on the file. Few and long is cheaper than many and short: a file's pages cost a third if 128 KiB are
    /// written together in place of 16 KiB.
    public func submit(_ lines: inout LineBuffer) {
        guard !lines.isEmpty else { return }
        let (isTaken, needsWrite) = state.withLock { state -> (Bool, Bool) in
            guard state.waitingBytes + lines.count <= Self.capacity else { return (false, false) }
            state.waitingBytes += lines.count
            if let last = state.waiting.last, last.lines.capacity - last.lines.count >= lines.count {
                // Many short ones, while nothing can be written, do not hold a block each.
                last.lines.append(lines.bytes)
            } else {
                let block = state.takeSpare()
                swap(&block.lines, &lines)
                state.waiting.append(block)
            }
            defer { state.isWriteScheduled = true }
            return (true, !state.isWriteScheduled)
        }
        if !isTaken { lose(lines.bytes, "it is not written fast enough") }
        lines.removeAll()
        if needsWrite { queue.async { self.writeWaiting() } }
    }

    /// Opens the file anew, as after it was moved by a program that rotates logs.
    ///
    /// Any thread; lines handed over before still go to the old one.
    public func reopen() {
        queue.async {
            self.writeWaiting()
            let problem = self.file.withLock { $0.reopen() }
            if let problem { self.report.cannotReopen(problem) }
        }
    }

    /// Writes what waits, for at most that long: the last act of the process.
    public func flush(milliseconds: Int) { Self.flush([self], milliseconds: milliseconds) }

    /// The same for several logs together: one that is stuck takes no time from the others.
    public static func flush(_ logs: [AccessLog], milliseconds: Int) {
        let writing = DispatchGroup()
        for log in logs { log.queue.async(group: writing) { log.writeWaiting() } }
        _ = writing.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    private func writeWaiting() {
        let blocks = state.withLock { $0.takeWaiting() }
        for block in blocks {
            write(block.lines.bytes)
            block.lines.removeAll()
            state.withLock { $0.keep(block, upTo: Self.keptMemory) }
        }
    }

    private func write(_ lines: UnsafeRawBufferPointer) {
        let lostBefore = lost.count
        let (written, failure, problem) = file.withLock { file in
            let problem = file.checkPlace()
            let (written, failure) = file.write(lines)
            return (written, failure, problem)
        }
        if let problem { report.cannotReopen(problem) }
        if let failure {
            lose(UnsafeRawBufferPointer(rebasing: lines[written...]), failure)
        } else if lost.count == lostBefore {
            // While it was written nothing was lost for want of room.
            report.isWritten(lost: lostBefore)
        }
    }

    private func lose(_ lines: UnsafeRawBufferPointer, _ reason: String) {
        let count = lines.count { $0 == UInt8(ascii: "\n") }
        report.isLost(because: reason, lost: lost.add(count))
    }
}

/// The access log's file could not be opened.
public struct AccessLogError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "LB_ACCESS_LOG=\(path): \(reason)" }
}
