// The exposition: the text format to the letter, and what promtool says about all of it.

import Foundation
import Testing

@testable import Telemetry

/// A snapshot with something of everything.
func sampleSnapshot(backend name: String = "a") -> StatsSnapshot {
    let reasons = ReasonTable(["refused", "client_gone"], ofAttempts: ["refused"])
    let metrics = Metrics(workers: 2, methods: ["GET", "other"], reasons: reasons)
    metrics.poolChanged(to: [name])
    let meter = metrics.meter(of: name, worker: 0)
    for duration in BackendDuration.allCases { meter.counters.record(duration, 5_000_000) }
    for counter in BackendCounter.allCases { meter.counters.add(counter) }
    for worker in metrics.workers {
        for counter in WorkerCounter.allCases { worker.counters.add(counter) }
        worker.counters.request(method: 0, status: 204)
        worker.counters.record(.turn, 20_000)
        worker.counters.record(.lateness, 900_000)
        worker.counters.record(.request, 7_000_000)
    }
    let backends = metrics.backendCounts().map { name, counts in
        BackendStats(
            name: name,
            address: "http://127.0.0.1:9001",
            isMember: true,
            operational: "up",
            administrative: "drain",
            requested: "ready",
            takesRequests: false,
            weight: 3,
            isBackup: false,
            inFlight: 2,
            maximumInFlight: 0,
            counts: counts
        )
    }
    return StatsSnapshot(
        time: 1_700_000_000.5,
        build: BuildStats(version: "0.1.0", libcurl: "libcurl 8.14.1", tls: "OpenSSL/3.0.17"),
        process: .now(),
        policy: "round_robin",
        poolVersion: 1,
        backends: backends,
        clients: metrics.clientCounts(),
        loops: metrics.loopCounts(),
        lostLogLines: 0
    )
}

@Suite("Prometheus text")
struct PrometheusTextTests {
    @Test func `numbers, labels and histograms to the letter`() {
        let meter = BackendMeter(reasons: ReasonTable([], ofAttempts: []))
        meter.counters.record(.wait, 300_000)
        meter.counters.record(.wait, 2_500_000_000)
        let text = PrometheusText.render([
            MetricFamily("lb_a_total", .counter, "Help with \\ and\na line break.", [.init(.integer(.max))]),
            MetricFamily("lb_none", .gauge, "Nothing.", []),
            MetricFamily("lb_b", .gauge, "B.", [.init([.init("x", "q\"b\\n\n"), .init("y", "é")], .number(0.25))]),
            MetricFamily(
                "lb_c_seconds",
                .histogram,
                "C.",
                [.init([.init("x", "1")], .histogram(meter.histogram(.wait)))]
            ),
        ])
        let head = #"""
            # HELP lb_a_total Help with \\ and\na line break.
            # TYPE lb_a_total counter
            lb_a_total 18446744073709551615
            # HELP lb_b B.
            # TYPE lb_b gauge
            lb_b{x="q\"b\\n\n",y="é"} 0.25
            # HELP lb_c_seconds C.
            # TYPE lb_c_seconds histogram
            lb_c_seconds_bucket{x="1",le="0.0001"} 0
            lb_c_seconds_bucket{x="1",le="0.00025"} 0
            lb_c_seconds_bucket{x="1",le="0.0005"} 1
            lb_c_seconds_bucket{x="1",le="0.001"} 1

            """#
        #expect(text.hasPrefix(head), "\(text)")
        #expect(
            text.hasSuffix(
                """
                lb_c_seconds_bucket{x="1",le="2.5"} 2
                lb_c_seconds_bucket{x="1",le="5"} 2
                lb_c_seconds_bucket{x="1",le="10"} 2
                lb_c_seconds_bucket{x="1",le="30"} 2
                lb_c_seconds_bucket{x="1",le="60"} 2
                lb_c_seconds_bucket{x="1",le="+Inf"} 2
                lb_c_seconds_sum{x="1"} 2.5003
                lb_c_seconds_count{x="1"} 2

                """
            )
        )
    }

    @Test func `names, types and help lines keep to the rules of naming`() {
        let families = MetricFamilies.all(of: sampleSnapshot())
        #expect(Set(families.map(\.name)).count == families.count, "no name stands twice")
        for family in families {
            #expect(family.name.wholeMatch(of: /(curl_lb|process)_[a-z0-9_]*[a-z0-9]/) != nil, "\(family.name)")
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
            #expect(family.kind != .histogram || family.name.hasSuffix("_seconds"), "\(family.name)")
            #expect(family.help.hasSuffix(".") && !family.samples.isEmpty, "\(family.name)")
            let labels = family.samples.map { $0.labels.map(\.name) }
            #expect(Set(labels).count == 1, "\(family.name): every sample has the same labels")
            let values = family.samples.map { $0.labels.map(\.value) }
            #expect(Set(values).count == values.count, "\(family.name): no sample stands twice")
        }
    }

    @Test func `promtool finds nothing to say`() throws {
        let paths: [String] = ["/usr/bin/promtool", "/usr/local/bin/promtool"]
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            print("promtool is not installed (Debian: prometheus): check metrics was not run")
            return
        }
        let text = PrometheusText.render(sampleSnapshot(backend: "unix:/tmp/\"odd\\name\""))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said == "")
    }

    @Test func `json comes back as it went`() throws {
        let snapshot = sampleSnapshot()
        let data = try StatsJSON.render(snapshot)
        #expect(try StatsJSON.read(data) == snapshot)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let backend = try #require((object["backends"] as? [[String: Any]])?.first)
        #expect(backend["is_member"] as? Bool == true)
        #expect((backend["counts"] as? [String: Any])?["bytes_sent"] as? Int == 1)
    }

    @Test func `the process's own numbers are there`() {
        let process = ProcessStats.now()
        #expect(process.residentBytes > 1 << 20)
        #expect(process.virtualBytes >= process.residentBytes)
        #expect(process.openDescriptors >= 3)
        #expect(process.threads >= 1)
        #expect(process.uptime >= 0 && process.uptime < 86_400)
        #expect(abs(process.startTime + process.uptime - Date().timeIntervalSince1970) < 5)
    }
}
