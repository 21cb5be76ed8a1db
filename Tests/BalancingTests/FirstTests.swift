// First: the list's order is an order of preference.

import Testing

@testable import Balancing

@Suite("First")
struct FirstTests {
    @Test func `the first that is neither tried nor full`() {
        let pool = Pool(
            [
                PoolEntry(name: "a", maximumInFlight: 2), PoolEntry(name: "b", weight: 9, maximumInFlight: 1),
                PoolEntry(name: "c"),
            ],
            .first
        )
        #expect(pool.sequence(3) == "a a a")
        #expect(pool.next(excluding: ["a"]) == "b")
        pool.load(["a": 2])
        #expect(pool.next() == "b")
        pool.load(["b": 1])
        #expect(pool.next() == "c")
        pool.load(["a": 1])
        #expect(pool.next() == "a")
    }
}
