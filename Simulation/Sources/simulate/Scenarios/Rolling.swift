// A rolling restart: each backend leaves and comes back, one after the other.

internal import Balancing
internal import Simulation

extension Scenario {
    static let rolling = Scenario(
        name: "rolling",
        text: """
            A rolling restart under load, behind two balancers with four workers whom a change reaches 5 ms late on the \
            average. Drained first: nothing is lost, and nothing goes to a backend that is down. Not drained: each backend is killed with what \
            it has, and balancers get to know half a second later; a retry saves what may be sent twice (80 % of requests).
            """,
        backends: 30,
        content: .runs { size in
            [
                Case(name: "drained", plan: plan(size, isDrained: true)),
                Case(name: "killed", plan: plan(size, isDrained: false)),
            ]
        }
    )

    private static func plan(_ size: Size, isDrained: Bool) -> Plan {
        let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 8) }
        let service = Distribution.exponential(mean: 0.01)
        let rate = 0.6 * Plan.capacity(of: backends, service)
        var plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: size.requests)
        plan.roundTrip = 0.0005
        plan.balancers = 2
        plan.workers = 4
        plan.adoption = .exponential(mean: 0.005)
        plan.idempotentShare = 0.8
        plan.keys = .zipf(count: 100_000, exponent: 0.7)
        let turn = Double(size.requests) / rate * 0.9 / Double(size.backends)
        for (number, backend) in backends.enumerated() {
            let name = backend.name
            let begin = turn * Double(number)
            let kill = begin + (isDrained ? turn * 0.4 : 0)
            let notice = isDrained ? begin : begin + min(0.5, turn * 0.4)
            plan.changes += [
                PlannedChange(at: notice, .pool { roster throws(PoolRefusal) in try roster.set(.drain, for: name) }),
                PlannedChange(at: kill, .condition(backend: name, .refuses)),
                PlannedChange(at: begin + turn * 0.8, .condition(backend: name, .works)),
                PlannedChange(
                    at: begin + turn * 0.85,
                    .pool { roster throws(PoolRefusal) in try roster.set(.ready, for: name) }
                ),
            ]
        }
        return plan
    }
}
