// Explanations: that they say what the choice was made by, and stay within their length.

import Synchronization
import Testing

@testable import Balancing

@Suite("Explanations")
struct ExplanationTests {
    @Test func `a choice by weights, letter by letter`() {
        #expect(
            Pool(weights: [5, 1]).explained().text(limit: 1024) == """
                policy="round_robin", rule=round_robin, chosen="a", \
                candidates=("a";chosen;weight=5;in_flight=0 "b";weight=1;in_flight=0)
                """
        )
    }

    @Test func `a bound client, and the backend that it is bound to`() throws {
        var pool = Pool(weights: [1, 1])
        try pool.change { try $0.set(.drain, for: "b") }
        #expect(
            pool.explained(pin: "b").text(limit: 1024) == """
                policy="round_robin", rule=pinned, chosen="b", \
                candidates=("b";chosen;pinned;weight=1;in_flight=0 "a";weight=1;in_flight=0)
                """
        )
        // Tried: the policy chooses, and the pin is still to be seen.
        #expect(
            pool.explained(excluding: ["b"], pin: "b").text(limit: 1024) == """
                policy="round_robin", rule=round_robin, chosen="a", \
                candidates=("a";chosen;weight=1;in_flight=0 "b";pinned;weight=1;in_flight=0;skipped=drain)
                """
        )
    }

    @Test func `each reason to pass a backend over has its word`() throws {
        var pool = Pool([
            PoolEntry(name: "tried"), PoolEntry(name: "full", maximumInFlight: 2), PoolEntry(name: "drained"),
            PoolEntry(name: "down"), PoolEntry(name: "maintained"), PoolEntry(name: "weightless", weight: 0),
            PoolEntry(name: "spare", isBackup: true), PoolEntry(name: "good"),
        ])
        try pool.change {
            try $0.set(.drain, for: "drained")
            try $0.set(.down, for: "down")
            try $0.set(.maintenance, for: "maintained")
        }
        pool.load(["full": 2])
        let explanation = pool.explained(excluding: ["tried"])
        #expect(explanation.chosen == "good")
        #expect(
            explanation.candidates.map(\.obstacle) == [
                .tried, .full, .drain, .down, .maintenance, .noWeight, .backup, nil,
            ]
        )
        #expect(explanation.text(limit: 1024).contains(#""full";weight=1;in_flight=2;max_conns=2;skipped=full"#))
        #expect(explanation.text(limit: 1024).contains(#""spare";weight=1;in_flight=0;tier=backup;skipped=backup"#))
        // Without an ordinary one the backup is not passed over.
        let last = pool.explained(excluding: ["tried", "good"])
        #expect(last.chosen == "spare")
        #expect(last.candidates[6].obstacle == nil)
    }

    @Test func `when nobody is left, that is said`() {
        let pool = Pool(weights: [1])
        let text = pool.explained(excluding: ["a"]).text(limit: 1024)
        #expect(text == #"policy="round_robin", rule=none, candidates=("a";weight=1;in_flight=0;skipped=tried)"#)
    }

    @Test func `the numbers are those that the policies compare`() {
        let loads = ["a": 3, "b": 1]
        let least = Pool(weights: [2, 1], .leastConnections)
        least.load(loads)
        #expect(least.explained().candidates.map(\.rating) == [.cost(1.5), .cost(1)])
        #expect(least.explained().chosen == "b")
        #expect(least.explained().text(limit: 1024).contains(#""a";weight=2;in_flight=3;cost=1.500"#))

        let two = Pool(weights: [2, 1], .randomTwo)
        two.load(loads)
        #expect(two.explained().candidates.map(\.rating) == [.cost(1.5), .cost(1)])

        let peak = Pool(weights: [2, 1], .peakEWMA)
        peak.backend("a").latency.observe(8_000_000, at: 0)
        peak.backend("b").latency.observe(5_000_000, at: 0)
        // Milliseconds times one more than in flight, by weight.
        #expect(peak.explained().candidates.map(\.rating) == [.cost(4), .cost(5)])
        #expect(peak.explained().chosen == "a")
    }

    @Test func `of a key's homes the chosen one has the best score`() {
        let pool = Pool(weights: [1, 2, 3, 4], .hash(.cookie("sid")))
        for key in (0..<50).map({ KeyHash.mixed($0) }) {
            let explanation = pool.explained(key: key)
            let scores = explanation.candidates.map { candidate -> Double in
                if case .score(let score) = candidate.rating { score } else { -1 }
            }
            let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
            #expect(explanation.chosen == Pool.name(best))
            #expect(explanation.rule == "hash")
        }
        let unkeyed = pool.explained()
        #expect(unkeyed.policy == "hash:cookie:sid" && unkeyed.rule == "round_robin")
        #expect(unkeyed.candidates.allSatisfy { $0.rating == nil })
    }

    @Test func `a backend beyond its bound is said to be`() {
        let pool = Pool(weights: [1, 1], .hash(.uri))
        let home = pool.next(key: 7) ?? ""
        pool.load([home: 8])
        let explanation = pool.explained(key: 7)
        #expect(explanation.chosen != home)
        #expect(explanation.candidates.first { $0.name == home }?.obstacle == .bound)
    }

    @Test func `of many, those that are no candidates of the key are said to be distant`() {
        let pool = Pool(weights: [Int](repeating: 1, count: 300), .hash(.uri))
        let explanation = pool.explained(key: KeyHash.mixed(7))
        let distant = explanation.candidates.filter { $0.obstacle == .distant }
        #expect(distant.count == 44 && distant.allSatisfy { $0.rating == nil })
        #expect(explanation.candidates.count { $0.rating != nil } == 256)
        #expect(!distant.contains { $0.name == explanation.chosen })
    }

    @Test(arguments: [512, 600, 1024, 2048])
    func `however many backends there are, the text fits, the chosen one is in it, and the rest is counted`(limit: Int)
    {
        let names = (0..<200).map { "backend-with-a-rather-long-name-\($0).example.internal:8080" }
        let pool = Pool(names.map { PoolEntry(name: $0, weight: 65535, maximumInFlight: 1_000_000) }, .randomTwo)
        let explanation = pool.explained()
        let text = explanation.text(limit: limit)
        #expect(text.utf8.count <= limit)
        #expect(text.contains("(\"\(explanation.chosen ?? "")\";chosen;"))
        let shown = text.matches(of: /;weight=/).count
        #expect(shown >= 1 && text.hasSuffix("), omitted=\(200 - shown)"))
    }

    @Test func `a name cannot break out of its quotes`() {
        let pool = Pool([PoolEntry(name: "a\"\\\r\n\u{E9}")])
        #expect(pool.explained().text(limit: 1024).contains(#"chosen="a?????"#))
    }
}
