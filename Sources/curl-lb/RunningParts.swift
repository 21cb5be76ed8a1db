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
    private let log: Mutex<AccessLog?>

    init(
        workers: WorkerGroup,
        director: PoolDirector,
        monitor: HealthMonitor,
        limits: ConnectionLimits,
        level: DiagnosticsLevel,
        accessLog: AccessLog?,
        diagnostics: Logger
    ) {
        self.workers = workers
        self.director = director
        self.monitor = monitor
        self.limits = limits
        self.level = level
        self.diagnostics = diagnostics
        log = Mutex(accessLog)
    }

    /// Where access log lines go now.
    var accessLog: AccessLog? { log.withLock { $0 } }

    /// Goes over to other settings.
    ///
    /// - Throws: `AccessLogError` when the other log cannot be opened, and nothing is changed then.
    func apply(_ next: Settings, replacing former: Settings) throws {
        if next.accessLog != former.accessLog {
            let other = try AccessLog.open(next.accessLog, diagnostics: diagnostics)
            log.withLock { $0 = other }
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
