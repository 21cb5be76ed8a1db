// Who watches over a balancer's backends: the product's own health, with probes of simulated backends.

internal import Balancing

/// Active checks, ejection and slow start of one balancer, as its health monitor has them.
///
/// A value without clock: its balancer tells it the time and takes over what it comes to.
struct HealthWatch {
    private var fleet: FleetHealth
    /// Probes under way.
    private var orders: [UInt64: ProbeOrder] = [:]
    private var orderNumber: UInt64 = 0

    init(_ rules: HealthRules, seed: UInt64) { fleet = FleetHealth(rules, seed: seed) }

    /// A roster as the program makes one for these rules.
    static func roster(_ policy: Policy, _ rules: HealthRules?, firstTurn: UInt) -> PoolRoster {
        guard let rules else { return PoolRoster(policy: policy, firstTurn: firstTurn) }
        return PoolRoster(
            policy: policy,
            newcomers: rules.check == nil ? .up : .unchecked,
            failsOpen: true,
            firstTurn: firstTurn
        )
    }

    /// The pool has changed.
    mutating func adopt(_ snapshot: PoolSnapshot, at now: UInt64) {
        fleet.adopt(snapshot, snapshot.members.map { _ in BackendHealth() }, at: now)
    }

    /// Time has passed.
    mutating func tick(at now: UInt64) { fleet.tick(at: now) }

    /// The probes that are to be made now: their numbers, whom they ask, and whether for more than a connection.
    mutating func takeDueProbes(
        at now: UInt64
    ) -> [(number: UInt64, backend: Backend, isRequest: Bool, timeout: UInt64)] {
        fleet.takeDueProbes(at: now).map { order in
            orderNumber += 1
            orders[orderNumber] = order
            return (orderNumber, order.backend, order.path != nil, order.timeout)
        }
    }

    /// A probe has ended.
    mutating func probeEnded(_ number: UInt64, isPassed: Bool, after nanoseconds: UInt64, at now: UInt64) {
        guard let order = orders.removeValue(forKey: number) else { return }
        let outcome = ProbeOutcome(
            isPassed: isPassed,
            text: isPassed ? "passed" : "failed",
            nanoseconds: nanoseconds,
            wish: isPassed ? BackendWish() : nil
        )
        fleet.probeEnded(order, outcome, at: now)
    }

    /// Has a roster follow what it has come to; false if there is nothing new.
    mutating func apply(to roster: inout PoolRoster) -> Bool {
        let conditions = fleet.takeConditions()
        for condition in conditions { roster.set(condition) }
        return !conditions.isEmpty
    }
}
