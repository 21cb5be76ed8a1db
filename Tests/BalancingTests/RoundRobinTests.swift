// Round robin: exact sequences, with and without backends that were tried, from one thread and from several.

import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Balancing

@Suite("Round robin")
struct RoundRobinTests {
    struct Turns: Sendable, CustomTestStringConvertible {
        let weights: [Int]
        var tried: [String] = []
        let expected: String
        var testDescription: String { "\(weights) without \(tried)" }
    }

    @Test(arguments: [
        Turns(weights: [], expected: "- -"),
        Turns(weights: [1], expected: "a a a"),
        Turns(weights: [1, 1], expected: "a b a b a"),
        Turns(weights: [1, 1, 1], expected: "a b c a b c a"),
        Turns(weights: [1, 1, 1], tried: ["a"], expected: "b c b c"),
        Turns(weights: [1, 1, 1], tried: ["b"], expected: "a c a c"),
        Turns(weights: [1, 1, 1], tried: ["c"], expected: "a b a b"),
        Turns(weights: [1, 1, 1], tried: ["a", "c"], expected: "b b b"),
        Turns(weights: [1, 1, 1], tried: ["a", "b", "c"], expected: "- -"),
        Turns(weights: [5, 1, 1], expected: "a a b a c a a a a b a c a a"),
        Turns(weights: [50, 10, 10], expected: "a a b a c a a a a b a c a a"),
        Turns(weights: [5, 1, 1], tried: ["a"], expected: "b c b c"),
        Turns(weights: [5, 1, 1], tried: ["b"], expected: "a a a c a a a a a c"),
        Turns(weights: [2, 1], expected: "a b a a b a"),
        Turns(weights: [3, 2, 1], expected: "a b a c b a"),
        Turns(weights: [1, 0, 2], expected: "c a c c a c"),
    ])
    func `the next turn goes to the next backend in the order that was not tried`(_ turns: Turns) {
        let count = turns.expected.split(separator: " ").count
        #expect(Pool(weights: turns.weights).sequence(count, excluding: turns.tried) == turns.expected)
    }

    @Test(arguments: [Policy.roundRobin, .leastConnections, .hash(.clientAddress)])
    func `an attempt beside another takes no turn, and such attempts go round among themselves`(policy: Policy) {
        let pool = Pool(weights: [1, 1, 1], policy)
        var names: [String] = []
        var beside: [String] = []
        for _ in 0..<6 {
            names.append(pool.next() ?? "-")
            beside.append(pool.acquire(excluding: ["b"], isBeside: true)?.backend.name ?? "-")
        }
        #expect(names == ["a", "b", "c", "a", "b", "c"])
        #expect(Set(beside) == ["a", "c"] && beside.count { $0 == "a" } == 3)
    }

    @Test func `the turns of one that fails are spread evenly over the others`() {
        // Of four, the second fails every time and the request goes on to the next.
        let pool = Pool(weights: [1, 1, 1, 1])
        var served: [String] = []
        for _ in 0..<6 {
            var tried: [String] = []
            while let name = pool.next(excluding: tried) {
                tried.append(name)
                guard name == "b" else {
                    served.append(name)
                    break
                }
            }
        }
        #expect(served.joined(separator: " ") == "a c d a c d")
    }

    @Test func `the turns of a heavy one that is full are spread by weight`() {
        // It holds nearly all turns, so those of the others are found by another way.
        let pool = Pool([
            PoolEntry(name: "a", weight: 5000, maximumInFlight: 1), PoolEntry(name: "b", weight: 3),
            PoolEntry(name: "c", weight: 1),
        ])
        pool.load(["a": 1])
        let counts = pool.counts(4000)
        #expect(counts[0] == 0)
        #expect(abs(counts[1] - 3000) < 100)
        #expect(counts[1] + counts[2] == 4000)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `over a whole round each gets as many requests as its weight says`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<generator.number(in: 1...20)).map { _ in generator.number(in: 0...30) }
        let total = weights.reduce(0, +)
        #expect(Pool(weights: weights).counts(total) == weights)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 100])
    func `several threads share one cursor: counts differ by at most one`(count: Int) {
        let pool = Pool(weights: [Int](repeating: 1, count: count))
        let snapshot = pool.balancer.snapshot
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let balancer = Balancer(snapshot, seed: UInt64(thread))
            for _ in 0..<(1000 + thread) { _ = balancer.acquire(excluding: TriedBackends(), at: 0) }
        }
        let counts = pool.backends.map { Int($0.attempts.load(ordering: .relaxed)) }
        let total = 8 * 1000 + (0..<8).reduce(0, +)
        #expect(counts.reduce(0, +) == total)
        #expect(counts.allSatisfy { $0 == total / count || $0 == total / count + 1 })
    }

    @Test func `whatever other threads take, one that was not tried is found`() {
        let snapshot = Pool(weights: [5, 1, 1]).balancer.snapshot
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let balancer = Balancer(snapshot, seed: 1)
            let tried = TriedBackends.of(thread.isMultiple(of: 2) ? [0, 2] : [1])
            for _ in 0..<2000 {
                let index = balancer.acquire(excluding: tried, at: 0)?.backend.index
                if index.map(tried.contains) ?? true { wrong.wrappingAdd(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}

@Suite("Smooth schedule")
struct SmoothScheduleTests {
    /// nginx's algorithm as it stands, one pick at a time.
    private func reference(_ weights: [Int], _ count: Int) -> [UInt32] {
        var current = [Int](repeating: 0, count: weights.count)
        return (0..<count).map { _ in
            var best: Int?
            for index in weights.indices {
                current[index] += weights[index]
                if best.map({ current[index] > current[$0] }) ?? true { best = index }
            }
            current[best ?? 0] -= weights.reduce(0, +)
            return UInt32(best ?? 0)
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `a schedule is what nginx's algorithm does, and then begins again`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<generator.number(in: 1...12)).map { _ in generator.number(in: 1...40) }
        let schedule = SmoothSchedule.positions(weights)
        #expect(schedule + schedule == reference(weights, 2 * schedule.count))
    }

    @Test func `what weights have in common does not lengthen the schedule`() {
        #expect(SmoothSchedule.positions([65535, 65535, 65535]) == [0, 1, 2])
        #expect(SmoothSchedule.positions([500, 100, 100]) == [0, 0, 1, 0, 2, 0, 0])
        #expect(SmoothSchedule.positions([]).isEmpty)
    }

    @Test(arguments: [
        [65535, 1], [65535, 65534, 1], [65535] + [Int](repeating: 1, count: 999),
        (0..<1000).map { 65535 - $0 }, (0..<3).map { 65535 - $0 },
    ])
    func `a schedule is bounded, names everyone, and is off by one turn at most for each`(weights: [Int]) {
        let schedule = SmoothSchedule.positions(weights)
        #expect(schedule.count <= SmoothSchedule.maximumTurns + weights.count)
        var counts = [Int](repeating: 0, count: weights.count)
        for position in schedule { counts[Int(position)] += 1 }
        let total = Double(weights.reduce(0, +))
        for (count, weight) in zip(counts, weights) where weights.count < 10 {
            #expect(abs(Double(count) - Double(weight) / total * Double(schedule.count)) <= 1)
        }
        #expect(counts.allSatisfy { $0 > 0 })
    }
}
