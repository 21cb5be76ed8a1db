// Diagnostics from threads that do not wait.

internal import Dispatch
public import Logging
internal import Synchronization

/// Hands lines to a logger on a queue of its own: standard error may be stuck, and whoever has something to say goes on.
///
/// Any thread.
public final class BackgroundLogger: Sendable {
    /// Lines that may wait to be taken; more are dropped and counted.
    static let capacity = 256

    private let logger: Logger
    private let queue = DispatchQueue(label: "curl-lb.diagnostics", qos: .utility)
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<UInt64>(0)

    public init(_ logger: Logger) { self.logger = logger }

    /// Whether lines at debug level are written at all.
    public var writesDebug: Bool { logger.logLevel <= .debug }

    /// Writes a line at debug level, when it gets to it.
    public func debug(_ text: String) { log(.debug, text) }

    /// Writes a line, when it gets to it.
    public func log(_ level: Logger.Level, _ text: String) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.capacity else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            dropped.wrappingAdd(1, ordering: .relaxed)
            return
        }
        queue.async {
            let lost = self.dropped.exchange(0, ordering: .relaxed)
            if lost > 0 { self.logger.warning("\(lost) lines were left out: they came faster than they were taken") }
            self.logger.log(level: level, "\(text)")
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
        }
    }
}
