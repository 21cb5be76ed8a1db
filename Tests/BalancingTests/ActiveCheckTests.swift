// Active checks: rise, fall and the pauses between checks, as exact sequences.

import Testing

@testable import Balancing

@Suite("Active checks")
struct ActiveCheckTests {
    private let rules = CheckRules()

    /// What the verdict is after each result: `+` passed, `-` failed; `?` unchecked, `u` up, `d` down.
    private func verdicts(_ results: String, from check: inout ActiveCheck) -> String {
        var text = ""
        for result in results {
            let before = check.verdict
            let hasChanged = check.record(isPassed: result == "+", rules)
            #expect(hasChanged == (check.verdict != before))
            switch check.verdict {
            case .unchecked: text += "?"
            case .up: text += "u"
            case .down: text += "d"
            }
        }
        return text
    }

    @Test(arguments: [
        // One result suffices for a backend that was never checked.
        ("+", "u"), ("-", "d"),
        // Three failures in a row take it down, two successes in a row bring it back.
        ("+---", "uuud"), ("+--+--+---", "uuuuuuuuud"), ("-++", "ddu"), ("-+-+-++", "ddddddu"),
        ("+---+-++", "uuudddd" + "u"),
    ])
    func `verdicts follow rise and fall`(results: String, expected: String) {
        var check = ActiveCheck()
        #expect(verdicts(results, from: &check) == expected)
    }

    @Test func `another check begins anew: the old verdict stands until its first result, which decides`() {
        var check = ActiveCheck()
        #expect(verdicts("+--", from: &check) == "uuu")
        check.beginAnew()
        #expect(check.verdict == .up && check.contrary == 0)
        #expect(verdicts("-", from: &check) == "d")
        check.beginAnew()
        #expect(verdicts("+", from: &check) == "u")
        check.beginAnew()
        #expect(verdicts("+---", from: &check) == "uuud")
    }

    /// Pauses in milliseconds after each result, with the middle of what chance may do.
    private func pauses(_ results: String) -> [UInt64] {
        var check = ActiveCheck()
        return results.map { result in
            _ = check.record(isPassed: result == "+", rules)
            return check.pause(rules, chance: 0.5) / 1_000_000
        }
    }

    @Test func `checks are faster in doubt and slower when down`() {
        // The first pause is half of what it could be: chance spreads those that began together.
        #expect(pauses("++") == [1100, 2000])
        #expect(pauses("++--+") == [1100, 2000, 1000, 1000, 2000])
        #expect(pauses("+---") == [1100, 1000, 1000, 4000])
        #expect(pauses("--+-++") == [2200, 4000, 1000, 4000, 1000, 2000])
    }

    @Test func `pauses stray by a tenth, and the first one over the whole interval`() {
        var check = ActiveCheck()
        #expect(check.pause(rules, chance: 0) == 900_000_000)
        _ = check.record(isPassed: true, rules)
        #expect([0, 1].map { check.pause(rules, chance: $0) } == [200_000_000, 2_000_000_000])
        _ = check.record(isPassed: true, rules)
        #expect([0, 1].map { check.pause(rules, chance: $0) } == [1_800_000_000, 2_200_000_000])
    }
}

@Suite("Slow start")
struct SlowStartTests {
    private let second: UInt64 = 1_000_000_000

    @Test func `the share grows from a tenth in steps of five percent`() {
        let half = second / 2
        let percents = (0...21).map { SlowStart.percent(age: UInt64($0) * half, window: 10 * second) }
        #expect(percents == [10, 10, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 100])
    }

    @Test func `without a window there is no ramp`() {
        #expect(SlowStart.percent(age: 0, window: 0) == 100)
    }
}

@Suite("Ejections")
struct EjectionTests {
    private let second: UInt64 = 1_000_000_000
    private let rules = EjectionRules()

    @Test func `each lasts longer than the one before, up to a maximum, and serving well is forgiven`() throws {
        var ejection = Ejection()
        var lengths: [UInt64] = []
        var now: UInt64 = 0
        for _ in 0..<32 {
            ejection.begin(for: .errors(5), at: now, rules)
            let term = try #require(ejection.term)
            lengths.append((term.until - term.since) / second)
            #expect(!ejection.isOver(at: term.until - 1) && ejection.isOver(at: term.until))
            now = term.until
            ejection.end(at: now)
        }
        #expect(Array(lengths.prefix(4)) == [10, 20, 30, 40])
        #expect(Array(lengths.suffix(3)) == [300, 300, 300])

        ejection.forgive(at: now + 30 * second - 1, rules)
        #expect(ejection.count == 32)
        ejection.forgive(at: now + 30 * second, rules)
        #expect(ejection.count == 31)
        ejection.forgive(at: now + 10000 * second, rules)
        #expect(ejection.count == 0)
        ejection.begin(for: .failures(5), at: now, rules)
        #expect(ejection.term?.until == now + 10 * second)
    }

    @Test func `it is too long when the maximum has passed, whatever trials show`() {
        var ejection = Ejection()
        #expect(!ejection.isTooLong(at: .max, rules) && !ejection.isOver(at: .max))
        ejection.begin(for: .silent(requests: 5), at: second, rules)
        #expect(!ejection.isTooLong(at: 301 * second - 1, rules))
        #expect(ejection.isTooLong(at: 301 * second, rules))
    }
}
