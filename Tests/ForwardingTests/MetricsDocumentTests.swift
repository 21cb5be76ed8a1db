// That docs/metrics.md, the alert rules and the dashboard know the metrics that there are, and no others.

import Foundation
import Telemetry
import Testing

@Suite("Metrics document", .timeLimit(.minutes(5)))
struct MetricsDocumentTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let begin =
        "<!-- table of metrics, written by: UPDATE_DOCS=1 swift test --filter MetricsDocumentTests -->\n"
    private static let end = "<!-- end of the table of metrics -->\n"
    /// What Prometheus itself makes, and what its own target labels are.
    private static let foreignLabels: Set<String> = ["instance", "job", "le"]

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func `docs/metrics.md has the table of the code`() throws {
        var lines = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
        for metric in try MetricCatalogue.metrics() {
            let labels = metric.labels.map { "`\($0.name)`" }.joined(separator: ", ")
            lines.append("| `\(metric.name)` | \(metric.kind) | \(labels) | \(metric.help) |")
        }
        let generated = "\n" + lines.joined(separator: "\n") + "\n\n"
        let text = try Self.text("docs/metrics.md")
        let begin = try #require(text.firstRange(of: Self.begin))
        let end = try #require(text.firstRange(of: Self.end))
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            let updated = text[..<begin.upperBound] + generated + text[end.lowerBound...]
            try Data(updated.utf8).write(to: Self.root.appending(path: "docs/metrics.md"), options: .atomic)
            return
        }
        #expect(
            text[begin.upperBound..<end.lowerBound] == generated,
            "docs/metrics.md is out of date: UPDATE_DOCS=1 swift test --filter MetricsDocumentTests writes it anew"
        )
    }

    /// The files whose expressions are checked.
    static let files = ["docs/metrics.md", "deploy/prometheus/alerts.yml", "deploy/grafana/curl-lb.json"]

    @Test("every metric, label and reason that an expression names exists", arguments: files)
    func expressions(path: String) throws {
        let metrics = Dictionary(uniqueKeysWithValues: try MetricCatalogue.metrics().map { ($0.name, $0) })
        // In JSON the quotes within a text are escaped.
        let text = try Self.text(path).replacing("\\\"", with: "\"")
        var count = 0
        for match in text.matches(of: /\b((?:curl_lb|process)_[a-z0-9_]+)(\{[^}]*\})?/) {
            let name = Self.familyName(String(match.1), metrics)
            guard let metric = metrics[name] else {
                Issue.record("\(path): there is no metric \(name)")
                continue
            }
            count += 1
            for selector in (match.2 ?? "").matches(of: /([a-z_]+)(=~|!~|!=|=)"([^"]*)"/) {
                let label = String(selector.1)
                if Self.foreignLabels.contains(label) { continue }
                guard let known = metric.labels.first(where: { $0.name == label }) else {
                    Issue.record("\(path): \(name) has no label \(label)")
                    continue
                }
                // Of the closed lists; a pattern is left to Prometheus.
                guard ["reason", "code", "state", "phase", "result"].contains(label) else { continue }
                for word in selector.3.split(separator: "|") where word.allSatisfy({ $0.isLetter || $0 == "_" }) {
                    #expect(known.values.contains(String(word)), "\(path): \(name) has no \(label) \(word)")
                }
            }
        }
        #expect(count > 20, "\(path) has expressions")
    }

    /// The family that a series of a histogram belongs to.
    private static func familyName(_ name: String, _ metrics: [String: CataloguedMetric]) -> String {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let family = String(name.dropLast(suffix.count))
            if metrics[family]?.kind == .histogram { return family }
        }
        return name
    }

    @Test func `the dashboard is JSON with the parts that Grafana wants`() throws {
        let data = try Data(contentsOf: Self.root.appending(path: "deploy/grafana/curl-lb.json"))
        let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in ["title", "uid", "schemaVersion", "panels", "templating", "time", "tags"] {
            #expect(dashboard[key] != nil, "\(key)")
        }
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        let ids = panels.compactMap { $0["id"] as? Int }
        #expect(Set(ids).count == panels.count, "each panel has an identifier of its own")
        for panel in panels where panel["type"] as? String != "row" {
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(!targets.isEmpty)
            for target in targets { #expect((target["expr"] as? String)?.isEmpty == false) }
            let source = try #require(panel["datasource"] as? [String: String])
            #expect(source["uid"] == "${datasource}")
        }
        let templating = try #require((dashboard["templating"] as? [String: Any])?["list"] as? [[String: Any]])
        #expect(templating.compactMap { $0["name"] as? String }.prefix(2) == ["datasource", "instance"])
    }

    @Test("promtool has nothing to say", arguments: ["check metrics", "check rules", "test rules"])
    func promtool(command: String) throws {
        let paths = ["/usr/bin/promtool", "/usr/local/bin/promtool"]
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            print("promtool is not installed (Debian: prometheus): \(command) was not run")
            return
        }
        let files = ["check rules": "alerts.yml", "test rules": "alerts_test.yml"]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = command.split(separator: " ").map(String.init) + [files[command]].compactMap { $0 }
        process.currentDirectoryURL = Self.root.appending(path: "deploy/prometheus")
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        let text = files[command] == nil ? PrometheusText.render(try MetricCatalogue.families()) : ""
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
    }
}
