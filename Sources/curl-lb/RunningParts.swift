// The parts of the running program that go over to other settings.

import Control
import Forwarding
import Front
import Logging
import Synchronization
import Telemetry

/// Has every part go over to other settings while it works.
///
/// Any thread, one change after the other.
final class RunningParts: Sendable {
    private let workers: WorkerGroup
    private let director: PoolDirector
    private let monitor: HealthMonitor
    private let limits: ConnectionLimits
    private let level: DiagnosticsLevel
    let diagnostics: Logger
    private let lostLines: LostLines
    private let logs: Mutex<Logs>

    /// Where access log lines go, and where some may still be on their way to.
    private struct Logs {
        var current: AccessLog?
        var former: [Former] = []
    }

    /// A log that has been replaced; it goes away when no worker has it any more and all its lines are written.
    private struct Former {
        weak var log: AccessLog?
    }

    init(
        workers: WorkerGroup,
        director: PoolDirector,
        monitor: HealthMonitor,
        limits: ConnectionLimits,
        level: DiagnosticsLevel,
        accessLog: AccessLog?,
        lostLines: LostLines,
        diagnostics: Logger
    ) {
        self.workers = workers
        self.director = director
        self.monitor = monitor
        self.limits = limits
        self.level = level
        self.diagnostics = diagnostics
        self.lostLines = lostLines
        logs = Mutex(Logs(current: accessLog))
    }

    /// Where access log lines go now.
    var accessLog: AccessLog? { logs.withLock { $0.current } }

    /// Opens the access log's file anew; the lines of what has ended go to the old one.
    func reopenAccessLog() {
        workers.handOverLines(milliseconds: 100)
        accessLog?.reopen()
    }

    /// Writes what waits, for at most that long: the last act of the process.
    func flushAccessLogs(milliseconds: Int) {
        let all = logs.withLock { logs in logs.former.compactMap(\.log) + [logs.current].compactMap(\.self) }
        AccessLog.flush(all, milliseconds: milliseconds)
    }

    /// Goes over to other settings.
    ///
    /// - Throws: `AccessLogError` when the other log cannot be opened, and nothing is changed then.
    func apply(_ next: Settings, replacing former: Settings) throws {
        if next.accessLog != former.accessLog {
            let other = try AccessLog.open(next.accessLog, lost: lostLines, diagnostics: diagnostics)
            logs.withLock { logs in
                logs.former.removeAll { $0.log == nil }
                logs.former.append(Former(log: logs.current))
                logs.current = other
            }
        }
        // First, for workers ask for it.
        level.level = next.logLevel
        limits.change(total: next.maxConnections, perClient: next.maxClientConnections)
        workers.change(ForwardingSettings(next), pool: PoolSettings(next), accessLog: accessLog)
        // Before backends come: they are checked by the rules that hold.
        monitor.change(HealthSettings(next))
        do {
            try director.configure(next.backends, policy: next.policy, discovery: next.discovery)
        } catch {
            // Settings are checked; what the operator has added meanwhile is what can stand in the way.
            diagnostics.error("the backends stay as they are: \(error)")
        }
        if next.sticky != nil, former.sticky == nil || former.stickySecret != next.stickySecret {
            warnOfRandomKey(next, diagnostics)
        }
    }
}

/// Says that bound clients are so for a while only, where that is so.
func warnOfRandomKey(_ settings: Settings, _ diagnostics: Logger) {
    guard settings.sticky != nil, settings.stickySecret == nil else { return }
    diagnostics.warning(
        "clients are bound to backends (LB_STICKY) until this process ends, and by this balancer alone: set LB_STICKY_SECRET"
    )
}
