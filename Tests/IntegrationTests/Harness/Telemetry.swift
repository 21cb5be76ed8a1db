// What a balancer tells of itself: failures by their reason, and what was lost.

import Foundation

/// The counts that a balancer gives.
struct Telemetry {
    /// Requests that did not end well, by reason.
    var failures: [String: Int] = [:]
    /// Attempts that failed, by reason; only metrics tell.
    var failedAttempts: [String: Int] = [:]
    /// What was never told: `log lines`, `spans`.
    var lost: [String: Int] = [:]

    /// Reads the last line of a balancer that has stopped: `stopped; failures: a 1, b 2; lost: spans 3`.
    init(lastLineOf text: String) throws {
        guard let line = text.split(separator: "\n").last(where: { $0.contains("stopped; failures: ") }),
            let start = line.range(of: "stopped; ")?.upperBound
        else { throw Disappointment("curl-lb has not told how often what failed: \(text)") }
        for part in line[start...].components(separatedBy: "; ") {
            let counts = Self.counts(part)
            if part.hasPrefix("failures: ") { failures = counts }
            if part.hasPrefix("lost: ") { lost = counts }
        }
    }

    /// Reads metrics in Prometheus' text format.
    init(metrics text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let match = line.firstMatch(of: /^([a-z_]+)\{(?:.*,)?reason="([^"]*)"\} (\d+)$/),
                let count = Int(match.3), count > 0
            else { continue }
            switch match.1 {
            case "curl_lb_failures_total": failures[String(match.2)] = count
            case "curl_lb_backend_failures_total": failedAttempts[String(match.2), default: 0] += count
            default: break
            }
        }
    }

    private static func counts(_ part: String) -> [String: Int] {
        let list = part.split(separator: ":", maxSplits: 1).last ?? ""
        let pairs = list.split(separator: ",").compactMap { entry -> (String, Int)? in
            let words = entry.split(separator: " ")
            guard let count = words.last.flatMap({ Int($0) }) else { return nil }
            return (words.dropLast().joined(separator: " "), count)
        }
        return Dictionary(pairs) { $0 + $1 }
    }
}

extension CurlLB {
    /// What its metrics say now; it has an admin API.
    func metrics() throws -> String {
        let response = try admin.get("/metrics")
        guard response.status == 200 else { throw Disappointment("no metrics: \(response.head)") }
        return response.body.text
    }

    /// Ends it, if it has not ended, and returns what it has counted.
    func countsAtTheEnd() throws -> Telemetry {
        if process.exitStatus == nil { process.send(SIGTERM) }
        guard try process.waitForExit() == .code(0) else {
            throw Disappointment("curl-lb did not end well: \(process.standardError.text)")
        }
        return try Telemetry(lastLineOf: process.standardError.text)
    }
}
