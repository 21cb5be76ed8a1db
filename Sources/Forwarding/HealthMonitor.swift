// Keeps watch over the backends' health, beside the workers: probes, ejections, slow start, and what is said of them.

public import Balancing
internal import Dispatch
internal import EventLoop
public import Logging
internal import Synchronization

/// What a monitor goes by.
public struct HealthSettings: Sendable {
    public var rules: HealthRules
    public var expectation: CheckExpectation

    public init(rules: HealthRules = HealthRules(), expectation: CheckExpectation = CheckExpectation()) {
        self.rules = rules
        self.expectation = expectation
    }
}

/// Watches the backends of a group of workers and has the pool follow what it finds.
///
/// It runs on a queue of its own, `curl-lb.health`: nothing of it is on the way of a request. Any thread.
public final class HealthMonitor: Sendable {
    /// What other threads tell it.
    enum Message: Sendable {
        case update(PoolUpdate)
        case settings(HealthSettings)
        case stop
    }

    let workers: WorkerGroup
    let diagnostics: Logger
    let mailbox = Mailbox<Message>()
    let fleet: Mutex<FleetHealth>
    private let settings: HealthSettings
    private let firstRound = DispatchSemaphore(value: 0)
    private let running = DispatchGroup()
    private let observers = Mutex<[@Sendable (HealthNews) -> Void]>([])

    public init(_ settings: HealthSettings, of workers: WorkerGroup, diagnostics: Logger) {
        self.settings = settings
        self.workers = workers
        self.diagnostics = diagnostics
        fleet = Mutex(FleetHealth(settings.rules, seed: .random(in: .min ... .max)))
    }

    /// Begins to watch, and waits until every backend has been checked once, though not for ever.
    ///
    /// Once, before clients are served: a backend that is dead is known before the first request.
    public func start() {
        DispatchQueue(label: "curl-lb.health").async(group: running) { [self] in
            HealthLoop(self, settings.expectation).run()
        }
        // Two updates never overtake each other: they are posted under the pool's lock.
        workers.follow { [mailbox] in mailbox.post(.update($0)) }
        guard let check = settings.rules.check else { return }
        let limit = check.timeout + check.timeout / 2
        if firstRound.wait(timeout: .now() + .nanoseconds(Int(clamping: limit))) == .timedOut {
            let unchecked = workers.pool.members.count { $0.state.operational == .unchecked }
            diagnostics.warning(
                "not waiting for the first health checks any longer: \(unchecked) backends are unchecked"
            )
        }
    }

    /// Goes on by other settings; where checks change, they begin anew, and the old verdicts stand until then.
    public func change(_ settings: HealthSettings) { mailbox.post(.settings(settings)) }

    /// Ends all probes and the watch; the pool stays as it is.
    ///
    /// Waits for it, though not for ever: libcurl may wait for a resolver before it lets a probe go.
    public func stop(within limit: Duration = .seconds(1)) {
        mailbox.post(.stop)
        _ = running.wait(timeout: .now() + .nanoseconds(Int(clamping: limit.clampedNanoseconds)))
    }

    /// All that is known now.
    ///
    /// - Parameter name: The one backend that it is to be about; nil for all of them.
    public func report(of name: String? = nil) -> HealthReport {
        fleet.withLock { $0.report(of: name, at: MonotonicTime.now.nanoseconds) }
    }

    /// Has an observer told of each change, on the monitor's thread: it may not wait.
    public func observe(_ observer: @escaping @Sendable (HealthNews) -> Void) {
        observers.withLock { $0.append(observer) }
    }

    /// Tells observers; called by the loop.
    func tell(_ news: HealthNews) {
        for observer in observers.withLock({ $0 }) { observer(news) }
    }

    /// Called once, by the loop.
    func firstRoundIsOver() { firstRound.signal() }
}
