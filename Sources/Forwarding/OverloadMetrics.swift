// What metrics say of overload: the queue, the retry budget, and the deadline.

internal import Balancing
internal import Synchronization
internal import Telemetry

/// The families that the queue's board, the retry budget and the counted failures make.
enum OverloadMetrics {
    /// - Parameter failures: requests that did not end well, by their reason.
    static func families(
        of control: OverloadControl,
        on snapshot: PoolSnapshot,
        failures: [LabelledCount]
    ) -> [MetricFamily] {
        func gauge(_ name: String, _ help: String, _ value: MetricFamily.Sample.Value) -> MetricFamily {
            MetricFamily(MetricFamilies.prefix + name, .gauge, help, [MetricFamily.Sample(value)])
        }
        func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
            MetricFamily(MetricFamilies.prefix + name, .counter, help, [MetricFamily.Sample(.integer(value))])
        }
        func count(_ row: ExchangeFailure) -> UInt64 { failures.first { $0.label == row.label }?.count ?? 0 }
        func number(_ value: Int) -> MetricFamily.Sample.Value { .integer(UInt64(max(0, value))) }
        let (board, budget) = (control.board, control.retryBudget)
        let active = snapshot.inFlight + board.waiting
        return [
            gauge("queue_waiting", "Requests that wait for a place at a backend.", number(board.waiting)),
            gauge(
                "queue_limit",
                "The most requests that may wait for a place at a backend (LB_QUEUE).",
                number(board.limit)
            ),
            counter("queue_joined_total", "Requests that have waited for a place at a backend, or do.", board.joined),
            counter(
                "queue_refused_total",
                "Requests that were answered at once because too many waited already.",
                count(.queueFull)
            ),
            counter(
                "queue_timeouts_total",
                "Requests that waited for a place for as long as they may.",
                count(.queueTimeout)
            ),
            gauge(
                "retry_budget_limit",
                "Requests that may be sent again at one time, with as many active as there are now; more may when connections"
                    + " have broken off.",
                number(budget.limit(active: active))
            ),
            gauge("retry_budget_used", "Requests that are being sent again.", number(budget.inProgress)),
            counter(
                "retry_budget_denied_total",
                "Requests that were not sent again because too many were already.",
                count(.retryBudgetExhausted)
            ),
            gauge(
                "request_deadline_seconds",
                "How long a request may take until its response head has come (LB_DEADLINE); 0 for any time.",
                .number(Double(control.deadline.load(ordering: .relaxed)) / 1e9)
            ),
            counter(
                "request_deadline_exceeded_total",
                "Requests whose response head had not come by then.",
                count(.requestDeadline)
            ),
        ]
    }
}
