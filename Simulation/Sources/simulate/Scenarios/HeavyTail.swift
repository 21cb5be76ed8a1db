// Requests of very different length.

internal import Simulation

extension Scenario {
    static let heavyTail = Scenario(
        name: "heavy-tail",
        text: """
            Equal backends with two slots each; request lengths from 1 ms to 3 s by a Pareto distribution of shape 1.2 (mean \
            5 ms), 60 % of the capacity. It shows what happens to short requests behind long ones: a policy that does not see \
            that a backend is held up sends it more.
            """,
        backends: 100,
        content: .runs { size in
            let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 2) }
            let service = Distribution.pareto(shape: 1.2, least: 0.001, greatest: 3)
            var plan = Plan(
                backends,
                service: service,
                arrivals: .open(rate: 0.6 * Plan.capacity(of: backends, service)),
                requests: size.requests
            )
            plan.roundTrip = 0.0005
            plan.keys = .zipf(count: 100_000, exponent: 0.7)
            return [Case(name: "", plan: plan)]
        }
    )
}
