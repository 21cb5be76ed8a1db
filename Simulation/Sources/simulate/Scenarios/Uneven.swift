// Backends of different speed: what a policy learns of them by itself.

internal import Simulation

extension Scenario {
    static let uneven = Scenario(
        name: "uneven",
        text: """
            Every fifth backend works at 0.6 times the speed of the others; requests of lognormal length (mean 10 ms), 60 % of \
            what all backends together can take. It shows that policies that see load or latency beat round robin's p99 \
            without being told, and that round robin catches up once weights tell it (5 and 3).
            """,
        backends: 100,
        content: .runs { size in
            [
                Case(name: "equal weights", plan: plan(size, weights: nil)),
                Case(name: "weights", plan: plan(size, weights: (5, 3))),
            ]
        }
    )

    private static func plan(_ size: Size, weights: (fast: Int, slow: Int)?) -> Plan {
        let backends = (0..<size.backends).map { number in
            let isSlow = number % 5 == 4
            return BackendPlan(
                "b\(number)",
                slots: 4,
                speed: isSlow ? 0.6 : 1,
                weight: weights.map { isSlow ? $0.slow : $0.fast } ?? 1
            )
        }
        let service = Distribution.lognormal(mean: 0.01, deviation: 1)
        var plan = Plan(
            backends,
            service: service,
            arrivals: .open(rate: 0.6 * Plan.capacity(of: backends, service)),
            requests: size.requests
        )
        plan.roundTrip = 0.0005
        plan.keys = .zipf(count: 100_000, exponent: 0.7)
        return plan
    }
}
