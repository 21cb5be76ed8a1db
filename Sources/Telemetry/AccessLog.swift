// The access log's file: lines are handed over in bulk and written where nobody waits for them.

internal import Dispatch
internal import Glibc
public import Logging
public import Synchronization

/// Where access log lines go.
public enum AccessLogDestination: Sendable, Equatable {
    case off
    case standardOutput
    /// Appended to a file, which is created if need be.
    case file(path: String)
}

/// Takes lines from all workers and writes them on a queue of its own.
///
/// A slow disk, a full one, a pipe that nobody reads: lines beyond ``capacity`` are dropped and counted; no worker waits.
public final class AccessLog: Sendable {
    /// Bytes that may wait to be written.
    public static let capacity = 8 << 20
    /// How long lines are gathered before they are written together, in milliseconds.
    private static let gatherMilliseconds = 10

    private struct State {
        var waiting: [UInt8] = []
        var isWriteScheduled = false
    }

    /// Lines that were never written.
    public let droppedLines = Atomic<UInt64>(0)

    private let descriptor: CInt
    private let queue = DispatchQueue(label: "curl-lb.access-log")
    private let state = Mutex(State())
    private let diagnostics: Logger
    private let isFailing = Atomic<Bool>(false)

    /// Opens the destination.
    ///
    /// - Returns: nil for ``AccessLogDestination/off``.
    /// - Throws: ``AccessLogError`` when the file cannot be opened.
    public static func open(
        _ destination: AccessLogDestination,
        diagnostics: Logger
    ) throws(AccessLogError) -> AccessLog? {
        switch destination {
        case .off:
            return nil
        case .standardOutput:
            return AccessLog(descriptor: STDOUT_FILENO, diagnostics: diagnostics)
        case .file(let path):
            let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else { throw AccessLogError(path: path, reason: String(cString: strerror(errno))) }
            return AccessLog(descriptor: descriptor, diagnostics: diagnostics)
        }
    }

    private init(descriptor: CInt, diagnostics: Logger) {
        self.descriptor = descriptor
        self.diagnostics = diagnostics
    }

    deinit { if descriptor != STDOUT_FILENO { close(descriptor) } }

    /// Hands whole lines over and empties the array, keeping its memory.
    ///
    /// Any thread; never blocks on the file.
    public func submit(_ lines: inout [UInt8]) {
        let (isTaken, needsWrite) = state.withLock { state -> (Bool, Bool) in
            guard state.waiting.count + lines.count <= Self.capacity else { return (false, false) }
            state.waiting.append(contentsOf: lines)
            defer { state.isWriteScheduled = true }
            return (true, !state.isWriteScheduled)
        }
        if !isTaken {
            drop(lines[...])
            reportOverflow()
        }
        lines.removeAll(keepingCapacity: true)
        if needsWrite {
            queue.asyncAfter(deadline: .now() + .milliseconds(Self.gatherMilliseconds)) { self.writeWaiting() }
        }
    }

    /// Writes what waits, for at most that long: the last act of the process.
    public func flush(milliseconds: Int) {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.writeWaiting()
            done.signal()
        }
        _ = done.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    private func writeWaiting() {
        let bytes = state.withLock { state in
            state.isWriteScheduled = false
            defer { state.waiting = [] }
            return state.waiting
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
                if isFailing.exchange(false, ordering: .relaxed) {
                    diagnostics.notice("the access log is being written again; lines lost: \(dropCount)")
                }
            } else if errno == EAGAIN {
                // A terminal or pipe that another process made non-blocking: wait for room.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, 1000)
            } else if errno != EINTR {
                let reason = String(cString: strerror(errno))
                drop(rest)
                if !isFailing.exchange(true, ordering: .relaxed) {
                    diagnostics.error("the access log cannot be written: \(reason); lines are lost, traffic goes on")
                }
                return
            }
        }
    }

    /// Says once that lines are lost because the writer does not keep up; on another thread, since standard error may be as
    /// stuck as the log.
    private func reportOverflow() {
        guard !isFailing.exchange(true, ordering: .relaxed) else { return }
        DispatchQueue.global().async {
            self.diagnostics.error("the access log is not written fast enough; lines are lost, traffic goes on")
        }
    }

    private var dropCount: UInt64 { droppedLines.load(ordering: .relaxed) }

    private func drop(_ lines: ArraySlice<UInt8>) {
        let count = lines.count { $0 == UInt8(ascii: "\n") }
        droppedLines.wrappingAdd(UInt64(count), ordering: .relaxed)
    }
}

/// The access log's file could not be opened.
public struct AccessLogError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "LB_ACCESS_LOG=\(path): \(reason)" }
}
