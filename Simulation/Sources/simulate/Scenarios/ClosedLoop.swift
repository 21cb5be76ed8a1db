// Clients that wait for their answers.

internal import Simulation

extension Scenario {
    static let closedLoop = Scenario(
        name: "closed-loop",
        text: """
            Clients that send the next request only some time after the answer to the last one: three for each backend slot, \
            with pauses of 30 ms on the average, and backends of which every fifth works at 0.4 times the speed. Round robin \
            is held back by its slowest backends: all clients end up waiting there.
            """,
        backends: 50,
        content: .runs { size in
            let backends = (0..<size.backends).map { number in
                BackendPlan("b\(number)", slots: 2, speed: number % 5 == 4 ? 0.4 : 1)
            }
            var plan = Plan(
                backends,
                service: .exponential(mean: 0.01),
                arrivals: .closed(clients: size.backends * 2 * 3, pause: .exponential(mean: 0.03)),
                requests: size.requests
            )
            plan.roundTrip = 0.0005
            plan.keys = .zipf(count: 100_000, exponent: 0.7)
            return [Case(name: "", plan: plan)]
        }
    )
}
