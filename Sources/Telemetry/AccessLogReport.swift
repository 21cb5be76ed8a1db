// What is said on standard error about an access log that loses lines: that it does, how many, and when it is over.

internal import Dispatch
internal import Glibc
internal import Logging
internal import Synchronization

/// Tells of lost lines, at most once a second, on a thread that nobody waits for: standard error may be as stuck as the log.
final class AccessLogReport: Sendable {
    /// How often something is said at most, in nanoseconds.
    private static let interval: UInt64 = 1_000_000_000

    private struct State {
        var isLosing = false
        /// When the next word may be said.
        var next: UInt64 = 0
        /// Whether the last word has not been taken yet.
        var isSpeaking = false
    }

    private let state = Mutex(State())
    private let diagnostics: Logger

    init(_ diagnostics: Logger) { self.diagnostics = diagnostics }

    /// Lines were lost; `lost` in all.
    func isLost(because reason: String, lost: UInt64) {
        say(.error, "the access log loses lines: \(reason); \(lost) lost so far, traffic goes on") {
            $0.isLosing = true
        }
    }

    /// The file cannot be opened anew.
    func cannotReopen(_ reason: String) {
        say(.error, "the access log cannot be opened anew: \(reason); lines go to the file that was open") { _ in }
    }

    /// Lines were written.
    func isWritten(lost: UInt64) {
        let isOver = state.withLock { state in
            defer { state.isLosing = false }
            return state.isLosing
        }
        if isOver { speak(.notice, "the access log is being written again; lines lost: \(lost)") }
    }

    private func say(_ level: Logger.Level, _ text: @autoclosure () -> String, _ change: (inout State) -> Void) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        let mayspeak = state.withLock { state in
            change(&state)
            guard nanoseconds >= state.next, !state.isSpeaking else { return false }
            state.next = nanoseconds + Self.interval
            return true
        }
        if mayspeak { speak(level, text()) }
    }

    private func speak(_ level: Logger.Level, _ text: String) {
        state.withLock { $0.isSpeaking = true }
        DispatchQueue.global(qos: .utility).async {
            self.diagnostics.log(level: level, "\(text)")
            self.state.withLock { $0.isSpeaking = false }
        }
    }
}
