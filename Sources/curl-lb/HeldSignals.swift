// Signals: held back from the start, and waited for by a thread of their own and by the main one.

import Control
import Foundation
import Logging
import Synchronization
import Telemetry

/// The signals that the program reacts to, blocked in this thread and all that it starts.
///
/// Those that end it are waited for from the start: before clients are served there is nothing to finish, and a process that is
/// taken over from serves on. Any thread.
final class HeldSignals: Sendable {
    private static let ends = [SIGTERM, SIGINT]
    private static let others = [SIGHUP, SIGUSR1, SIGUSR2]

    private struct State {
        /// nil before clients are served.
        var ending: Ending?
        /// What is to be done when the end comes before that.
        var cleanUp: (@Sendable () -> Void)?
        /// Whether nothing is left that could be ended.
        var isOver = false
    }

    private let state = Mutex(State())
    private let diagnostics: Logger
    private let output: DiagnosticsOutput

    init(_ diagnostics: Logger, _ output: DiagnosticsOutput) {
        self.diagnostics = diagnostics
        self.output = output
        var signals = Self.set(Self.ends + Self.others)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread { [self] in
            while true {
                let number = Self.wait(for: Self.ends)
                end(by: number)
            }
        }
        thread.name = "curl-lb.signals"
        thread.start()
    }

    /// Has something done when the process ends before clients are served.
    func ifEndedEarly(_ cleanUp: @escaping @Sendable () -> Void) { state.withLock { $0.cleanUp = cleanUp } }

    /// Clients are served from now on: the first signal drains, the second ends.
    ///
    /// - Parameter begin: Has workers accept; no signal comes in between.
    func serve(_ ending: Ending, begin: () -> Void) {
        state.withLock { state in
            state.ending = ending
            begin()
        }
    }

    /// All is finished, and the process is about to end: no signal makes a failure of that.
    func passOver() { state.withLock { $0.isOver = true } }

    private func end(by number: CInt) {
        let ending: Ending? = state.withLock { state in
            if state.isOver { return nil }
            if state.ending == nil {
                // Whoever is about to serve waits for the lock, and is gone with it.
                state.cleanUp?()
                diagnostics.notice("signal \(number) before clients are served: ending at once")
                output.flush(milliseconds: Program.lastLines)
                _exit(EXIT_SUCCESS)
            }
            return state.ending
        }
        guard let ending, ending.signalled() else { return }
        diagnostics.warning("second signal: ending at once")
        ending.writeLastLines(milliseconds: Program.lastLines / 10)
        // Without the work of a proper exit, since the workers are still running.
        _exit(EXIT_FAILURE)
    }

    /// The main thread's work: SIGHUP has the settings read again, SIGUSR1 opens the access log anew, SIGUSR2 starts the program
    /// again to take over.
    func waitForOthers(_ parts: RunningParts, _ live: LiveSettings, startSuccessor: () -> Void) -> Never {
        while true {
            switch Self.wait(for: Self.others) {
            case SIGHUP: live.reload()
            case SIGUSR1: parts.reopenAccessLog()
            default: startSuccessor()
            }
        }
    }

    private static func wait(for numbers: [CInt]) -> CInt {
        var signals = set(numbers)
        var number: CInt = 0
        while sigwait(&signals, &number) != 0 {}
        return number
    }

    private static func set(_ numbers: [CInt]) -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        return signals
    }
}
