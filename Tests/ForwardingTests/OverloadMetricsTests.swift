// What metrics say of the queue, the retry budget and the deadline.

import Balancing
import EventLoop
import Telemetry
import Testing

@testable import Forwarding

@Suite("Overload metrics")
struct OverloadMetricsTests {
    private func values(_ control: OverloadControl, _ failures: [LabelledCount] = []) throws -> [String: Double] {
        let snapshot = try PoolControl(.roundRobin, []).update.snapshot
        let families = OverloadMetrics.families(of: control, on: snapshot, failures: failures)
        let pairs = families.map { family -> (String, Double) in
            let value =
                switch family.samples[0].value {
                case .integer(let value): Double(value)
                case .number(let value): value
                case .histogram: Double.nan
                }
            return (String(family.name.dropFirst(MetricFamilies.prefix.count)), value)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func `who waits, and who is being repeated`() throws {
        let settings = OverloadSettings(retryBudget: 50, queueLimit: 20, deadline: 1_500_000_000)
        let control = OverloadControl(settings, mailboxes: [])
        #expect(try values(control)["queue_joined_total"] == 0)
        for _ in 0..<12 { _ = control.board.takeTicket() }
        control.board.returnTicket()
        _ = control.retryBudget.take { 0 }
        let failures = [
            ("queue_full", 3), ("queue_timeout", 4), ("retry_budget_exhausted", 5), ("request_deadline", 6),
        ]
        .map { LabelledCount(label: $0.0, count: $0.1) }
        #expect(
            try values(control, failures) == [
                "queue_waiting": 11, "queue_limit": 20, "queue_joined_total": 12, "queue_refused_total": 3,
                "queue_timeouts_total": 4, "retry_budget_limit": 5, "retry_budget_used": 1,
                "retry_budget_denied_total": 5, "request_deadline_seconds": 1.5, "request_deadline_exceeded_total": 6,
            ]
        )
    }

    @Test func `without a deadline it is 0, and a small budget is three`() throws {
        let values = try values(OverloadControl(OverloadSettings(), mailboxes: []))
        #expect(values["request_deadline_seconds"] == 0 && values["retry_budget_limit"] == 3)
    }
}
