// The engine against what queueing theory says, with fixed seeds: a bound that holds once holds always.

import Balancing
import Simulation
import Testing

@Suite("Queueing theory")
struct QueueingTests {
    private static let mean = 0.01

    private func results(_ plan: Plan, _ policy: Policy = .roundRobin, seed: UInt64 = 1) throws -> Results {
        try Run(plan, policy: policy, seed: seed).play()
    }

    /// One backend, open arrivals at a part of its capacity.
    private func single(
        slots: Int,
        load: Double,
        _ service: Distribution = .exponential(mean: mean),
        requests: Int = 60_000
    ) -> Plan {
        let backends = [BackendPlan("a", slots: slots)]
        return Plan(
            backends,
            service: service,
            arrivals: .open(rate: load * Plan.capacity(of: backends, service)),
            requests: requests
        )
    }

    private func isNear(_ value: Double, _ expected: Double, within part: Double) -> Bool {
        abs(value - expected) <= part * expected
    }

    @Test(arguments: [0.3, 0.5, 0.7])
    func `M/M/1: the mean time is that of the service by one less the load`(load: Double) throws {
        let results = try results(single(slots: 1, load: load))
        let expected = Self.mean / (1 - load)
        #expect(isNear(results.latency.mean, expected, within: 0.03), "\(results.latency.mean) for \(expected)")
        // Times are exponentially distributed: the median is ln 2 of the mean, the 99th percentile ln 100.
        #expect(isNear(results.latency.quantile(0.5), 0.6931 * expected, within: 0.04))
        #expect(isNear(results.latency.quantile(0.99), 4.6052 * expected, within: 0.08))
        #expect(isNear(results.utilization[0], load, within: 0.02))
    }

    @Test(arguments: [(2, 0.6), (4, 0.8), (10, 0.85)])
    func `M/M/c: the mean wait is Erlang's`(slots: Int, load: Double) throws {
        let results = try results(single(slots: slots, load: load))
        // Erlang's C, by his B and its recursion.
        let offered = Double(slots) * load
        var blocking = 1.0
        for number in 1...slots { blocking = offered * blocking / (Double(number) + offered * blocking) }
        let waiting = blocking / (1 - load * (1 - blocking))
        let expected = waiting * Self.mean / (Double(slots) * (1 - load))
        let wait = results.latency.mean - Self.mean
        #expect(isNear(wait, expected, within: 0.08), "\(wait) for \(expected)")
    }

    @Test(arguments: [
        Distribution.constant(mean), .lognormal(mean: mean, deviation: 1),
        .pareto(shape: 2.5, least: 0.005, greatest: 0.5),
    ])
    func `M/G/1: the mean wait is that of Pollaczek and Khinchine`(service: Distribution) throws {
        let load = 0.6
        let results = try results(single(slots: 1, load: load, service, requests: 60_000))
        let expected = load / service.mean * service.secondMoment / (2 * (1 - load))
        let wait = results.latency.mean - service.mean
        #expect(isNear(wait, expected, within: 0.08), "\(wait) for \(expected)")
    }

    @Test func `the moments of distributions are those of their samples`() {
        var random = RandomNumbers(seed: 1)
        let distributions: [Distribution] = [
            .constant(0.3), .exponential(mean: 2), .lognormal(mean: 2, deviation: 0.7),
            .pareto(shape: 1.2, least: 0.01, greatest: 1), .pareto(shape: 2, least: 0.01, greatest: 1),
        ]
        for distribution in distributions {
            let samples = (0..<50_000).map { _ in distribution.sample(&random) }
            let count = Double(samples.count)
            #expect(isNear(samples.reduce(0, +) / count, distribution.mean, within: 0.02))
            #expect(isNear(samples.reduce(0) { $0 + $1 * $1 } / count, distribution.secondMoment, within: 0.1))
        }
    }

    @Test func `Little's law: requests in the system are their rate times their time`() throws {
        let backends = (0..<10).map { BackendPlan("b\($0)", slots: 2, speed: $0 % 2 == 0 ? 1 : 0.5) }
        let service = Distribution.lognormal(mean: Self.mean, deviation: 1)
        let rate = 0.6 * Plan.capacity(of: backends, service)
        let plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: 50_000)
        let results = try results(plan, .randomTwo)
        #expect(isNear(results.meanInSystem, rate * results.latency.mean, within: 0.02))
    }

    @Test func `a closed loop is the repairman's problem`() throws {
        // Machines that run for an exponential time and are repaired one at a time.
        let clients = 8
        let pause = 0.05
        let plan = Plan(
            [BackendPlan("a")],
            service: .exponential(mean: Self.mean),
            arrivals: .closed(clients: clients, pause: .exponential(mean: pause)),
            requests: 50_000
        )
        let results = try results(plan)
        // The probability that the backend is idle: 1 / Σ N! / (N - n)! (service / pause)ⁿ.
        var term = 1.0
        var sum = 1.0
        for number in 0..<clients {
            term *= Double(clients - number) * Self.mean / pause
            sum += term
        }
        let throughput = (1 - 1 / sum) / Self.mean
        #expect(isNear(results.utilization[0], 1 - 1 / sum, within: 0.01))
        #expect(isNear(results.latency.mean, Double(clients) / throughput - pause, within: 0.03))
    }

    @Test func `the shortest of two queues lies between two of their own and one in common`() throws {
        let backends = [BackendPlan("a"), BackendPlan("b")]
        let service = Distribution.exponential(mean: Self.mean)
        let rate = 0.8 * Plan.capacity(of: backends, service)
        let plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: 50_000)
        let shortest = try results(plan, .leastConnections).latency.mean
        let inTurn = try results(plan, .roundRobin).latency.mean
        // M/M/2 at 0.8: 1 / (1 - 0.64) of the service.
        #expect(shortest > Self.mean / 0.36 && shortest < inTurn)
        #expect(inTurn < Self.mean / 0.2)
    }
}
