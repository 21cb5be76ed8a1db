// Random two: what is drawn, how often, and which of two is taken.

import TestSupport
import Testing

@testable import Balancing

@Suite("Random two")
struct RandomTwoTests {
    @Test(arguments: SeededGenerator.seeds)
    func `of up to eight the least loaded is always taken`(seed: UInt64) {
        for count in 2...8 {
            let pool = Pool(weights: [Int](repeating: 1, count: count), .randomTwo, seed: seed)
            for backend in pool.backends { pool.load([backend.name: 2]) }
            let least = Pool.name(count / 2)
            pool.load([least: 1])
            #expect(pool.sequence(20).split(separator: " ").allSatisfy { $0 == least })
        }
    }

    @Test(arguments: SeededGenerator.seeds, [[1, 1, 1], [5, 1, 1], [1, 2, 3, 4], (0..<20).map { $0 % 4 + 1 }])
    func `with nothing in flight requests fall by weight`(seed: UInt64, weights: [Int]) {
        let counts = Pool(weights: weights, .randomTwo, seed: seed).counts(20000)
        #expect(isByWeight(counts, weights), "seed \(seed): \(counts) for \(weights)")
    }

    @Test(arguments: SeededGenerator.seeds)
    func `of many the most loaded is hardly ever taken`(seed: UInt64) {
        let pool = Pool(weights: [Int](repeating: 1, count: 100), .randomTwo, seed: seed)
        pool.load(["a": 1])
        // It would have to be drawn without another one.
        #expect(pool.counts(10000)[0] == 0)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `held requests are spread evenly: two choices are exponentially better than one`(seed: UInt64) {
        let count = 200
        let pool = Pool(weights: [Int](repeating: 1, count: count), .randomTwo, seed: seed)
        var loads = [Int](repeating: 0, count: count)
        for _ in 0..<(count * 50) {
            guard let index = pool.acquire()?.backend.index else { break }
            loads[index] += 1
            pool.load([Pool.name(index): loads[index]])
        }
        // One choice would leave about 50 + 3 · √50 at the fullest; two leave 50 + ln ln 200 / ln 2 or so.
        #expect((loads.max() ?? 0) <= 50 + 6, "seed \(seed)")
        #expect((loads.min() ?? 0) >= 50 - 10, "seed \(seed)")
    }

    @Test(arguments: SeededGenerator.seeds)
    func `with most of many full one that is not is found`(seed: UInt64) {
        let pool = Pool((0..<300).map { PoolEntry(name: Pool.name($0), maximumInFlight: 1) }, .randomTwo, seed: seed)
        for backend in pool.backends where backend.name != "q" { pool.load([backend.name: 1]) }
        #expect(pool.sequence(20).split(separator: " ").allSatisfy { $0 == "q" })
    }
}

@Suite("Alias table")
struct AliasTableTests {
    @Test(arguments: SeededGenerator.seeds)
    func `draws fall by weight`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<generator.number(in: 1...30)).map { _ in generator.number(in: 1...50) }
        let table = AliasTable(weights)
        var random = SplitMix(seed: seed)
        var counts = [Int](repeating: 0, count: weights.count)
        for _ in 0..<50000 { counts[table.draw(&random)] += 1 }
        #expect(isByWeight(counts, weights), "seed \(seed): \(counts) for \(weights)")
    }

    @Test func `a weight beside one 65535 times as large is drawn, too`() {
        let table = AliasTable([65535, 1])
        var random = SplitMix(seed: 1)
        var count = 0
        for _ in 0..<1_000_000 where table.draw(&random) == 1 { count += 1 }
        #expect((3...30).contains(count))
    }
}
