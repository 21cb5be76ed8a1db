// The access log's file: lines are handed over in bulk and written where nobody waits for them.

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
    /// How long lines are gathered before they are written together, in milliseconds.
    private static let gatherMilliseconds = 10

    /// The most bytes of memory that are kept for lines while none wait.
    private static let keptMemory = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        /// Empty: the memory of lines that have been written, for the next ones.
        var spare: [UInt8] = []
        var isWriteScheduled = false
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

    /// Hands whole lines over and empties the buffer, keeping its memory.
    ///
    /// Any thread; never blocks on the file.
    public func submit(_ lines: inout LineBuffer) {
        let (isTaken, needsWrite) = state.withLock { state -> (Bool, Bool) in
            guard state.waiting.count + lines.count <= Self.capacity else { return (false, false) }
            state.waiting.append(contentsOf: lines.bytes)
            defer { state.isWriteScheduled = true }
            return (true, !state.isWriteScheduled)
        }
        if !isTaken { lose(lines.bytes, "it is not written fast enough") }
        lines.removeAll()
        if needsWrite {
            queue.asyncAfter(deadline: .now() + .milliseconds(Self.gatherMilliseconds)) { self.writeWaiting() }
        }
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
        var bytes: [UInt8] = []
        state.withLock { state in
            state.isWriteScheduled = false
            swap(&bytes, &state.spare)
            swap(&bytes, &state.waiting)
        }
        guard !bytes.isEmpty else { return }
        write(bytes)
        guard bytes.capacity <= Self.keptMemory else { return }
        bytes.removeAll(keepingCapacity: true)
        state.withLock { swap(&bytes, &$0.spare) }
    }

    private func write(_ bytes: [UInt8]) {
        let lostBefore = lost.count
        let (rest, failure, problem) = file.withLock { file in
            let problem = file.checkPlace()
            let (rest, failure) = file.write(bytes[...])
            return (rest, failure, problem)
        }
        if let problem { report.cannotReopen(problem) }
        if let failure {
            rest.withUnsafeBytes { lose($0, failure) }
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
