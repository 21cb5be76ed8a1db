// Signals: held back from the start, and waited for by the main thread.

import Control
import Foundation
import Logging
import Telemetry

/// The signals that the program reacts to, blocked in this thread and all that it starts.
struct HeldSignals {
    private var signals = sigset_t()

    init() {
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// The main thread's work: SIGHUP has the settings read again, SIGUSR1 opens the access log anew, SIGUSR2 starts the program
    /// again to take over; the first other signal drains, the second ends.
    func serve(
        _ ending: Ending,
        _ parts: RunningParts,
        _ live: LiveSettings,
        _ output: DiagnosticsOutput,
        startSuccessor: () -> Void
    ) -> Never {
        var signals = signals
        var number: CInt = 0
        while true {
            guard sigwait(&signals, &number) == 0 else { continue }
            switch number {
            case SIGHUP: live.reload()
            case SIGUSR1: parts.accessLog?.reopen()
            case SIGUSR2: startSuccessor()
            default:
                guard ending.signalled() else { continue }
                parts.diagnostics.warning("second signal: ending at once")
                parts.accessLog?.flush(milliseconds: Program.lastLines / 10)
                output.flush(milliseconds: Program.lastLines / 10)
                // Without the work of a proper exit, since the workers are still running.
                _exit(EXIT_FAILURE)
            }
        }
    }
}
