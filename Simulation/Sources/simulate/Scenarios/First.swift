// First: filling one backend before the next.

internal import Balancing
internal import Simulation

extension Scenario {
    static let first = Scenario(
        name: "first",
        text: """
            Backends with eight slots and `max_conns=8`, at a load that a third of them could carry. `first` leaves the last \
            ones without work, so that they could be switched off; the others spread it.
            """,
        backends: 30,
        policies: [
            NamedPolicy(name: "first", policy: .first), NamedPolicy(name: "least_conn", policy: .leastConnections),
        ],
        content: .runs { size in
            let backends = (0..<size.backends).map { BackendPlan("b\($0)", slots: 8, maximumInFlight: 8) }
            let service = Distribution.lognormal(mean: 0.01, deviation: 1)
            var plan = Plan(
                backends,
                service: service,
                arrivals: .open(rate: Plan.capacity(of: backends, service) / 3),
                requests: size.requests
            )
            plan.roundTrip = 0.0005
            return [Case(name: "", plan: plan)]
        }
    )
}
