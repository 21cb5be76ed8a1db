// One backend in twenty fails, and nobody says so.

internal import Balancing
internal import Simulation

extension Scenario {
    static let failures = Scenario(
        name: "failures",
        text: """
            After a quarter of the time every twentieth backend fails, in one of five ways, and recovers after another half. No \
            health check runs: what is left is what a policy notices by itself, and two retries. A response is awaited for 2 s. \
            It shows why health checks are needed: a backend that answers 500 at once, or hangs, gets its full share under \
            round robin, and one that fails fast looks idle to policies that count requests in flight.
            """,
        backends: 20,
        content: .runs { size in ways.map { Case(name: $0.name, plan: plan(size, $0.condition, nil)) } }
    )

    static let ejection = Scenario(
        name: "ejection",
        text: """
            The same failures with health as it is by default: checks that connect every 2 s, ejection for 10 s, slow start over \
            10 s. What is left of the failures is what passes until they are noticed, and the trials afterwards.
            """,
        backends: 20,
        content: .runs { size in ways.map { Case(name: $0.name, plan: plan(size, $0.condition, HealthRules())) } }
    )

    private static let ways: [(name: String, condition: Condition)] = [
        ("refuses", .refuses), ("resets", .resets), ("hangs", .hangs), ("answers 500", .fails),
        ("10 times as slow", .isSlow(10)),
    ]

    private static func plan(_ size: Size, _ condition: Condition, _ health: HealthRules?) -> Plan {
        let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 2) }
        let service = Distribution.lognormal(mean: 0.01, deviation: 1)
        let rate = 0.5 * Plan.capacity(of: backends, service)
        var plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: size.requests)
        plan.roundTrip = 0.0005
        plan.responseTimeout = 2
        plan.health = health
        plan.keys = .zipf(count: 100_000, exponent: 0.7)
        let duration = Double(size.requests) / rate
        for number in stride(from: 0, to: size.backends, by: 20) {
            plan.changes += [
                PlannedChange(at: duration / 4, .condition(backend: "b\(number)", condition)),
                PlannedChange(at: duration * 3 / 4, .condition(backend: "b\(number)", .works)),
            ]
        }
        return plan
    }
}
