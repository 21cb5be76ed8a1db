// The service manager's watchdog is fed as long as every worker turns.

import Control
import Forwarding
import Foundation
import Logging

/// Asks the workers for their pulse, and passes it on.
enum WatchdogThread {
    /// Begins, where somebody waits for a sign of life.
    static func start(_ workers: WorkerGroup, _ notifier: ServiceNotifier, _ diagnostics: Logger) {
        guard let limit = notifier.watchdog else { return }
        // Several times within the limit: one late look is no alarm.
        let interval = Double(limit) / 4_000_000
        let thread = Thread {
            var pulse = workers.pulse
            var stuck: [Int] = []
            while true {
                let late = pulse.take()
                if late.isEmpty { notifier.isAlive() }
                if late != stuck, !late.isEmpty {
                    let names = late.map(String.init).joined(separator: ", ")
                    diagnostics.error(
                        "worker \(names) has not turned for \(interval) s; the watchdog is not fed meanwhile"
                    )
                }
                stuck = late
                Thread.sleep(forTimeInterval: interval)
            }
        }
        thread.name = "curl-lb.watchdog"
        thread.start()
    }
}
