// What is said on standard error about spans that are not exported: that, how many were lost, and when it is over.

internal import EventLoop
internal import Logging

/// Tells of lost spans and of a collector that fails, once a minute at most.
///
/// Confined to the exporter's thread, which may wait for standard error.
struct SpanLossReport {
    private static let interval: UInt64 = 60_000_000_000

    private let diagnostics: Logger
    private var told: UInt64 = 0
    private var mayTell = MonotonicTime(nanoseconds: 0)
    /// Why the last export failed; nil when it did not.
    private var failure: String?
    private var isFailureTold = false
    /// Whether there is something that nobody has heard of, but somebody may soon.
    private var isOwing = false

    init(_ diagnostics: Logger) { self.diagnostics = diagnostics }

    /// When something is to be said that was put off.
    var next: MonotonicTime { isOwing ? mayTell : .never }

    /// An export has failed.
    mutating func isFailing(_ text: String) { failure = escaped(text) }

    /// An export has succeeded, though perhaps not for all spans.
    mutating func isWorking(text: String?) {
        if isFailureTold { diagnostics.notice("spans are exported again; \(told) were lost") }
        isFailureTold = false
        failure = text
    }

    /// Says the last word.
    mutating func tellAtTheEnd(lost: UInt64) {
        if failure == nil { failure = "the process ends" }
        isFailureTold = true
        tell(lost: lost, at: .never)
    }

    /// Says what there is to say, if anything, and if it is time.
    ///
    /// - Parameter lost: Spans that were lost so far.
    mutating func tell(lost: UInt64, at now: MonotonicTime) {
        let isNewFailure = failure != nil && !isFailureTold
        isOwing = lost > told || isNewFailure
        guard isOwing, now >= mayTell else { return }
        let reason = failure.map { ": \($0)" } ?? ": they come faster than they are exported"
        if lost > told {
            diagnostics.error("spans are lost\(reason); \(lost) lost so far, traffic goes on")
        } else {
            diagnostics.warning("spans cannot be exported\(reason); trying again")
        }
        told = lost
        isFailureTold = failure != nil
        isOwing = false
        mayTell = now + Self.interval
    }
}
