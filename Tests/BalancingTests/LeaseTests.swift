// Leases: each choice of a backend is accounted for exactly once, however its attempt ends.

import Dispatch
import Synchronization
import Testing

@testable import Balancing

extension Backend {
    /// In flight, attempts, failures.
    fileprivate var account: [Int] {
        [
            inFlight.load(ordering: .relaxed), Int(attempts.load(ordering: .relaxed)),
            Int(failures.load(ordering: .relaxed)),
        ]
    }
}

@Suite("Leases")
struct LeaseTests {
    private let pool = Pool(weights: [1, 1, 1])

    private func acquire() -> BackendLease {
        guard let lease = pool.acquire() else { preconditionFailure("nothing was tried") }
        return lease
    }

    @Test(arguments: [(.answered, 0), (.failed, 1), (.abandoned, 0)] as [(AttemptOutcome, Int)])
    func `an attempt is in flight until its lease ends, and fails only if it is said to`(
        outcome: AttemptOutcome,
        failures: Int
    ) {
        let backend = pool.backends[0]
        let lease = acquire()
        #expect(backend.account == [1, 1, 0])
        lease.end(outcome, at: 1)
        #expect(backend.account == [0, 1, failures])
    }

    @Test func `a lease that is dropped counts as abandoned`() {
        _ = acquire()
        #expect(pool.backends[0].account == [0, 1, 0])
    }

    @Test
    func `a further attempt at the same backend is an attempt of its own, keeps its place and takes nobody's turn`() {
        let backend = pool.backends[0]
        let second = acquire().again()
        #expect(second.backend === backend)
        #expect(backend.account == [1, 2, 0])
        second.end(.failed, at: 1)
        #expect(backend.account == [0, 2, 1])
        #expect(pool.next() == "b")
    }

    /// Answers, errors among them, attempts without an answer, and what the answers took.
    private func answers(of backend: Backend) -> [UInt64] {
        let count = TrafficCount(of: backend)
        return [count.answers, count.errors, count.unanswered, count.answerTime]
    }

    @Test func `what an attempt showed is counted once, whatever policy there is`() {
        let backend = Backend(index: 0, name: "a")
        func lease() -> BackendLease { BackendLease(of: backend, at: 0, isMeasured: false) }
        var first = lease()
        first.requestSent(at: 10)
        first.headReceived(status: 200, at: 15)
        first.headReceived(status: 500, at: 99)
        first.end(.answered, at: 20)
        #expect(answers(of: backend) == [1, 0, 0, 5])
        // Before the request's end: no time.
        var early = lease()
        early.headReceived(status: 503, at: 50)
        early.end(.abandoned, at: 60)
        #expect(answers(of: backend) == [2, 1, 0, 5])
        var unanswered = lease()
        unanswered.requestSent(at: 10)
        unanswered.end(.failed, at: 11)
        #expect(answers(of: backend) == [2, 1, 1, 5])
        // A stale connection's attempt had no answer; the one after it has.
        var stale = lease()
        stale.requestSent(at: 90)
        var second = stale.again()
        second.requestSent(at: 100)
        second.headReceived(status: 200, at: 107)
        second.end(.answered, at: 110)
        #expect(answers(of: backend) == [3, 1, 2, 12])
        // What was never made has nothing to be counted.
        lease().cancel()
        #expect(answers(of: backend) == [3, 1, 2, 12])
        #expect(TrafficCount(of: backend).sent == 5)
        #expect(backend.attempts.load(ordering: .relaxed) == 5)
    }

    @Test func `only whole requests wait`() {
        let backend = Backend(index: 0, name: "a")
        func waiting() -> UInt64 { TrafficCount(of: backend).awaiting }
        func lease() -> BackendLease { BackendLease(of: backend, at: 0, isMeasured: false) }
        var whole = lease()
        let slow = lease()
        let stale = lease()
        #expect(waiting() == 0)
        whole.requestSent(at: 10)
        #expect(waiting() == 1)
        whole.requestSent(at: 11)
        #expect(waiting() == 1)
        slow.end(.abandoned, at: 20)
        var again = stale.again()
        #expect(waiting() == 1)
        again.requestSent(at: 30)
        #expect(waiting() == 2)
        again = again.again()
        #expect(waiting() == 1)
        // Answered first, and sent to its end then.
        again.headReceived(status: 200, at: 40)
        again.requestSent(at: 50)
        #expect(waiting() == 1)
        again.end(.answered, at: 60)
        whole.end(.abandoned, at: 60)
        #expect(waiting() == 0)
        #expect(answers(of: backend) == [1, 0, 2, 0])
    }

    @Test func `accounts from several threads add up`() {
        let snapshot = pool.balancer.snapshot
        DispatchQueue.concurrentPerform(iterations: 6) { thread in
            let balancer = Balancer(snapshot, seed: UInt64(thread))
            for _ in 0..<500 {
                guard let lease = balancer.acquire(excluding: TriedBackends(), at: 0) else { continue }
                lease.end(thread.isMultiple(of: 2) ? .failed : .answered, at: 0)
            }
        }
        #expect(pool.backends.map { $0.account[0] } == [0, 0, 0])
        #expect(pool.backends.map { $0.account[1] } == [1000, 1000, 1000])
        #expect(pool.backends.map { $0.account[2] }.reduce(0, +) == 1500)
    }
}
