// What the answer to a health check means, and what is said of the changes that it brings.

import Logging
import Testing
import Upstream

@testable import Balancing
@testable import Forwarding

@Suite("Check expectation")
struct CheckExpectationTests {
    private func outcome(
        _ status: Int,
        by expectation: CheckExpectation = CheckExpectation(),
        fields: [(name: String, value: String)] = [],
        body: String = "",
        isPathConfigured: Bool = true
    ) -> ProbeOutcome {
        let order = ProbeOrder(
            backend: Backend(index: 0, name: "a"),
            purpose: .check,
            path: "/",
            isPathConfigured: isPathConfigured,
            timeout: 1,
            begun: 0,
            generation: 0
        )
        var answer = ProbeAnswer(status: status)
        answer.fields = fields
        answer.body = Array(body.utf8)
        return expectation.outcome(of: .answered(answer), order, after: 7)
    }

    @Test(arguments: [
        (200, true, "status 200"), (399, true, "status 399"), (404, false, "status 404, expected 200 to 399"),
        (503, false, "status 503, expected 200 to 399"),
    ])
    func `by default 200 to 399 pass`(status: Int, isPassed: Bool, text: String) {
        let outcome = outcome(status)
        #expect(outcome.isPassed == isPassed && outcome.text == text)
        #expect(outcome.status == status && outcome.nanoseconds == 7)
        #expect(outcome.wish == (isPassed ? BackendWish() : nil))
    }

    @Test func `what is expected can be said`() {
        let expectation = CheckExpectation(statuses: [204...204, 300...302], body: "all well")
        #expect(outcome(204, by: expectation, body: "is all well here").isPassed)
        #expect(outcome(204, by: expectation, body: "not so").text == "status 204, the body is not as expected")
        #expect(outcome(200, by: expectation, body: "all well").text == "status 200, expected 204, 300 to 302")
    }

    @Test func `where no path was configured every answer below 500 will do, and asks for nothing`() {
        for status in [200, 301, 401, 404] {
            #expect(outcome(status, isPathConfigured: false).isPassed)
            #expect(outcome(status, fields: [("x-lb-state", "drain")], isPathConfigured: false).wish == nil)
        }
        #expect(outcome(500, isPathConfigured: false).text == "status 500, expected one below 500")
    }

    @Test(
        arguments: [
            ("drain", nil, BackendWish(state: .drain)), ("MAINT", nil, BackendWish(state: .maintenance)),
            ("ready", "50", BackendWish(weightPercent: 50)), (nil, "25%", BackendWish(weightPercent: 25)),
            (nil, "0", BackendWish(weightPercent: 0)), ("drain", "100", BackendWish(state: .drain)),
            ("draining", nil, BackendWish()), (nil, "101", BackendWish()), (nil, "-1", BackendWish()),
            (nil, "half", BackendWish()), (nil, "", BackendWish()),
        ] as [(String?, String?, BackendWish)]
    )
    func `an answer's fields say what the backend asks for`(state: String?, weight: String?, wish: BackendWish) {
        var fields: [(name: String, value: String)] = []
        if let state { fields.append(("x-lb-state", state)) }
        if let weight { fields.append(("x-lb-weight", weight)) }
        #expect(outcome(200, fields: fields).wish == wish)
        var answer = ProbeAnswer(status: 200)
        answer.fields = fields
        let isUnderstood = CheckExpectation.misunderstood(in: answer).isEmpty
        let asksForNothing = wish == BackendWish() && state != "ready"
        #expect(isUnderstood != asksForNothing)
        // Not with an error page.
        #expect(outcome(500, fields: fields).wish == nil)
    }

    @Test func `a 404 asks for a drain where that is switched on`() {
        let expectation = CheckExpectation(drainsOnNotFound: true)
        #expect(outcome(404, by: expectation).wish == BackendWish(state: .drain))
        #expect(outcome(404, by: expectation).isPassed)
        #expect(outcome(200, by: expectation).wish == BackendWish())
    }
}

@Suite("Health lines")
struct HealthLineTests {
    @Test func `a change is one line, and its severity says whether somebody should look`() {
        let line = { (from: OperationalState, to: OperationalState) in
            HealthLine(HealthEvent(time: 0, backend: "a", change: .operational(from: from, to: to), why: "so"))
        }
        #expect(line(.up, .down) == HealthLine(level: .warning, backend: "a", text: "is down, was up: so"))
        #expect(line(.unchecked, .down).level == .warning)
        #expect(line(.up, .ejected) == HealthLine(level: .warning, backend: "a", text: "is ejected, was up: so"))
        #expect(line(.down, .up) == HealthLine(level: .notice, backend: "a", text: "is up, was down: so"))
        #expect(line(.unchecked, .up).level == .info)

        let wish = { (wish: BackendWish) in
            HealthLine(HealthEvent(time: 0, backend: "a", change: .wish(wish), why: "status 200")).text
        }
        #expect(wish(BackendWish(state: .drain)) == "backend a asks to be drained: status 200")
        #expect(wish(BackendWish(weightPercent: 5)) == "backend a asks to be used at 5 % of its weight: status 200")
        #expect(wish(BackendWish()) == "backend a asks to be used: status 200")
    }

    @Test func `that nobody is usable is said once when it begins and once when it ends`() throws {
        var roster = PoolRoster(policy: .roundRobin, failsOpen: true)
        try roster.add(PoolEntry(name: "a"))
        try roster.add(PoolEntry(name: "b"))
        var situation = PoolSituation()
        #expect(situation.begin(roster.makeSnapshot())?.text == "2 of 2 backends are usable")
        #expect(situation.follow(roster.makeSnapshot()) == nil)
        try roster.set(.down, for: "a")
        #expect(situation.follow(roster.makeSnapshot()) == nil)
        try roster.set(.down, for: "b")
        let panic = situation.follow(roster.makeSnapshot())
        #expect(panic?.level == .warning)
        #expect(panic?.text == "panic: no backend is usable, so requests go to all that are ready, 2 in number")
        #expect(situation.follow(roster.makeSnapshot()) == nil)
        try roster.set(.drain, for: "a")
        try roster.set(.maintenance, for: "b")
        #expect(situation.follow(roster.makeSnapshot())?.text == "no backend is usable: requests are answered with 503")
        try roster.set(.ready, for: "b")
        #expect(situation.follow(roster.makeSnapshot())?.text == "backends are usable again, 1 of 2")
    }
}
