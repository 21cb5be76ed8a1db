// A fleet as no single machine could run it.

internal import Simulation

extension Scenario {
    static let fleet = Scenario(
        name: "fleet",
        text: """
            Thousands of backends of speeds between 0.5 and 1.5, two slots each, behind eight balancers with four workers each; \
            lognormal lengths with a wide tail (mean 10 ms), 60 % of the capacity. In step: all balancers begin at the list's first \
            backend, and go through it together.
            """,
        backends: 5000,
        content: .runs { size in
            var speeds = RandomNumbers(seed: size.seed, stream: 9)
            let backends = (0..<size.backends).map { number in
                BackendPlan("b\(number)", slots: 2, speed: 0.5 + Double(speeds.number(below: 1001)) / 1000)
            }
            let service = Distribution.lognormal(mean: 0.01, deviation: 1.5)
            var plan = Plan(
                backends,
                service: service,
                arrivals: .open(rate: 0.6 * Plan.capacity(of: backends, service)),
                requests: size.requests
            )
            plan.roundTrip = 0.0005
            plan.balancers = 8
            plan.workers = 4
            plan.keys = .zipf(count: 1_000_000, exponent: 0.7)
            var inStep = plan
            inStep.startInStep = true
            return [Case(name: "starting anywhere", plan: plan), Case(name: "in step", plan: inStep)]
        }
    )
}
