// A backend that comes back cold.

internal import Balancing
internal import Simulation

extension Scenario {
    static let slowStart = Scenario(
        name: "slow-start",
        text: """
            Backends that are killed in turn, one every 40 s, and come back cold after 15 s: eight times as slow for 4 s, three \
            times for another 4 s. With slow start a backend that has come back gets its share over 10 s; without, at once.
            """,
        backends: 10,
        content: .runs { size in
            ([("slow start 10 s", 10), ("none", 0)] as [(String, UInt64)]).map { name, seconds in
                var rules = HealthRules()
                rules.slowStart = seconds * 1_000_000_000
                return Case(name: name, plan: plan(size, rules))
            }
        }
    )

    private static func plan(_ size: Size, _ health: HealthRules) -> Plan {
        let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 4) }
        let service = Distribution.lognormal(mean: 0.02, deviation: 1)
        let rate = 0.6 * Plan.capacity(of: backends, service)
        var plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: size.requests)
        plan.roundTrip = 0.0005
        plan.responseTimeout = 5
        plan.health = health
        plan.keys = .zipf(count: 100_000, exponent: 0.7)
        let duration = Double(size.requests) / rate
        for (turn, time) in stride(from: 5.0, to: duration, by: 40).enumerated() {
            let name = "b\(turn % size.backends)"
            let steps: [(Double, Condition)] = [(0, .refuses), (15, .isSlow(8)), (19, .isSlow(3)), (23, .works)]
            for (wait, condition) in steps {
                plan.changes.append(PlannedChange(at: time + wait, .condition(backend: name, condition)))
            }
        }
        return plan
    }
}
