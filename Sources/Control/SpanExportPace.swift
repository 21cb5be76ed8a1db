// When spans are exported: they gather, a collector that cannot take them is left alone, and nothing is tried for ever.

internal import EventLoop

/// The times that the span exporter goes by.
///
/// A pure value: time is an argument.
struct SpanExportPace {
    /// How long spans wait for others, in nanoseconds.
    static let gatherTime: UInt64 = 5_000_000_000
    /// A batch that could not be exported for so long is given up, and no collector is left alone for longer.
    static let patience: UInt64 = 60_000_000_000

    /// When what waits in the queue is exported, though it is no full batch.
    private(set) var gatherEnd = MonotonicTime.never
    /// Until when the collector is left alone.
    private(set) var pauseEnd = MonotonicTime(nanoseconds: 0)

    /// Spans wait in the queue.
    mutating func spansWait(areMany: Bool, at now: MonotonicTime) {
        gatherEnd = min(gatherEnd, areMany ? now : now + Self.gatherTime)
    }

    /// All that waits in the queue has been taken.
    mutating func queueIsTaken() { gatherEnd = .never }

    /// Whatever is waited for: there will be no other chance.
    mutating func hurry(at now: MonotonicTime) {
        gatherEnd = now
        pauseEnd = now
    }

    /// When there is something to send and somebody to send it to; never when nothing waits.
    ///
    /// - Parameter isTaken: Whether spans have been taken from the queue, which wait for nothing but the end of the pause.
    func nextSend(isTaken: Bool) -> MonotonicTime { max(pauseEnd, isTaken ? MonotonicTime(nanoseconds: 0) : gatherEnd) }

    /// The collector could not take a batch: it is left alone for a while.
    ///
    /// - Parameters:
    ///   - tries: How often the batch was sent.
    ///   - retryAfter: What the collector asks for, in nanoseconds.
    ///   - chance: A random number in 0.5...1.
    ///   - isEnding: Whether the process ends, which has no time.
    /// - Returns: Whether the batch is to be sent again; else its time is over.
    mutating func pause(
        after tries: UInt64,
        since firstTry: MonotonicTime,
        retryAfter: UInt64?,
        chance: Double,
        isEnding: Bool,
        at now: MonotonicTime
    ) -> Bool {
        let backoff = UInt64(Double(1_000_000_000 << min(tries - 1, 5)) * chance)
        let left = Self.patience - min(Self.patience, now.since(firstTry))
        if isEnding {
            pauseEnd = now + backoff / 8
            return backoff / 8 <= left
        }
        // What is asked for may be hours: the batch has its last chance when its time is nearly over.
        let isAgain = backoff <= left
        pauseEnd = now + max(backoff, min(retryAfter ?? 0, isAgain ? left : Self.patience))
        return isAgain
    }
}
