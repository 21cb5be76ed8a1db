// The pool as it is changed: where round robin begins.

import Balancing
import Testing
import Upstream

@testable import Forwarding

@Suite("Pool control")
struct PoolControlTests {
    private let origin = Origin(scheme: .http, host: "127.0.0.1", port: 1)

    /// The first choice of a pool that was empty and got so many backends at once, as that of the program does.
    private func firstChoice(among count: Int) throws -> String? {
        var control = try PoolControl(.roundRobin, [])
        try control.apply(
            (0..<count).map { .add(BackendConfiguration(name: "\($0)", origin: origin)) },
            adopted: 0
        )
        let balancer = Balancer(control.update.snapshot, seed: 1)
        return choice(balancer)
    }

    private func choice(_ balancer: Balancer) -> String? {
        guard let lease = balancer.acquire(excluding: TriedBackends(), at: 0) else { return nil }
        return lease.backend.name
    }

    @Test func `a short list begins with its first backend`() throws {
        for _ in 0..<10 { #expect(try firstChoice(among: 64) == "0") }
    }

    @Test func `a long list begins anywhere, so that several balancers do not go through it in step`() throws {
        let choices = try (0..<20).map { _ in try firstChoice(among: 200) }
        // Twenty times the same is as good as impossible.
        #expect(Set(choices).count > 1)
    }

    @Test func `when a list has become long, changes go on from where it stands`() throws {
        var control = try PoolControl(.roundRobin, [])
        try control.apply(
            (0..<100).map { .add(BackendConfiguration(name: "\($0)", origin: origin)) },
            adopted: 0
        )
        let balancer = Balancer(control.update.snapshot, seed: 1)
        let first = try #require(choice(balancer).flatMap { Int($0) })
        for number in 1..<30 {
            try control.apply([.maximumInFlight(name: "5", number)], adopted: 0)
            balancer.adopt(control.update.snapshot)
            #expect(choice(balancer) == "\((first + number) % 100)")
        }
    }
}
