// Several balancers that know nothing of one another's requests.

internal import Simulation

extension Scenario {
    static let manyBalancers = Scenario(
        name: "many-balancers",
        text: """
            The same backends behind 1, 10 and 100 balancers, each with counters of its own, 80 % load. It shows what is left \
            of a policy when a balancer sees only its part of the load: least_conn has ever more equals to choose from, \
            until it is round robin; the bound of hash, which counts a balancer's own requests, is no bound any more.
            """,
        backends: 100,
        content: .runs { size in
            [1, 10, 100].map { count in
                let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 4) }
                let service = Distribution.exponential(mean: 0.01)
                var plan = Plan(
                    backends,
                    service: service,
                    arrivals: .open(rate: 0.8 * Plan.capacity(of: backends, service)),
                    requests: size.requests
                )
                plan.roundTrip = 0.0005
                plan.balancers = count
                plan.keys = .zipf(count: 100_000, exponent: 0.7)
                return Case(name: "\(count) balancers", plan: plan)
            }
        }
    )
}
