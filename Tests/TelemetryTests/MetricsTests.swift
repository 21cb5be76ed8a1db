// Who is counted where, and that the number of series stays bounded.

import Testing

@testable import Telemetry

@Suite("Metrics")
struct MetricsTests {
    private static let reasons = ReasonTable(
        ["refused", "timeout", "client_gone"],
        ofAttempts: ["refused", "timeout"]
    )

    private func metrics(workers: Int = 2, capacity: Int = 4) -> Metrics {
        Metrics(workers: workers, methods: ["GET", "other"], reasons: Self.reasons, capacity: capacity)
    }

    /// Attempts by backend.
    private func attempts(_ metrics: Metrics) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: metrics.backendCounts().map { ($0.name, $0.counts.attempts) })
    }

    @Test func `what workers counted is added up`() throws {
        let metrics = metrics()
        metrics.poolChanged(to: ["a", "b"])
        for worker in 0..<2 {
            let meter = metrics.meter(of: "a", worker: worker)
            meter.counters.add(.attempts, 3)
            meter.counters.response(200)
            meter.counters.response(503)
            meter.counters.response(101)
            #expect(meter.failure("timeout"))
            #expect(!meter.failure("no such reason"))
            meter.counters.record(.request, 5_000_000)
        }
        metrics.meter(of: "b", worker: 1).counters.add(.bytesSent, 7)
        let counts = metrics.backendCounts()
        #expect(counts.map(\.name) == ["a", "b"])
        let a = try #require(counts.first?.counts)
        #expect(a.attempts == 6)
        #expect(a.responses.map(\.count) == [2, 2, 0, 0, 2, 0])
        #expect(a.failures == [LabelledCount(label: "refused", count: 0), LabelledCount(label: "timeout", count: 2)])
        #expect(a.request.count == 2)
        #expect(a.request.sum == 10_000_000)
        #expect(counts.last?.counts.bytesSent == 7)
    }

    @Test func `a reason that no attempt ends by is shown once it did`() throws {
        let metrics = metrics()
        metrics.poolChanged(to: ["a"])
        #expect(metrics.meter(of: "a", worker: 0).failure("client_gone"))
        let counts = try #require(metrics.backendCounts().first?.counts)
        #expect(counts.failures.map(\.label) == ["refused", "timeout", "client_gone"])
    }

    @Test func `counters of clients, requests and failures`() {
        let metrics = metrics()
        for worker in metrics.workers {
            worker.counters.add(.connectionsOpened, 3)
            worker.counters.add(.connectionsClosed)
            worker.counters.add(.requestsBegun, 4)
            worker.counters.request(method: 0, status: 200)
            worker.counters.request(method: 1, status: nil)
            worker.failure("timeout")
            worker.failure("no such reason")
        }
        let counts = metrics.clientCounts()
        #expect(counts.connections == 4)
        #expect(counts.requestsInFlight == 4)
        #expect(
            counts.requests.filter { $0.count > 0 } == [
                RequestCount(method: "GET", code: "2xx", count: 2),
                RequestCount(method: "other", code: "none", count: 2),
            ]
        )
        #expect(counts.unknownReasons == 2)
        #expect(metrics.failureSummary.map(\.label) == ["timeout"])
        #expect(metrics.failureSummary.map(\.count) == [2])
    }

    @Test func `a backend that comes again goes on counting`() {
        let metrics = metrics()
        metrics.poolChanged(to: ["a"])
        metrics.meter(of: "a", worker: 0).counters.add(.attempts)
        metrics.poolChanged(to: [])
        #expect(attempts(metrics) == ["a": 1])
        metrics.poolChanged(to: ["a"])
        metrics.meter(of: "a", worker: 0).counters.add(.attempts)
        #expect(attempts(metrics) == ["a": 2])
    }

    @Test func `former backends make room, who went first before the others, and no other series grows by theirs`() {
        let metrics = metrics()
        metrics.poolChanged(to: ["a", "b", "c", "d"])
        for (index, name) in ["a", "b", "c", "d"].enumerated() {
            metrics.meter(of: name, worker: index % 2).counters.add(.attempts, UInt64(1 << index))
        }
        metrics.poolChanged(to: ["a", "c", "d"])
        metrics.poolChanged(to: ["c", "d"])
        metrics.poolChanged(to: ["c", "d", "e"])
        #expect(attempts(metrics) == ["a": 1, "c": 4, "d": 8, "e": 0])
        metrics.poolChanged(to: ["c", "d", "e", "f"])
        #expect(attempts(metrics) == ["c": 4, "d": 8, "e": 0, "f": 0])
        // One that comes again begins anew.
        metrics.poolChanged(to: ["c", "d", "e", "b"])
        #expect(attempts(metrics) == ["c": 4, "d": 8, "e": 0, "b": 0])
    }

    @Test func `one backend is counted as it is among all`() {
        let metrics = metrics()
        metrics.poolChanged(to: (0..<5).map { "b\($0)" })
        #expect(metrics.backendCounts(of: Metrics.otherName) == nil)
        for name in ["b1", "b4"] { metrics.meter(of: name, worker: 1).counters.add(.attempts) }
        for (name, counts) in metrics.backendCounts() { #expect(metrics.backendCounts(of: name) == counts) }
        #expect(metrics.backendCounts(of: Metrics.otherName)?.attempts == 1)
        #expect(metrics.backendCounts(of: "b4") == nil)
    }

    @Test func `more members than there is room for are counted together`() {
        let metrics = metrics()
        let names = (0..<10).map { "b\($0)" }
        metrics.poolChanged(to: names)
        for name in names { metrics.meter(of: name, worker: 0).counters.add(.attempts) }
        #expect(attempts(metrics) == ["b0": 1, "b1": 1, "b2": 1, "b3": 1, Metrics.otherName: 6])
    }

    @Test func `however often backends come and go, the number of series is bounded, and no counter jumps`() {
        let metrics = metrics(workers: 1)
        for round in 0..<1000 {
            let before = attempts(metrics)
            metrics.poolChanged(to: ["stays", "goes\(round)"])
            // What has come to an end counts nowhere anew: it would be an increase that nothing has caused.
            #expect(attempts(metrics).allSatisfy { $0.value == before[$0.key, default: 0] })
            metrics.meter(of: "stays", worker: 0).counters.add(.attempts)
            metrics.meter(of: "goes\(round)", worker: 0).counters.add(.attempts)
        }
        let counts = attempts(metrics)
        #expect(counts.count == 4 && counts["stays"] == 1000)
    }

    @Test func `of 10,000 names that come and go the last ones are kept`() {
        let metrics = Metrics(workers: 2, methods: [], reasons: Self.reasons, capacity: 1024, formerCapacity: 100)
        for number in 0..<10_000 {
            metrics.poolChanged(to: ["stays", "b\(number)"])
            let meter = metrics.meter(of: "b\(number)", worker: number % 2)
            meter.counters.add(.attempts)
            meter.counters.add(.connectionsOpened)
        }
        metrics.poolChanged(to: ["stays"])
        let counts = attempts(metrics)
        #expect(counts.count == 101)
        #expect(counts["b9999"] == 1 && counts["b9900"] == 1 && counts["b9899"] == nil)
    }

    @Test func `10,000 names at a time, and then none`() {
        let metrics = Metrics(workers: 1, methods: [], reasons: Self.reasons, capacity: 1024, formerCapacity: 100)
        let names = (0..<10_000).map { "b\($0)" }
        metrics.poolChanged(to: names)
        for name in names { metrics.meter(of: name, worker: 0).counters.add(.attempts) }
        #expect(metrics.backendCounts().count == 1025)
        metrics.poolChanged(to: [])
        let counts = attempts(metrics)
        #expect(counts.count == 101 && counts[Metrics.otherName] == 10_000 - 1024)
    }

    @Test func `a former backend with requests in flight is kept until they have ended`() {
        let metrics = Metrics(workers: 1, methods: [], reasons: Self.reasons, capacity: 1024, formerCapacity: 1)
        metrics.poolChanged(to: ["a", "b", "c"])
        metrics.poolChanged(to: ["c"], busy: ["a", "b"])
        #expect(attempts(metrics).keys.sorted() == ["a", "b", "c"])
        metrics.poolChanged(to: ["c"], busy: ["a"])
        #expect(attempts(metrics).keys.sorted() == ["a", "c"])
        metrics.poolChanged(to: ["c"])
        #expect(attempts(metrics).keys.sorted() == ["a", "c"])
    }

    @Test func `a reader sees what another thread counts, without tearing`() async {
        let metrics = metrics(workers: 1)
        metrics.poolChanged(to: ["a"])
        let meter = metrics.meter(of: "a", worker: 0)
        let writer = Task.detached {
            for _ in 0..<100_000 { meter.counters.record(.wait, 1_000_000) }
        }
        var last: UInt64 = 0
        var isRising = true
        while last < 100_000 {
            let count = meter.histogram(.wait).count
            isRising = isRising && count >= last
            last = count
            // The writer may need this thread.
            await Task.yield()
        }
        #expect(isRising)
        await writer.value
        #expect(meter.histogram(.wait).sum == 100_000_000_000)
    }
}
