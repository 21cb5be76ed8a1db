// The retry budget's arithmetic, and that it holds under contention.

import Dispatch
import Synchronization
import Testing

@testable import Balancing

@Suite("Retry budget")
struct RetryBudgetTests {
    @Test(arguments: [
        (20, 0, 3), (20, 14, 3), (20, 15, 3), (20, 19, 3), (20, 20, 4), (20, 64, 12), (20, 1000, 200), (0, 1000, 3),
        (1, 399, 3), (1, 400, 4), (100, 2, 3), (100, 50, 50),
    ])
    func `it is a share of what is active, and three at least`(percent: Int, active: Int, limit: Int) {
        #expect(RetryBudget.limit(percent: percent, active: active) == limit)
        let budget = RetryBudget(percent: percent)
        for taken in 0..<limit {
            #expect(budget.inProgress == taken)
            #expect(budget.take { active })
        }
        #expect(!budget.take { active })
        #expect(budget.inProgress == limit)
        budget.giveBack()
        #expect(budget.take { active })
    }

    @Test(arguments: [
        (20, 32, 3, 25), (20, 300, 3, 143), (20, 4, 3, 4), (20, 2, 3, 3), (20, 1000, 10, 200), (20, 1000, 5, 259),
        (0, 1000, 3, 3), (100, 50, 2, 50), (20, 100, 1, 100), (20, 100, 0, 20),
    ])
    func `what the death of one backend breaks off has room`(percent: Int, active: Int, backends: Int, limit: Int) {
        #expect(RetryBudget.limit(percent: percent, active: active, backends: backends) == limit)
        let budget = RetryBudget(percent: percent)
        for _ in 0..<limit { #expect(budget.take(backends: backends) { active }) }
        #expect(!budget.take(backends: backends) { active })
        // Where nothing has broken off it is the percentage that counts.
        let other = RetryBudget.limit(percent: percent, active: active)
        #expect(other <= limit)
        for _ in 0..<(limit - other) { budget.giveBack() }
        #expect(!budget.take { active })
    }

    @Test func `what is active is not counted while the few that are always allowed suffice`() {
        let budget = RetryBudget(percent: 20)
        var isAsked = false
        for _ in 0..<RetryBudget.minimum {
            #expect(
                budget.take {
                    isAsked = true
                    return 0
                }
            )
        }
        #expect(!isAsked)
    }

    @Test func `it shrinks with what is active, and grows again`() {
        let budget = RetryBudget(percent: 20)
        for _ in 0..<10 { #expect(budget.take { 50 }) }
        #expect(!budget.take { 49 })
        for _ in 0..<3 { budget.giveBack() }
        #expect(!budget.take { 35 })
        #expect(budget.take { 40 })
    }

    @Test func `many threads never take more than there are, and all come back`() {
        let budget = RetryBudget(percent: 20)
        let highest = Atomic<Int>(0)
        let holders = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20_000 {
                guard budget.take(active: { 25 }) else { continue }
                highest.max(holders.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
                holders.wrappingSubtract(1, ordering: .relaxed)
                budget.giveBack()
            }
        }
        #expect((1...5).contains(highest.load(ordering: .relaxed)))
        #expect(budget.inProgress == 0)
    }

    @Test func `another share holds at once, and what is under way counts on`() {
        let budget = RetryBudget(percent: 0)
        for _ in 0..<RetryBudget.minimum { #expect(budget.take { 100 }) }
        #expect(!budget.take { 100 })
        budget.change(percent: 10)
        for _ in RetryBudget.minimum..<10 { #expect(budget.take { 100 }) }
        #expect(!budget.take { 100 })
        #expect(budget.inProgress == 10)
    }
}
