// The buckets of durations: every duration lies where a plain search would put it.

import TestSupport
import Testing

@testable import Telemetry

@Suite("Latency scale")
struct LatencyScaleTests {
    private let scale = LatencyScale.shared

    @Test func `bounds rise, and end with everything`() {
        for bounds in [scale.fine, scale.coarse] {
            #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
            #expect(bounds.last == .max)
        }
        #expect(scale.fine.first == 1000)
        #expect(scale.fine.dropLast().last == 1_000_000_000_000)
    }

    @Test func `every exported bound is a fine one, so that what is said to be below it was`() {
        #expect(Set(scale.coarse).isSubset(of: scale.fine))
    }

    @Test func `fine bounds stand less than a fifth apart`() {
        for (lower, upper) in zip(scale.fine, scale.fine.dropFirst().dropLast()) {
            #expect(upper - lower <= lower / 5)
        }
    }

    /// What the tables stand for.
    private func search(_ nanoseconds: UInt64, _ bounds: [UInt64]) -> Int {
        bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count - 1
    }

    @Test func `a bound itself lies below it, the next nanosecond above`() {
        for bound in scale.fine.dropLast() + (0..<64).map({ UInt64(1) << $0 }) + [0, 1, .max - 1, .max] {
            for value in [bound &- 1, bound, bound &+ 1] {
                #expect(scale.buckets.fine(value) == search(value, scale.fine), "\(value)")
                #expect(
                    scale.buckets.coarse(ofFine: scale.buckets.fine(value)) == search(value, scale.coarse),
                    "\(value)"
                )
            }
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `any duration lies where a plain search puts it`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let value = generator.next() >> UInt64(generator.number(in: 0...63))
            #expect(scale.buckets.fine(value) == search(value, scale.fine), "\(value)")
            #expect(scale.buckets.coarse(ofFine: scale.buckets.fine(value)) == search(value, scale.coarse), "\(value)")
        }
    }
}
