// Leases: each choice of a backend is accounted for exactly once, however its attempt ends.

import Balancing
import Dispatch
import Synchronization
import Testing

extension Backend {
    /// In flight, attempts, failures.
    fileprivate var account: [Int] {
        [
            inFlight.load(ordering: .relaxed), Int(attempts.load(ordering: .relaxed)),
            Int(failures.load(ordering: .relaxed)),
        ]
    }
}

@Suite("Backend pool")
struct BackendPoolTests {
    private let pool = BackendPool(names: ["a", "b", "c"])

    /// The next turn; `#require` takes no lease, since one cannot be copied.
    private func acquire() -> BackendLease {
        guard let lease = pool.acquire(excluding: TriedBackends()) else { preconditionFailure("nothing was tried") }
        return lease
    }

    @Test func `backends stand in the order of their names`() {
        #expect(pool.backends.map(\.name) == ["a", "b", "c"])
        #expect(pool.backends.map(\.index) == [0, 1, 2])
    }

    @Test func `requests go to the backends in turn`() {
        let names = (0..<7).map { _ in acquire().backend.name }
        #expect(names == ["a", "b", "c", "a", "b", "c", "a"])
    }

    @Test func `an exchange that tries on gets each backend once, then none`() {
        var tried = TriedBackends()
        var names: [String] = []
        while let lease = pool.acquire(excluding: tried) {
            names.append(lease.backend.name)
            tried.insert(lease.backend.index)
        }
        #expect(names == ["a", "b", "c"])
    }

    @Test func `an empty pool has no backend to give`() {
        let isGiven = BackendPool(names: []).acquire(excluding: TriedBackends()) != nil
        #expect(!isGiven)
    }

    @Test(arguments: [(.answered, 0), (.failed, 1), (.abandoned, 0)] as [(AttemptOutcome, Int)])
    func `an attempt is in flight until its lease ends, and fails only if it is said to`(
        outcome: AttemptOutcome,
        failures: Int
    ) {
        let backend = pool.backends[0]
        let lease = acquire()
        #expect(backend.account == [1, 1, 0])
        lease.end(outcome)
        #expect(backend.account == [0, 1, failures])
    }

    @Test func `a lease that is dropped counts as abandoned`() {
        _ = acquire()
        #expect(pool.backends[0].account == [0, 1, 0])
    }

    @Test func `a further attempt at a given backend is an attempt of its own and takes nobody's turn`() {
        let first = acquire()
        let backend = first.backend
        first.end(.abandoned)
        let second = pool.acquireAgain(backend)
        #expect(second.backend === backend)
        #expect(backend.account == [1, 2, 0])
        second.end(.failed)
        #expect(backend.account == [0, 2, 1])
        let next = acquire().backend.name
        #expect(next == "b")
    }

    @Test func `accounts from several threads add up`() {
        DispatchQueue.concurrentPerform(iterations: 6) { thread in
            for _ in 0..<500 {
                guard let lease = pool.acquire(excluding: TriedBackends()) else { continue }
                lease.end(thread.isMultiple(of: 2) ? .failed : .answered)
            }
        }
        #expect(pool.backends.map { $0.account[0] } == [0, 0, 0])
        #expect(pool.backends.map { $0.account[1] } == [1000, 1000, 1000])
        #expect(pool.backends.map { $0.account[2] }.reduce(0, +) == 1500)
    }
}
