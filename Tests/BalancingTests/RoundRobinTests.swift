// Round robin: exact sequences, with and without backends that were tried, from one thread and from several.

import Balancing
import Dispatch
import Synchronization
import Testing

extension TriedBackends {
    static func of(_ indices: [Int]) -> TriedBackends {
        var tried = TriedBackends()
        for index in indices { tried.insert(index) }
        return tried
    }
}

@Suite("Round robin")
struct RoundRobinTests {
    private let balancer = RoundRobin()

    struct Turns: Sendable, CustomTestStringConvertible {
        let label: String
        let count: Int
        var tried: [Int] = []
        let expected: [Int?]
        var testDescription: String { label }
    }

    @Test(arguments: [
        Turns(label: "none", count: 0, expected: [nil, nil]),
        Turns(label: "one", count: 1, expected: [0, 0, 0]),
        Turns(label: "two", count: 2, expected: [0, 1, 0, 1, 0]),
        Turns(label: "three", count: 3, expected: [0, 1, 2, 0, 1, 2, 0]),
        Turns(label: "three, the first tried", count: 3, tried: [0], expected: [1, 2, 1, 2]),
        Turns(label: "three, the middle one tried", count: 3, tried: [1], expected: [0, 2, 0, 2]),
        Turns(label: "three, the last tried", count: 3, tried: [2], expected: [0, 1, 0, 1]),
        Turns(label: "three, two tried", count: 3, tried: [0, 2], expected: [1, 1, 1]),
        Turns(label: "three, all tried", count: 3, tried: [0, 1, 2], expected: [nil, nil]),
        Turns(label: "tried ones that are gone from the list", count: 2, tried: [5, 70], expected: [0, 1, 0]),
    ])
    func `the next turn goes to the next backend that was not tried`(_ turns: Turns) {
        let tried = TriedBackends.of(turns.tried)
        let sequence = turns.expected.map { _ in balancer.next(of: turns.count, excluding: tried) }
        #expect(sequence == turns.expected)
    }

    @Test func `the turns of one that fails are spread evenly over the others`() {
        // Of four, the second fails every time and the request goes on to the next.
        var served: [Int] = []
        for _ in 0..<6 {
            var tried = TriedBackends()
            while let index = balancer.next(of: 4, excluding: tried) {
                tried.insert(index)
                guard index == 1 else {
                    served.append(index)
                    break
                }
            }
        }
        #expect(served == [0, 2, 3, 0, 2, 3])
    }

    @Test(arguments: [1, 2, 3, 7, 64, 100])
    func `several threads share one cursor: counts differ by at most one`(count: Int) {
        let chosen = Mutex([Int](repeating: 0, count: count))
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var own = [Int](repeating: 0, count: count)
            for _ in 0..<(1000 + thread) {
                guard let index = balancer.next(of: count, excluding: TriedBackends()) else { continue }
                own[index] += 1
            }
            chosen.withLock { all in
                for index in all.indices { all[index] += own[index] }
            }
        }
        let counts = chosen.withLock { $0 }
        let total = 8 * 1000 + (0..<8).reduce(0, +)
        #expect(counts.reduce(0, +) == total)
        #expect(counts.allSatisfy { $0 == total / count || $0 == total / count + 1 })
    }

    @Test func `whatever other threads take, one that was not tried is found`() {
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let tried = TriedBackends.of(thread.isMultiple(of: 2) ? [0, 2] : [1])
            for _ in 0..<2000 {
                let index = balancer.next(of: 3, excluding: tried)
                if index.map(tried.contains) ?? true { wrong.wrappingAdd(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}
