// What must hold for every run: each request ends once, each lease ends, and the same seed gives the same run.

import Balancing
import Simulation
import Testing

@Suite("Conservation")
struct ConservationTests {
    private static let policies: [Policy] = [
        .roundRobin, .leastConnections, .randomTwo, .peakEWMA, .first, .hash(.uri),
    ]

    /// Everything at once: failures of all kinds, limits, impatient clients, members that come and go, late snapshots.
    private func plan() -> Plan {
        let backends = (0..<12).map { BackendPlan("b\($0)", slots: 2, speed: $0 < 6 ? 1 : 0.7, maximumInFlight: 6) }
        let service = Distribution.lognormal(mean: 0.01, deviation: 1)
        let rate = 0.8 * Plan.capacity(of: backends, service)
        var plan = Plan(backends, service: service, arrivals: .open(rate: rate), requests: 20_000)
        plan.warmUp = 1000
        plan.keys = .zipf(count: 500, exponent: 1)
        plan.balancers = 2
        plan.workers = 3
        plan.adoption = .exponential(mean: 0.02)
        plan.roundTrip = 0.001
        plan.responseTimeout = 0.3
        plan.patience = 0.5
        plan.idempotentShare = 0.7
        let conditions: [Condition] = [.refuses, .hangs, .resets, .fails, .isSlow(20)]
        for (number, condition) in conditions.enumerated() {
            let time = 1 + 1.2 * Double(number)
            plan.changes += [
                PlannedChange(at: time, .condition(backend: "b\(number)", condition)),
                PlannedChange(at: time + 1, .condition(backend: "b\(number)", .works)),
            ]
        }
        plan.changes += [
            PlannedChange(at: 2, .join(BackendPlan("late", slots: 2))),
            PlannedChange(at: 3, .pool { roster throws(PoolRefusal) in try roster.remove("b11") }),
            PlannedChange(at: 4, .pool { roster throws(PoolRefusal) in try roster.set(.drain, for: "b10") }),
            PlannedChange(at: 5, .pool { roster throws(PoolRefusal) in try roster.set(.ready, for: "b10") }),
            PlannedChange(at: 5.5, .join(BackendPlan("later", slots: 2))),
        ]
        return plan
    }

    @Test(arguments: policies)
    func `each request ends once, and nothing is in flight in the end`(policy: Policy) throws {
        let run = try Run(plan(), policy: policy, seed: 7)
        let results = try run.play()
        #expect(results.arrivals == 20_000)
        #expect(results.total.all == 20_000)
        #expect(results.counted.all == 19_000)
        #expect(results.latency.count == UInt64(results.counted.answered))
        #expect(run.attemptsInFlight == 0)
        // Everything that can happen has happened.
        let ends = results.total
        #expect(ends.answered > 10_000 && ends.timedOut > 0 && ends.broken > 0 && ends.errors > 0)
    }

    @Test(arguments: policies)
    func `the same seed gives the same run, another one does not`(policy: Policy) throws {
        let first = try Run(plan(), policy: policy, seed: 7).play()
        let second = try Run(plan(), policy: policy, seed: 7).play()
        let other = try Run(plan(), policy: policy, seed: 8).play()
        #expect(first.total == second.total && first.attempts == second.attempts && first.latency == second.latency)
        #expect(first.latency != other.latency)
    }

    @Test func `a drained backend gets nothing, once the workers know`() throws {
        let backends = (0..<4).map { BackendPlan("b\($0)", slots: 4) }
        var plan = Plan(backends, service: .constant(0.01), arrivals: .open(rate: 800), requests: 8000)
        plan.warmUp = 4000
        // The first half takes five seconds.
        plan.changes = [PlannedChange(at: 2, .pool { roster throws(PoolRefusal) in try roster.set(.drain, for: "b2") })]
        let results = try Run(plan, policy: .roundRobin, seed: 1).play()
        #expect(results.attempts[2] == 0)
        #expect(results.attempts.reduce(0, +) == 4000)
        #expect(results.total.lost == 0)
    }

    @Test func `who refuses costs a retry, who hangs a request`() throws {
        let backends = (0..<4).map { BackendPlan("b\($0)", slots: 8) }
        for (condition, isLost) in [(Condition.refuses, false), (.resets, false), (.hangs, true), (.fails, true)] {
            var plan = Plan(backends, service: .constant(0.01), arrivals: .open(rate: 800), requests: 4000)
            plan.warmUp = 0
            plan.responseTimeout = 1
            plan.backends[1].condition = condition
            let results = try Run(plan, policy: .roundRobin, seed: 1).play()
            #expect(results.total.lost == (isLost ? results.attempts[1] : 0))
            #expect(results.total.answered == 4000 - results.total.lost)
            #expect((990...1010).contains(results.attempts[1]) || !isLost)
            // A second attempt goes to another one, and takes a turn itself.
            #expect(results.attempts.reduce(0, +) == (isLost ? 4000 : 4000 + results.failedAttempts))
        }
    }

    @Test(arguments: [Condition.hangs, .fails, .refuses])
    func `health takes a failing backend out, and slow start brings it back`(condition: Condition) throws {
        // 400 requests a second; it fails from the fifth second to the fifteenth.
        let backends = (0..<4).map { BackendPlan("b\($0)", slots: 8) }
        var plan = Plan(backends, service: .constant(0.01), arrivals: .open(rate: 400), requests: 24_000)
        plan.warmUp = 0
        plan.responseTimeout = 2
        plan.health = HealthRules()
        plan.changes = [
            PlannedChange(at: 5, .condition(backend: "b1", condition)),
            PlannedChange(at: 15, .condition(backend: "b1", .works)),
        ]
        let watched = try Run(plan, policy: .roundRobin, seed: 1).play()
        plan.health = nil
        let alone = try Run(plan, policy: .roundRobin, seed: 1).play()
        // A quarter of ten seconds' requests, at least, goes to it when nobody watches.
        #expect(alone.attemptsAtFailing >= 900)
        #expect(watched.attemptsAtFailing < 400)
        // Back, it had about its share of the last half of the minute.
        #expect(watched.attempts[1] > 4000 && watched.attempts[1] < 5600)
        #expect(watched.total.all == 24_000)
    }
}
