// Histograms as values: percentiles, exported buckets, differences.

import Foundation
import TestSupport
import Testing

@testable import Telemetry

@Suite("Histograms")
struct HistogramTests {
    private static let reasons = ReasonTable(["a"], ofAttempts: ["a"])

    /// The fine histogram of these durations in milliseconds.
    private func histogram(_ milliseconds: [Double]) -> Histogram {
        let meter = BackendMeter(reasons: Self.reasons)
        for value in milliseconds { meter.counters.record(.request, UInt64(value * 1e6)) }
        return meter.histogram(.request)
    }

    @Test func `an empty one has no percentile`() {
        #expect(Histogram(.fine).percentile(0.5) == nil)
        #expect(Histogram(.fine).isEmpty)
        #expect(Histogram(.fine).count == 0)
    }

    @Test func `percentiles lie within a tenth of the truth`() throws {
        var generator = SeededGenerator(seed: 7)
        let values = (0..<10_000).map { _ in exp(Double(generator.number(in: 0...1_000_000)) / 1e5) }.sorted()
        let histogram = histogram(values)
        #expect(histogram.count == 10_000)
        for share in [0.01, 0.1, 0.5, 0.9, 0.99, 0.999] {
            let truth = values[Int((Double(values.count) * share).rounded(.up)) - 1] * 1e6
            let read = try #require(histogram.percentile(share))
            #expect(abs(read - truth) < truth / 10, "\(share): \(read) for \(truth)")
        }
    }

    @Test func `a percentile of equal durations stays in their bucket`() throws {
        let histogram = histogram([Double](repeating: 3, count: 100))
        for share in [0, 0.5, 1] {
            let value = try #require(histogram.percentile(share))
            #expect(value > 2.75e6 && value <= 3e6)
        }
    }

    @Test func `exported buckets are cumulative and exact`() {
        let histogram = histogram([0.05, 0.1, 0.100001, 1, 1, 10, 100, 30_000, 61_000])
        let cumulative = Dictionary(uniqueKeysWithValues: histogram.cumulative.map { ($0.bound, $0.count) })
        #expect(cumulative[0.0001] == 2)
        #expect(cumulative[0.00025] == 3)
        #expect(cumulative[0.001] == 5)
        #expect(cumulative[0.01] == 6)
        #expect(cumulative[0.05] == 6)
        #expect(cumulative[0.1] == 7)
        #expect(cumulative[30] == 8)
        #expect(cumulative[60] == 8)
        #expect(cumulative[.infinity] == 9)
        #expect(abs(histogram.seconds - 91.112_250_001) < 1e-6)
    }

    @Test func `a difference is what came between`() {
        let first = histogram([1, 2])
        var second = histogram([1, 2])
        second += histogram([5, 5, 5])
        #expect(second.since(first) == histogram([5, 5, 5]))
        #expect(first.since(second) == first, "an earlier state with more is of another process")
    }

    @Test func `json keeps every bucket`() throws {
        let histogram = histogram([0.5, 3, 3, 70_000, 2_000_000])
        let data = try JSONEncoder().encode(histogram)
        #expect(try JSONDecoder().decode(Histogram.self, from: data) == histogram)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["count"] as? Int == 5)
        #expect(object["p50"] as? Double == 0.003)
    }
}
