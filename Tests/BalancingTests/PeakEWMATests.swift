// Peak EWMA: the estimate of a latency, and who is expected to answer sooner.

import Foundation
import TestSupport
import Testing

@testable import Balancing

private let millisecond: UInt64 = 1_000_000
private let second: UInt64 = 1_000_000_000

@Suite("Latency estimate")
struct LatencyEstimateTests {
    private let backend = Backend(index: 0, name: "a")
    private let start = 1000 * second

    /// The estimate in milliseconds.
    private func value(at now: UInt64) -> Double? { backend.latency.value(at: now).map { $0 / Double(millisecond) } }

    private func isNear(_ value: Double?, _ expected: Double) -> Bool {
        guard let value else { return false }
        return abs(value - expected) <= expected * 0.001
    }

    @Test func `without a sample there is none`() {
        #expect(value(at: start) == nil)
    }

    @Test func `a slower sample counts at once`() {
        backend.latency.observe(10 * millisecond, at: start)
        #expect(isNear(value(at: start), 10))
        backend.latency.observe(200 * millisecond, at: start)
        #expect(isNear(value(at: start), 200))
    }

    @Test func `a faster sample counts by the time that has passed`() {
        backend.latency.observe(100 * millisecond, at: start)
        backend.latency.observe(20 * millisecond, at: start)
        #expect(isNear(value(at: start), 100))
        // After ten seconds 1/e of the old one is left.
        let later = start + 10 * second
        backend.latency.observe(20 * millisecond, at: later)
        #expect(isNear(value(at: later), 100 * exp(-1) + 20 * (1 - exp(-1))))
    }

    @Test func `without samples it fades`() {
        backend.latency.observe(100 * millisecond, at: start)
        #expect(isNear(value(at: start + 5 * second), 100 * exp(-0.5)))
        #expect(isNear(value(at: start + 60 * second), 100 * exp(-6)))
        // After a minute it is forgotten, also when the ticks have begun anew.
        for seconds in [70, 100_000, 2_250_000, 2_300_000, 4_400_000] as [UInt64] {
            #expect(value(at: start + seconds * second) == nil, "after \(seconds) s")
        }
    }

    @Test func `what had begun before the last failure does not double it`() {
        // A restart, with fifty requests in flight.
        backend.latency.observe(10 * millisecond, at: start)
        for number in 0..<50 as Range<UInt64> {
            backend.latency.observeFailure(after: (30 - number % 5) * millisecond, at: start + 100 * millisecond)
        }
        #expect(isNear(value(at: start + 100 * millisecond), 1000))
        // One that began after that has found it failing still.
        backend.latency.observeFailure(after: 10 * millisecond, at: start + 120 * millisecond)
        #expect(isNear(value(at: start + 120 * millisecond), 2 * 1000 * exp(-0.002)))
    }

    @Test func `a clock that is behind changes nothing`() {
        backend.latency.observe(100 * millisecond, at: start)
        #expect(isNear(value(at: start - 3 * second), 100))
        backend.latency.observe(10 * millisecond, at: start - 3 * second)
        #expect(isNear(value(at: start), 100))
    }

    @Test func `a failure counts as a second, as twice what was known, or as what it took, and as a minute at most`() {
        backend.latency.observeFailure(after: 1, at: start)
        #expect(isNear(value(at: start), 1000))
        backend.latency.observeFailure(after: 1, at: start)
        #expect(isNear(value(at: start), 2000))
        backend.latency.observeFailure(after: 30 * second, at: start)
        #expect(isNear(value(at: start), 30000))
        for _ in 0..<3 { backend.latency.observeFailure(after: 1, at: start) }
        #expect(isNear(value(at: start), 60000))
    }
}

@Suite("Elementary functions")
struct ElementaryFunctionTests {
    @Test(arguments: SeededGenerator.seeds)
    func `they are what the mathematical library says`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            let fraction = (Double(generator.next() >> 12) + 0.5) * 0x1p-52
            let number = Double.random(in: 0..<700, using: &generator)
            #expect(abs(logarithm(fraction) - log(fraction)) <= 1e-12 * max(abs(log(fraction)), 1e-3))
            #expect(abs(decay(number) - exp(-number)) <= 1e-12 * exp(-number) + 1e-299)
        }
        #expect(logarithm(1) == 0)
        #expect(decay(0) == 1)
    }
}

@Suite("Peak EWMA")
struct PeakEWMATests {
    /// Answers each in its time: one lease, its head after that many milliseconds.
    private func teach(_ pool: Pool, _ latencies: [String: UInt64], at now: UInt64) {
        for (name, latency) in latencies { pool.backend(name).latency.observe(latency * millisecond, at: now) }
    }

    @Test func `each newcomer gets one request before any gets a second`() {
        let pool = Pool(weights: [1, 1, 1], .peakEWMA)
        guard let first = pool.acquire(), let second = pool.acquire(), let third = pool.acquire() else {
            Issue.record("none was tried")
            return
        }
        let names = Set([first.backend.name, second.backend.name, third.backend.name])
        #expect(names == ["a", "b", "c"])
    }

    @Test func `a newcomer that has not answered yet gets no more while others answer`() {
        let pool = Pool(weights: [1, 1], .peakEWMA)
        teach(pool, ["a": 500], at: 0)
        pool.load(["a": 3, "b": 1])
        #expect(pool.sequence(3) == "a a a")
    }

    @Test func `the one that answers sooner is chosen, until it has its share in flight`() {
        let pool = Pool(weights: [1, 1], .peakEWMA)
        teach(pool, ["a": 10, "b": 35], at: 0)
        var sequence: [String] = []
        for _ in 0..<5 {
            guard let name = pool.next() else { break }
            sequence.append(name)
            pool.load([name: sequence.count { $0 == name }])
        }
        // Costs of a: 10, 20, 30, 40; of b: 35, 70.
        #expect(sequence == ["a", "a", "a", "b", "a"])
    }

    @Test func `twice the weight makes up for twice the latency`() {
        let pool = Pool(weights: [1, 2], .peakEWMA)
        teach(pool, ["a": 10, "b": 19], at: 0)
        #expect(pool.sequence(3) == "b b b")
        teach(pool, ["b": 21], at: 0)
        #expect(pool.sequence(3) == "a a a")
    }

    @Test func `one that fails at once does not look like the best`() {
        let pool = Pool(weights: [1, 1], .peakEWMA)
        teach(pool, ["a": 200, "b": 1], at: 0)
        guard let lease = pool.acquire(at: 0), lease.backend.name == "b" else {
            Issue.record("b answers sooner")
            return
        }
        lease.end(.failed, at: 1)
        #expect(pool.sequence(3, at: 2) == "a a a")
        // It fades, and is tried again.
        #expect(pool.next(at: 20 * second) == "a")
        teach(pool, ["a": 200], at: 40 * second)
        #expect(pool.next(at: 40 * second) == "b")
    }

    @Test func `a lease's latency is the time to the response head`() {
        let pool = Pool(weights: [1], .peakEWMA)
        var lease = pool.acquire(at: 2 * second)
        lease?.requestSent(at: 5 * second)
        lease?.headReceived(at: 5 * second + 30 * millisecond)
        let value = pool.backend("a").latency.value(at: 5 * second + 30 * millisecond) ?? 0
        #expect(abs(value - 30 * Double(millisecond)) < 1000)
    }

    @Test(arguments: [true, false])
    func `a backend that could not be sent to in time is held for as slow as that`(isUnsent: Bool) {
        let pool = Pool(weights: [1, 1], .peakEWMA)
        guard let lease = pool.acquire(at: second) else { preconditionFailure("none was tried") }
        let backend = lease.backend
        lease.end(.abandoned, at: second + 50 * millisecond, isUnsent: isUnsent)
        let known = backend.latency.value(at: second + 50 * millisecond)
        #expect(known.map { ($0 / 1e6).rounded() } == (isUnsent ? 50 : nil))
    }

    @Test func `before the request's end nothing is the backend's latency`() {
        let pool = Pool(weights: [1], .peakEWMA)
        guard var lease = pool.acquire(at: second) else { preconditionFailure("none was tried") }
        lease.headReceived(at: 3 * second)
        lease.end(.abandoned, at: 4 * second)
        #expect(pool.backend("a").latency.value(at: 4 * second) == nil)
    }

    @Test func `a client that waited in vain tells how long at least`() {
        let pool = Pool(weights: [1], .peakEWMA)
        for (wait, expected) in [(5, 5), (2, 5)] as [(UInt64, Double)] {
            guard var lease = pool.acquire(at: second) else { preconditionFailure("none was tried") }
            lease.requestSent(at: 10 * second - wait * second)
            lease.end(.abandoned, at: 10 * second)
            let value = pool.backend("a").latency.value(at: 10 * second) ?? 0
            #expect(abs(value - expected * 1e9) < 1e6, "after \(wait) s")
        }
    }

    @Test(arguments: [.roundRobin, .leastConnections, .randomTwo, .first, .hash(.uri)] as [Policy])
    func `other policies keep no latency`(policy: Policy) {
        let pool = Pool(weights: [1], policy)
        guard var lease = pool.acquire(key: 1) else { preconditionFailure("none was tried") }
        lease.requestSent(at: 4)
        lease.headReceived(at: 5)
        lease.end(.failed, at: 6)
        #expect(pool.backend("a").latency.value(at: 6) == nil)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `of many equals each gets about the same`(seed: UInt64) {
        let count = 20
        let pool = Pool(weights: [Int](repeating: 1, count: count), .peakEWMA, seed: seed)
        for backend in pool.backends { teach(pool, [backend.name: 10], at: 0) }
        let counts = pool.counts(20000)
        #expect(isByWeight(counts, [Int](repeating: 1, count: count)), "seed \(seed): \(counts)")
    }
}
