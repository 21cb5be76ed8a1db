// The health of a whole pool, played through second by second: probes, ejections, ramps, wishes.

import Synchronization
import Testing

@testable import Balancing

@Suite("Fleet health")
struct FleetHealthTests {
    private static let second: UInt64 = 1_000_000_000

    /// A pool and its health, on a clock of its own.
    private struct Play {
        var roster: PoolRoster
        var health: FleetHealth
        var settings = BackendHealth()
        var now: UInt64 = 1000 * FleetHealthTests.second
        /// What there was to hear of, as "a up→down".
        var heard: [String] = []
        /// Probes under way.
        var orders: [ProbeOrder] = []

        init(_ count: Int, _ rules: HealthRules = HealthRules(), path: String? = nil) throws {
            roster = PoolRoster(policy: .roundRobin, newcomers: rules.check == nil ? .up : .unchecked, failsOpen: true)
            health = FleetHealth(rules, seed: 1)
            settings.check = path.map { .get($0) }
            for index in 0..<count { try roster.add(PoolEntry(name: Pool.name(index))) }
            adopt()
        }

        mutating func adopt() {
            let snapshot = roster.makeSnapshot()
            health.adopt(snapshot, snapshot.members.map { _ in settings }, at: now)
            takeOver()
        }

        mutating func change(_ change: (inout PoolRoster) throws -> Void) rethrows {
            try change(&roster)
            adopt()
        }

        mutating func takeOver() {
            health.settle(at: now)
            for event in health.takeEvents() {
                switch event.change {
                case .operational(let from, let to): heard.append("\(event.backend) \(from)→\(to)")
                case .wish(let wish): heard.append("\(event.backend) \(wish.state) \(wish.weightPercent)%")
                }
            }
            for condition in health.takeConditions() { roster.set(condition) }
        }

        /// Lets time pass, ten ticks a second.
        mutating func pass(_ seconds: Double) {
            for _ in 0..<Int((seconds * 10).rounded()) {
                now += FleetHealth.tickInterval
                health.tick(at: now)
                takeOver()
            }
        }

        mutating func takeOrders() { orders += health.takeDueProbes(at: now) }

        /// Ends all probes that are due, by the names of the backends that fail them.
        mutating func probe(
            failing: Set<String> = [],
            trialsFail: Bool = false,
            after nanoseconds: UInt64 = 1000,
            wish: [String: BackendWish] = [:]
        ) {
            takeOrders()
            for order in orders {
                let isPassed = !failing.contains(order.backend.name) && !(order.purpose == .trial && trialsFail)
                let outcome = ProbeOutcome(
                    isPassed: isPassed,
                    text: "probed",
                    nanoseconds: nanoseconds,
                    wish: isPassed ? wish[order.backend.name] ?? BackendWish() : nil
                )
                health.probeEnded(order, outcome, at: now)
            }
            orders = []
            takeOver()
        }

        /// Lets time pass, with all probes ending well that are not said to fail.
        mutating func pass(_ seconds: Double, failing: Set<String>, trialsFail: Bool = false) {
            for _ in 0..<Int((seconds * 10).rounded()) {
                pass(0.1)
                probe(failing: failing, trialsFail: trialsFail)
            }
        }

        func backend(_ name: String) -> Backend {
            guard let member = roster.members.first(where: { $0.backend.name == name }) else {
                preconditionFailure("no \(name)")
            }
            return member.backend
        }

        /// Attempts at a backend: `.` answered, `e` answered with 500, `f` failed.
        func serve(_ name: String, _ script: String, taking nanoseconds: UInt64 = 1_000_000) {
            for step in script {
                var lease = BackendLease(of: backend(name), at: 0, isMeasured: false)
                if step == "f" {
                    lease.end(.failed, at: 0)
                } else {
                    lease.requestSent(at: 0)
                    lease.headReceived(status: step == "e" ? 500 : 200, at: nanoseconds)
                    lease.end(.answered, at: 0)
                }
            }
        }

        var states: String {
            roster.members.map { "\($0.backend.name) \($0.state.operational)" }.joined(separator: ", ")
        }

        var percents: [Int] { roster.members.map(\.weightPercent) }
    }

    /// Without active checks.
    private let passive = HealthRules(check: nil)

    // MARK: Active checks

    @Test func `nothing is known before the first check, whose result decides`() throws {
        var play = try Play(2)
        #expect(play.states == "a unchecked, b unchecked")
        #expect(!play.health.isFirstRoundOver)
        play.takeOrders()
        #expect(play.orders.map { "\($0.backend.name) \($0.purpose)" } == ["a check", "b check"])
        // Not ordered again while under way.
        #expect(play.health.takeDueProbes(at: play.now + 100 * Self.second).isEmpty)
        play.probe(failing: ["b"])
        #expect(play.states == "a up, b down")
        #expect(play.health.isFirstRoundOver)
        #expect(play.heard == ["a unchecked→up", "b unchecked→down"])
        // Not at the process's start.
        #expect(play.percents == [100, 100])
    }

    @Test func `three failures take a backend down, two successes bring it back with a tenth of its share`() throws {
        var play = try Play(2)
        play.probe()
        play.heard = []
        play.pass(8, failing: ["b"])
        #expect(play.heard == ["b up→down"])
        #expect(play.states == "a up, b down")
        play.pass(8, failing: [])
        #expect(play.heard == ["b up→down", "b down→up"])
        #expect(play.percents[0] == 100)
        #expect((10..<100).contains(play.percents[1]))
        play.pass(10, failing: [])
        #expect(play.percents == [100, 100])
    }

    @Test func `maintenance stops the checks, and what comes back from it is unchecked`() throws {
        var play = try Play(2)
        play.probe()
        try play.change { try $0.set(.maintenance, for: "b") }
        play.pass(10)
        play.takeOrders()
        #expect(play.orders.map(\.backend.name) == ["a"])
        play.probe()
        try play.change { try $0.set(.ready, for: "b") }
        #expect(play.states == "a up, b unchecked")
        play.takeOrders()
        #expect(play.orders.map(\.backend.name) == ["b"])
        play.probe()
        #expect(play.states == "a up, b up")
        #expect(play.percents == [100, 10])
    }

    @Test func `a result that was under way when maintenance began and ended does not count`() throws {
        var play = try Play(1)
        play.takeOrders()
        try play.change { try $0.set(.maintenance, for: "a") }
        try play.change { try $0.set(.ready, for: "a") }
        let late = play.orders[0]
        play.health.probeEnded(late, ProbeOutcome(isPassed: true, text: "", nanoseconds: 0), at: play.now)
        play.takeOver()
        #expect(play.states == "a unchecked")
        play.orders = []
        play.takeOrders()
        #expect(play.orders.count == 1)
    }

    @Test func `a member that comes is unchecked, then ramps up; one that goes is forgotten`() throws {
        var play = try Play(1)
        play.probe()
        try play.change { try $0.add(PoolEntry(name: "b")) }
        #expect(play.states == "a up, b unchecked")
        play.probe()
        #expect(play.states == "a up, b up" && play.percents == [100, 10])
        play.pass(5, failing: [])
        #expect(play.percents == [100, 50])
        play.takeOrders()
        try play.change { try $0.remove("b") }
        play.probe()
        #expect(play.states == "a up")
        #expect(play.health.report(at: play.now).members.map(\.name) == ["a"])
    }

    @Test func `a fleet of one does not ramp up, and without slow start nobody does`() throws {
        var play = try Play(1)
        play.probe(failing: ["a"])
        play.pass(10, failing: [])
        #expect(play.states == "a up" && play.percents == [100])

        play.settings.slowStart = 0
        try play.change { try $0.add(PoolEntry(name: "b")) }
        play.probe()
        #expect(play.states == "a up, b up" && play.percents == [100, 100])
    }

    @Test func `another path is another check: the old verdict stands until it has been made`() throws {
        var play = try Play(1, path: "/old")
        play.probe()
        play.takeOrders()
        play.settings.check = .get("/new")
        play.adopt()
        #expect(play.states == "a up")
        play.orders = []
        play.takeOrders()
        #expect(play.orders.map(\.path) == ["/new"])
        play.probe(failing: ["a"])
        #expect(play.states == "a down")
    }

    @Test func `a failure does not count when we ourselves stood still`() throws {
        var play = try Play(1)
        play.pass(0.1)
        play.takeOrders()
        play.now += 5 * Self.second
        play.health.tick(at: play.now)
        play.probe(failing: ["a"])
        #expect(play.states == "a unchecked")
        play.probe(failing: ["a"])
        #expect(play.states == "a down")
    }

    // MARK: Wishes

    @Test func `a backend can ask for less, and only its own answers take that back`() throws {
        var play = try Play(2, path: "/")
        play.probe(wish: ["b": BackendWish(weightPercent: 50)])
        #expect(play.percents == [100, 50])
        play.pass(5)
        play.probe(wish: ["b": BackendWish(state: .drain)])
        #expect(play.roster.members[1].state == BackendState(.up, requested: .drain))
        #expect(play.percents == [100, 100])
        // Neither a failed check nor the operator.
        play.pass(5)
        play.probe(failing: ["b"])
        try play.change { try $0.set(.ready, for: "b") }
        #expect(play.roster.members[1].state == BackendState(.up, requested: .drain))
        play.pass(5)
        play.probe()
        #expect(play.roster.members[1].state == BackendState())
        let wishes = play.heard.filter { !$0.contains("→") }
        #expect(wishes == ["b ready 50%", "b drain 100%", "b ready 100%"])
    }

    @Test(
        "what a backend has asked for holds no longer than checks could take it back",
        arguments: [HealthRules(check: nil), HealthRules()]
    )
    func withdrawing(rules: HealthRules) throws {
        var play = try Play(2)
        // The path is the rules', or the backend's own.
        var asking = HealthRules()
        if rules.check == nil {
            play.settings.check = .get("/")
            play.adopt()
        } else {
            asking.check?.kind = .get("/")
            play.health.adopt(asking, at: play.now)
        }
        play.probe(wish: ["b": BackendWish(state: .drain)])
        #expect(play.roster.members[1].state == BackendState(.up, requested: .drain))
        play.health.adopt(rules, at: play.now)
        play.takeOver()
        #expect(play.roster.members.map(\.state) == [BackendState(), BackendState()])
        #expect(play.heard.filter { !$0.contains("→") } == ["b drain 100%", "b ready 100%"])
    }

    @Test func `a backend whose own path is taken away asks for nothing any more`() throws {
        var play = try Play(2, path: "/")
        play.probe(wish: ["a": BackendWish(weightPercent: 0)])
        #expect(play.percents == [0, 100])
        play.settings.check = .connect
        play.adopt()
        #expect(play.percents == [100, 100])
        #expect(play.heard.last == "a ready 100%")
    }

    @Test func `a shorter interval holds at once, for checks and for trials`() throws {
        var rules = HealthRules()
        rules.check?.interval = 3_600_000_000_000
        var play = try Play(2, rules)
        play.probe()
        play.serve("b", "fffff")
        play.pass(11)
        // The trial that is due fails, and the next one is an hour away, as the checks are.
        play.probe(trialsFail: true)
        #expect(play.states == "a up, b ejected")
        play.pass(5)
        #expect(play.health.takeDueProbes(at: play.now).isEmpty)
        rules.check?.interval = 1_000_000_000
        play.health.adopt(rules, at: play.now)
        play.pass(1.2)
        play.takeOrders()
        #expect(play.orders.map { "\($0.backend.name) \($0.purpose)" } == ["a check", "b check", "b trial"])
    }

    @Test func `a weight of zero takes all requests away`() throws {
        var play = try Play(2, path: "/")
        play.probe(wish: ["a": BackendWish(weightPercent: 0)])
        #expect(play.percents == [0, 100])
        #expect(play.roster.makeSnapshot().members.map(\.takesRequests) == [false, true])
    }

    // MARK: Ejections

    @Test func `who fails five times in a row is out at the next tick, and back after ten seconds`() throws {
        var play = try Play(3, passive)
        #expect(play.states == "a up, b up, c up")
        play.serve("b", "ffff")
        play.pass(0.1)
        #expect(play.states == "a up, b up, c up")
        play.serve("b", "f")
        play.pass(0.1)
        #expect(play.states == "a up, b ejected, c up")
        play.pass(9.9)
        #expect(play.states == "a up, b ejected, c up")
        play.pass(0.1)
        #expect(play.states == "a up, b up, c up")
        #expect(play.percents == [100, 10, 100])
        // The second time it is longer.
        play.serve("b", "eeeee")
        play.pass(19.9)
        #expect(play.states == "a up, b ejected, c up")
        play.pass(0.3)
        #expect(play.states == "a up, b up, c up")
        #expect(play.heard == ["b up→ejected", "b ejected→up", "b up→ejected", "b ejected→up"])
    }

    @Test func `at most half, and never the last`() throws {
        var three = try Play(3, passive)
        for name in ["a", "b", "c"] { three.serve(name, "...............") }
        three.pass(1)
        for name in ["a", "b", "c"] { three.serve(name, "fffff") }
        three.pass(0.1)
        #expect(three.states == "a ejected, b up, c up")
        three.pass(5)
        #expect(three.states == "a ejected, b up, c up")

        var one = try Play(1, passive)
        one.serve("a", "ffffffffff")
        one.pass(5)
        #expect(one.states == "a up")

        var four = try Play(4, passive)
        for name in ["a", "b", "c", "d"] { four.serve(name, "..............................") }
        four.pass(1)
        for name in ["a", "b", "c", "d"] { four.serve(name, "eeeee") }
        four.pass(0.1)
        #expect(four.states == "a ejected, b ejected, c up, d up")
    }

    @Test func `one that is drained or down is no company`() throws {
        var play = try Play(3)
        play.probe(failing: ["c"])
        try play.change { try $0.set(.drain, for: "b") }
        play.serve("a", "fffff")
        play.pass(1)
        #expect(play.states == "a up, b up, c down")
    }

    @Test func `a tenth of three is nobody, but one may always be ejected`() throws {
        var rules = passive
        rules.ejection?.maximumPercent = 10
        var play = try Play(3, rules)
        play.serve("a", "fffff")
        play.pass(0.1)
        play.serve("b", "fffff")
        play.pass(0.1)
        #expect(play.states == "a ejected, b up, c up")
    }

    @Test func `an application's error, which all give, ejects nobody`() throws {
        var play = try Play(3, passive)
        for _ in 0..<30 {
            for name in ["a", "b", "c"] { play.serve(name, "ee") }
            play.pass(0.1)
        }
        // Up to the fifth in a row each might have been the only one.
        #expect(play.states == "a up, b up, c up")
    }

    @Test func `who takes two seconds where others take a millisecond is out within a sample`() throws {
        var play = try Play(3, passive)
        for name in ["a", "c"] { play.serve(name, "..........") }
        play.serve("b", ".....", taking: 2 * Self.second)
        play.pass(1)
        #expect(play.states == "a up, b ejected, c up")
    }

    @Test func `who answers none of five requests is out within three seconds`() throws {
        var play = try Play(3, passive)
        for name in ["a", "b", "c"] { play.serve(name, "..........") }
        play.pass(1)
        var leases = 0
        while leases < 5 {
            play.backend("b").sent.wrappingAdd(1, ordering: .relaxed)
            leases += 1
        }
        play.pass(1)
        #expect(play.states == "a up, b up, c up")
        play.pass(2)
        #expect(play.states == "a up, b ejected, c up")
    }

    @Test func `attempts that have not sent their request are no sign of silence`() throws {
        var play = try Play(3, passive)
        for name in ["a", "b", "c"] { play.serve(name, "..........") }
        play.pass(1)
        play.backend("b").attempts.wrappingAdd(9, ordering: .relaxed)
        play.pass(5)
        #expect(play.states == "a up, b up, c up")
    }

    @Test func `who has been ejected for requests that wait is not ejected for the same ones again`() throws {
        var play = try Play(3, passive)
        func serve() { for name in ["a", "c"] { play.serve(name, "..........") } }
        serve()
        play.backend("b").sent.wrappingAdd(5, ordering: .relaxed)
        play.pass(4)
        #expect(play.states == "a up, b ejected, c up")
        play.pass(10)
        #expect(play.states == "a up, b up, c up")
        serve()
        play.pass(5)
        #expect(play.states == "a up, b up, c up")
        // Others are another matter.
        play.backend("b").sent.wrappingAdd(5, ordering: .relaxed)
        serve()
        play.pass(4)
        #expect(play.states == "a up, b ejected, c up")
    }

    @Test func `where each backend has its own kind of requests, they are not compared`() throws {
        var rules = passive
        rules.ejection?.comparesBackends = false
        var play = try Play(3, rules)
        for name in ["a", "c"] { play.serve(name, "..........") }
        play.serve("b", "..........", taking: 5 * Self.second)
        play.pass(5)
        #expect(play.states == "a up, b up, c up")
        play.serve("b", "eeeee")
        play.pass(0.1)
        #expect(play.states == "a up, b ejected, c up")
    }

    @Test func `what a standstill of our own has shown is forgotten`() throws {
        var play = try Play(3, passive)
        for name in ["a", "b", "c"] { play.serve(name, "..........") }
        play.pass(1)
        play.backend("b").sent.wrappingAdd(9, ordering: .relaxed)
        play.pass(1)
        play.now += 60 * Self.second
        play.pass(2.9)
        #expect(play.states == "a up, b up, c up")
    }

    // MARK: Coming back

    @Test func `with checks the end of an ejection is a trial over HTTP, also where checks only connect`() throws {
        var play = try Play(3)
        play.probe()
        play.serve("b", "eeeee")
        play.pass(9, failing: [])
        #expect(play.states == "a up, b ejected, c up")
        // Its time is over, but it fails; the checks that only connect end nothing.
        play.pass(20, failing: [], trialsFail: true)
        #expect(play.states == "a up, b ejected, c up")
        play.takeOrders()
        play.pass(3)
        play.takeOrders()
        #expect(play.orders.filter { $0.purpose == .trial }.map(\.path) == ["/"])
        play.probe()
        #expect(play.states == "a up, b up, c up")
        #expect(play.percents[1] == 10)
    }

    @Test func `who was ejected for being slow must answer its trial fast`() throws {
        var play = try Play(2, path: "/health")
        play.probe()
        play.serve("a", "..........")
        play.serve("b", "..........", taking: 3 * Self.second)
        play.pass(15)
        #expect(play.states == "a up, b ejected")
        play.probe(after: 600_000_000)
        #expect(play.states == "a up, b ejected")
        play.pass(3)
        play.probe(after: 400_000_000)
        #expect(play.states == "a up, b up")
    }

    @Test func `after five minutes it comes back whatever trials show`() throws {
        var play = try Play(2)
        play.probe()
        play.serve("b", "fffff")
        play.pass(299, failing: [], trialsFail: true)
        #expect(play.states == "a up, b ejected")
        play.pass(2, failing: [], trialsFail: true)
        #expect(play.states == "a up, b up")
    }

    @Test func `who went down meanwhile and came up is not what was ejected`() throws {
        var play = try Play(2)
        play.probe()
        play.serve("b", "fffff")
        play.pass(7, failing: ["b"])
        #expect(play.states == "a up, b down")
        play.pass(7, failing: [], trialsFail: true)
        #expect(play.states == "a up, b up")
        #expect(play.heard.suffix(3) == ["b up→ejected", "b ejected→down", "b down→up"])
    }

    @Test func `a report has the latest probes, the ejection and the change`() throws {
        var play = try Play(2)
        play.probe()
        for _ in 0..<30 { play.pass(2.3, failing: []) }
        play.serve("b", "eeeee")
        play.pass(0.1)
        play.adopt()
        let report = play.health.report(at: play.now)
        #expect(report.members.map(\.probes.count) == [20, 20])
        #expect(
            report.members[0].ejection == nil && report.members[0].latestChange?.why.contains("first check") == true
        )
        #expect(report.members[1].ejection?.reason == .errors(5))
        #expect(report.members[1].latestChange?.change == .operational(from: .up, to: .ejected))
        #expect(!report.isPanic)
    }

    @Test func `what a backend asks for is a change, and a report can be about one backend`() throws {
        var play = try Play(2)
        play.probe()
        play.pass(5)
        play.probe(wish: ["b": BackendWish(state: .drain)])
        let report = play.health.report(of: "b", at: play.now)
        #expect(report.members.map(\.name) == ["b"])
        #expect(report.members[0].latestChange?.change == .wish(BackendWish(state: .drain)))
        #expect(report.members[0].state.requested == .drain && report.members[0].state.operational == .up)
        #expect(play.health.report(of: "c", at: play.now).members.isEmpty)
    }

    @Test func `checks that are switched on take nobody out before one has failed`() throws {
        var play = try Play(2, passive)
        #expect(play.states == "a up, b up")
        play.health.adopt(HealthRules(), at: play.now)
        play.takeOver()
        #expect(play.states == "a up, b up" && play.heard.isEmpty)
        play.probe(failing: ["b"])
        #expect(play.states == "a up, b down")
        play.health.adopt(passive, at: play.now)
        play.takeOver()
        #expect(play.states == "a up, b up")
    }
}
