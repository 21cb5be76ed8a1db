// Tests of the difference of two states, as `curl-lb top` takes it.

import Telemetry
import Testing

@testable import Control

@Suite struct TopFiguresTests {
    /// A balancer that counts.
    private struct World {
        let metrics = Metrics(
            workers: 1,
            methods: ["GET"],
            reasons: ReasonTable(["connection_refused", "client_gone"], ofAttempts: ["connection_refused"])
        )
        var time = 1000.0
        var uptime = 50.0
        var health: BackendHealthStats?
        var operational = "up"
        var administrative = "ready"
        var requested = "ready"

        init() { metrics.poolChanged(to: ["b1"]) }

        var b1: BackendMeter { metrics.meter(of: "b1", worker: 0) }
        var worker: WorkerMeter { metrics.workers[0] }

        var state: StatsSnapshot {
            var b1 = BackendStats(
                name: "b1",
                address: "http://10.0.0.1:80",
                isMember: true,
                operational: operational,
                administrative: administrative,
                requested: requested,
                takesRequests: operational == "up" && administrative == "ready" && requested == "ready",
                weight: 5,
                isBackup: false,
                inFlight: 7,
                maximumInFlight: 50,
                counts: metrics.backendCounts()[0].counts
            )
            b1.health = health
            return StatsSnapshot(
                time: time,
                name: "edge-1",
                build: BuildStats(version: "0.1.0", libcurl: "libcurl 8.14.1", tls: "OpenSSL/3.0.17"),
                process: {
                    var process = ProcessStats.now()
                    process.uptime = uptime
                    return process
                }(),
                policy: "round_robin",
                poolVersion: 1,
                isPanic: false,
                queueWaiting: 3,
                backends: [b1],
                clients: metrics.clientCounts(),
                loops: metrics.loopCounts(),
                lostLogLines: nil
            )
        }

        /// What has been by then is not shown.
        mutating func passes(_ seconds: Double) {
            time += seconds
            uptime += seconds
        }
    }

    @Test func `rates, shares and percentiles are those of the time between`() throws {
        var world = World()
        for _ in 0..<1000 { world.worker.counters.record(.request, 9_000_000_000) }
        world.worker.failure("client_gone")
        let before = world.state
        world.passes(10)
        for index in 0..<100 {
            world.worker.counters.add(.requestsBegun)
            world.worker.counters.request(method: 0, status: index < 5 ? 503 : 200)
            world.worker.counters.record(.request, 2_000_000)
            world.b1.counters.add(.attempts)
            world.b1.counters.record(.request, 2_000_000)
        }
        world.worker.counters.add(.requestsBegun, 12)
        world.worker.counters.add(.connectionsOpened, 40)
        for _ in 0..<20 {
            _ = world.b1.failure("connection_refused")
            world.worker.failure("connection_refused")
        }
        let figures = try #require(TopFigures(from: before, to: world.state))
        #expect(figures.requests == 10 && figures.errors == 0.5 && figures.errorShare == 0.05)
        #expect(figures.inFlight == 12 && figures.waiting == 3 && figures.connections == 40)
        let p99 = try #require(figures.p99)
        #expect(abs(p99 - 2_000_000) < 200_000)
        #expect(figures.reasons.map(\.label) == ["connection_refused", "client_gone"])
        #expect(figures.reasons.map(\.rate) == [2, 0] && figures.reasons.map(\.total) == [20, 1])
        let backend = figures.backends[0]
        #expect(backend.requests == 10 && backend.failures == 2 && backend.p50 == figures.p50)
        #expect(backend.inFlight == "7/50" && backend.weight == "5" && backend.check == "-")
    }

    @Test func `two states of different processes, or of one moment, have no difference`() {
        var world = World()
        let before = world.state
        #expect(TopFigures(from: before, to: before) == nil)
        world.passes(1)
        world.uptime = 0.5
        #expect(TopFigures(from: before, to: world.state) == nil)
    }

    @Test func `a backend that has come meanwhile has no rates yet`() throws {
        var world = World()
        var before = world.state
        before.backends = []
        world.passes(1)
        let backend = try #require(TopFigures(from: before, to: world.state)?.backends.first)
        #expect(backend.requests == nil && backend.failures == nil && backend.p50 == nil)
    }

    @Test func `states are words, and how bad they are`() throws {
        var world = World()
        func shown() throws -> (String, TopMood) {
            var later = world
            later.passes(1)
            let backend = try #require(TopFigures(from: world.state, to: later.state)?.backends.first)
            return (backend.state, backend.mood)
        }
        #expect(try shown() == ("up", .good))
        world.administrative = "drain"
        #expect(try shown() == ("up, drain", .notable))
        world.requested = "maintenance"
        #expect(try shown() == ("up, drain, asks for maintenance", .notable))
        world.administrative = "ready"
        #expect(try shown() == ("up, asks for maintenance", .notable))
        (world.administrative, world.requested) = ("drain", "ready")
        world.operational = "down"
        #expect(try shown() == ("down, drain", .bad))
        world.administrative = "ready"
        world.operational = "ejected"
        world.health = BackendHealthStats(
            weightPercent: 20,
            check: "/health",
            ejections: 1,
            ejection: .init(reason: "5 attempts in a row failed", age: 4, endsIn: 6.2),
            latestChange: nil,
            probes: [.init(age: 2, isGood: false, text: "refused", milliseconds: nil)]
        )
        #expect(try shown() == ("ejected 6 s", .bad))
        world.health?.ejection?.endsIn = 0
        #expect(try shown() == ("ejected (trial)", .bad))
        var later = world
        later.passes(1)
        let backend = try #require(TopFigures(from: world.state, to: later.state)?.backends.first)
        #expect(backend.check == "FAILED 2 s ago: refused" && backend.weight == "5 (20 %)")
    }
}
