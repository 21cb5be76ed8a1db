// Least connections: who has the least for its weight, and who comes next among equals.

import TestSupport
import Testing

@testable import Balancing

@Suite("Least connections")
struct LeastConnectionsTests {
    struct Loads: Sendable {
        let weights: [Int]
        let inFlight: [Int]
        var tried: [String] = []
        let chosen: String
    }

    @Test(arguments: [
        Loads(weights: [1, 1, 1], inFlight: [2, 1, 3], chosen: "b"),
        Loads(weights: [1, 1, 1], inFlight: [2, 1, 3], tried: ["b"], chosen: "a"),
        // 4/5 is less than 1/1, and 5/5 is not.
        Loads(weights: [5, 1], inFlight: [4, 1], chosen: "a"),
        Loads(weights: [5, 1], inFlight: [6, 1], chosen: "b"),
        Loads(weights: [3, 2], inFlight: [2, 1], chosen: "b"),
        Loads(weights: [65535, 65534], inFlight: [65534, 65534], chosen: "a"),
    ])
    func `the one with the fewest in flight for its weight`(_ loads: Loads) {
        let pool = Pool(weights: loads.weights, .leastConnections)
        for (backend, count) in zip(pool.backends, loads.inFlight) { pool.load([backend.name: count]) }
        #expect(pool.sequence(3, excluding: loads.tried).split(separator: " ").allSatisfy { $0 == loads.chosen })
    }

    @Test func `with nothing in flight it is round robin, by weight`() {
        #expect(Pool(weights: [1, 1, 1], .leastConnections).sequence(6) == "a b c a b c")
        #expect(Pool(weights: [5, 1, 1], .leastConnections).sequence(7) == "a a b a c a a")
    }

    @Test func `equals take turns, and who is not among them is passed over`() {
        let pool = Pool(weights: [1, 1, 1], .leastConnections)
        pool.load(["b": 1])
        #expect(pool.sequence(6) == "a c a c a c")
    }

    @Test(arguments: SeededGenerator.seeds)
    func `held requests are spread by weight: none could be moved to the better`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<generator.number(in: 2...10)).map { _ in generator.number(in: 1...20) }
        let pool = Pool(weights: weights, .leastConnections, seed: seed)
        var loads = [Int](repeating: 0, count: weights.count)
        for _ in 0..<500 {
            guard let index = pool.acquire()?.backend.index else { break }
            loads[index] += 1
            pool.load([Pool.name(index): loads[index]])
        }
        #expect(loads.reduce(0, +) == 500)
        for (load, weight) in zip(loads, weights) {
            for (other, otherWeight) in zip(loads, weights) {
                // When it got its last request, it had no more for its weight than any other.
                #expect((load - 1) * otherWeight <= other * weight, "seed \(seed): \(weights) \(loads)")
            }
        }
    }
}
