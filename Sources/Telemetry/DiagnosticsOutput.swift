// Where diagnostics go: standard error, or wherever else, on a queue that nobody waits for.

internal import Dispatch
internal import Glibc
internal import Logging
internal import Synchronization

/// Writes whole lines to a descriptor in the background, for log handlers of all threads.
///
/// Whoever reads standard error may have stopped: who has something to say goes on, though a lock may be held and backends are to be
/// looked after. Any thread.
public final class DiagnosticsOutput: TextOutputStream, Sendable {
    /// Lines that may wait to be taken; more are dropped and counted.
    public static let capacity = 1024

    private let descriptor: CInt
    private let label: String
    private let queue = DispatchQueue(label: "curl-lb.diagnostics", qos: .utility)
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - descriptor: Stays open for as long as the process runs.
    ///   - label: Under which it is told that lines were left out.
    public init(to descriptor: CInt, label: String) {
        self.descriptor = descriptor
        self.label = label
    }

    /// Writes a line when it gets to it.
    public func write(_ line: String) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.capacity else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            dropped.wrappingAdd(1, ordering: .relaxed)
            return
        }
        queue.async {
            self.writeNow(line)
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
            self.tellDropped()
        }
    }

    /// Waits until what has been said is written, but no longer than that: the last act of the process.
    public func flush(milliseconds: Int) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    /// Says that lines are missing behind the last one that has waited.
    private func tellDropped() {
        guard waiting.load(ordering: .relaxed) == 0 else { return }
        let count = dropped.exchange(0, ordering: .relaxed)
        guard count > 0 else { return }
        Logger(label: label) { StreamLogHandler(label: $0, stream: Direct(output: self)) }
            .warning("\(count) lines were left out here: nobody took them in time")
    }

    /// Writes all of a line, however long that takes; what cannot be written is gone.
    private func writeNow(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, start, rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if errno == EAGAIN {
                    // Others that share it may have set it so.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    /// For what is said on the queue itself.
    private struct Direct: TextOutputStream, Sendable {
        let output: DiagnosticsOutput

        func write(_ line: String) { output.writeNow(line) }
    }
}
