// A scenario's runs as a table.

internal import Balancing
internal import Simulation

/// What came of one run.
struct Record: Sendable {
    let scenario: String
    let caseName: String
    let policy: String
    let results: Results

    /// Of the requests that were counted, those that were lost.
    var lostShare: Double { Double(results.counted.lost) / Double(max(1, results.counted.all)) }
}

/// The figures of runs, a row each.
enum Report {
    static func table(_ records: [Record]) -> Table {
        var table = Table(head: [
            "policy", "case", "p50", "p99", "p99.9", "requests, max/mean", "variation", "in flight, max/mean",
            "busiest",
            "lost", "to failing",
        ])
        for record in records { table.rows.append(row(record)) }
        return table.dropping("")
    }

    private static func row(_ record: Record) -> [String] {
        let results = record.results
        let attempts = results.attempts.map(Double.init)
        return [
            record.policy,
            record.caseName,
            milliseconds(results.latency.quantile(0.5)),
            milliseconds(results.latency.quantile(0.99)),
            milliseconds(results.latency.quantile(0.999)),
            fixed(Results.peak(attempts), 2),
            fixed(Results.variation(attempts), 3),
            fixed(results.meanInFlightPeak, 2),
            percent(results.utilization.max() ?? 0, 0),
            lost(results.counted),
            results.attemptsDuringFailures == 0 ? "" : percent(results.failingShare),
        ]
    }

    private static func lost(_ ends: Results.Ends) -> String {
        ends.lost == 0 ? "0" : "\(ends.lost) (\(percent(Double(ends.lost) / Double(max(1, ends.all)))))"
    }
}
