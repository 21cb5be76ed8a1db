// The feed of failures: what is kept, in which order, and what a storm leaves out.

import Testing

@testable import Telemetry

@Suite("Failure feed")
struct FailureFeedTests {
    private func record(_ target: String) -> FailureRecord {
        FailureRecord(
            client: "192.0.2.1:5",
            method: "GET",
            target: target,
            status: 502,
            reason: "refused",
            backend: nil,
            attempts: [],
            id: "1"
        )
    }

    /// Adds a failure for each number, so slowly that all are kept.
    private func add(_ numbers: Range<Int>, to feed: FailureFeed, worker: Int = 0) {
        for number in numbers {
            feed.add(worker: worker, at: UInt64(number + 1) * 1_000_000_000) { record("/\(number)") }
        }
    }

    @Test func `a reader gets what came since it looked last, the oldest first`() {
        let feed = FailureFeed(workers: 1)
        var place = FailureFeed.Place()
        #expect(feed.records(after: &place).isEmpty)
        add(0..<3, to: feed)
        #expect(feed.records(after: &place).map(\.target) == ["/0", "/1", "/2"])
        #expect(feed.records(after: &place).isEmpty)
        add(3..<4, to: feed)
        #expect(feed.records(after: &place).map(\.target) == ["/3"])
    }

    @Test func `the last fifty are kept`() {
        let feed = FailureFeed(workers: 1)
        add(0..<173, to: feed)
        var place = FailureFeed.Place()
        #expect(feed.records(after: &place).map(\.target) == (123..<173).map { "/\($0)" })
        add(173..<180, to: feed)
        #expect(feed.records(after: &place).map(\.target) == (173..<180).map { "/\($0)" })
        #expect(feed.leftOut == 0)
    }

    @Test func `those of several workers are put in the order of time`() {
        let feed = FailureFeed(workers: 2)
        for number in 0..<10 { add(number..<(number + 1), to: feed, worker: number % 2) }
        var place = FailureFeed.Place()
        let records = feed.records(after: &place)
        #expect(records.count == 10)
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.time <= $1.time })
    }

    @Test
    func `of a storm fifty are kept at once, and then twenty a second; the others are counted and cost no record`() {
        let feed = FailureFeed(workers: 1)
        var made = 0
        func storm(at milliseconds: UInt64, count: Int) {
            for _ in 0..<count {
                feed.add(worker: 0, at: 10_000_000_000 + milliseconds * 1_000_000) {
                    made += 1
                    return record("/")
                }
            }
        }
        storm(at: 0, count: 1000)
        #expect(made == 50)
        #expect(feed.leftOut == 950)
        for millisecond in 1...1000 { storm(at: UInt64(millisecond), count: 1) }
        #expect(made == 70)
        storm(at: 60_000, count: 1000)
        #expect(made == 120)
    }

    @Test func `nobody waits for a reader`() async {
        let feed = FailureFeed(workers: 1)
        let writer = Task.detached {
            for number in 0..<20_000 {
                feed.add(worker: 0, at: UInt64(number + 1) * 1_000_000_000) {
                    FailureRecord(
                        client: "",
                        method: "",
                        target: "",
                        status: nil,
                        reason: "",
                        backend: nil,
                        attempts: [],
                        id: "\(number)"
                    )
                }
            }
        }
        var place = FailureFeed.Place()
        var read: [Int] = []
        while read.last ?? 0 < 10_000 {
            read += feed.records(after: &place).compactMap { Int($0.id) }
            await Task.yield()
        }
        await writer.value
        #expect(zip(read, read.dropFirst()).allSatisfy { $0 < $1 })
    }
}
