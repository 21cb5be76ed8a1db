// The loop of the health monitor: makes the probes that are due, and tells the pool what came of them.

internal import Balancing
internal import EventLoop
internal import Logging
internal import Synchronization
internal import Upstream

/// Makes probes on a loop and a multi handle of its own.
///
/// Confined to the queue that runs ``run()``.
final class HealthLoop {
    /// So many probes are under way at a time; others wait for their turn.
    private static let maximumProbes = 256

    private let monitor: HealthMonitor
    private var expectation: CheckExpectation
    private let loop = EventLoop()
    private let multi: CurlMulti
    private lazy var clock = Clock(self)
    private var origins: [ObjectIdentifier: Origin] = [:]
    private var waiting: [ProbeOrder] = []
    private var probes: [Int: Probe] = [:]
    private var probeNumber = 0
    private var isFirstRoundOver = false
    private var situation = PoolSituation()
    /// What was complained about already.
    private var complaints: Set<String> = []

    init(_ monitor: HealthMonitor, _ expectation: CheckExpectation) {
        self.monitor = monitor
        self.expectation = expectation
        multi = CurlMulti(loop: loop)
    }

    func run() {
        monitor.mailbox.open(on: loop) { [unowned self] in receive($0) }
        loop.run()
        _ = monitor.mailbox.closeAndDrain()
        for probe in probes.values { probe.cancel() }
        probes = [:]
        loop.tearDown()
    }

    private var now: UInt64 { loop.now.nanoseconds }

    // MARK: What happens

    private func receive(_ message: HealthMonitor.Message) {
        switch message {
        case .update(let update):
            let backends = update.snapshot.members.map { ObjectIdentifier($0.backend) }
            origins = Dictionary(uniqueKeysWithValues: zip(backends, update.origins))
            monitor.fleet.withLock { $0.adopt(update.snapshot, update.health, at: now) }
            if isFirstRoundOver { tell(situation.follow(update.snapshot)) }
            goOn()
        case .settings(let settings):
            let isOther = settings.expectation != expectation
            expectation = settings.expectation
            monitor.fleet.withLock { fleet in
                fleet.adopt(settings.rules, at: now)
                if isOther { fleet.changeChecks(at: now) }
            }
            goOn()
        case .stop:
            loop.stop()
        }
    }

    fileprivate func tick() {
        monitor.fleet.withLock { $0.tick(at: now) }
        goOn()
    }

    /// Does what is to be done after anything has happened.
    fileprivate func goOn() {
        let (conditions, events, orders, isRoundOver, needsTicks) = monitor.fleet.withLock { fleet in
            fleet.settle(at: now)
            let orders = fleet.takeDueProbes(at: now)
            return (
                fleet.takeConditions(), fleet.takeEvents(), orders, fleet.isFirstRoundOver, fleet.needsTicks
            )
        }
        // Who reads the line finds the pool as it says.
        if !conditions.isEmpty { monitor.workers.take(conditions) }
        for event in events { tell(HealthLine(event)) }
        waiting += orders
        startProbes()
        if needsTicks, clock.deadline == .never { clock.setDeadline(loop.now + FleetHealth.tickInterval) }
        if isRoundOver, !isFirstRoundOver {
            isFirstRoundOver = true
            tell(situation.begin(monitor.workers.pool))
            monitor.firstRoundIsOver()
        }
    }

    private func tell(_ line: HealthLine?) {
        guard let line else { return }
        monitor.diagnostics.log(level: line.level, "\(line.text)")
        monitor.tell(line.news)
    }

    // MARK: Probes

    private func startProbes() {
        var count = 0
        while count < waiting.count, probes.count < Self.maximumProbes {
            start(waiting[count])
            count += 1
        }
        if count > 0 { waiting.removeFirst(count) }
    }

    private func start(_ order: ProbeOrder) {
        // Nobody waits for the result of one that has left.
        guard let origin = origins[ObjectIdentifier(order.backend)] else { return }
        probeNumber += 1
        let number = probeNumber
        let started = loop.now
        probes[number] = Probe(
            of: origin,
            ProbeRequest(
                path: order.path,
                timeoutMilliseconds: Int(clamping: order.timeout / 1_000_000),
                bodyLimit: expectation.bodyLimit(for: order)
            ),
            on: multi,
            loop: loop
        ) { [unowned self] result in
            probes[number] = nil
            let elapsed = loop.now.since(started)
            if case .answered(let answer) = result, order.isPathConfigured { complain(answer, order.backend.name) }
            let outcome = expectation.outcome(of: result, order, after: elapsed)
            monitor.fleet.withLock { $0.probeEnded(order, outcome, at: now) }
            // Once for all that end in this turn.
            loop.schedule(clock)
        }
    }

    private func complain(_ answer: ProbeAnswer, _ name: String) {
        for line in CheckExpectation.misunderstood(in: answer) {
            guard complaints.count < 1000, complaints.insert("\(name) \(line)").inserted else { continue }
            tell(HealthLine(level: .warning, text: "backend \(name): its health check's answer has \(line)"))
        }
    }

    /// Calls again and again, as long as the clock can bring anything.
    private final class Clock: EventHandler {
        private unowned let health: HealthLoop

        init(_ health: HealthLoop) {
            self.health = health
            super.init(loop: health.loop)
        }

        override func deadlineReached() { health.tick() }

        override func resume() { health.goOn() }
    }
}

@available(*, unavailable)
extension HealthLoop: Sendable {}
