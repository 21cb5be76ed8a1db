// Equal backends, requests of about equal length: where all policies should do well.

internal import Simulation

extension Scenario {
    static let even = Scenario(
        name: "even",
        text: """
            Equal backends with four slots each, requests of exponentially distributed length (mean 10 ms), open arrivals. It \
            shows what knowing the load is worth when nothing is wrong: round robin spreads requests evenly, not the work.
            """,
        backends: 100,
        content: .runs { size in
            [0.5, 0.8, 0.95].map { load in
                Case(name: "load \(percent(load, 0))", plan: plan(size, load: load))
            }
        }
    )

    private static func plan(_ size: Size, load: Double) -> Plan {
        let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 4) }
        let service = Distribution.exponential(mean: 0.01)
        var plan = Plan(
            backends,
            service: service,
            arrivals: .open(rate: load * Plan.capacity(of: backends, service)),
            requests: size.requests
        )
        plan.roundTrip = 0.0005
        plan.keys = .zipf(count: 100_000, exponent: 0.7)
        return plan
    }
}
