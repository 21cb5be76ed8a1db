// What one worker counts of its clients and of itself.

/// A number that is counted for each worker.
public enum WorkerCounter: Int, CaseIterable, Sendable {
    /// Client connections that the worker took over.
    case connectionsOpened
    /// Those of them that are closed.
    case connectionsClosed
    /// Connections refused because there were too many.
    case refusedTotal
    /// Connections refused because their client had too many.
    case refusedClient
    /// Connections closed without an answer, since too many were being refused already.
    case refusedUnanswered
    case requestsBegun
    case requestsEnded
    /// Second attempts that were due and not made, since too many requests were being sent again.
    case hedgesOverBudget
    /// Second attempts that were due and not made, since no backend that was not tried had a place.
    case hedgesWithoutPlace
    case tunnelsOpened
    case tunnelsClosed
    /// Body bytes received from clients, without framing.
    case bytesReceived
    /// Body bytes of responses, without framing, handed to clients' connections.
    case bytesSent
    /// Access log lines handed to the log.
    case logLines
    /// Access log lines left out by sampling.
    case logLinesSampledOut
    /// Turns of the event loop.
    case turns
    /// Nanoseconds in which the loop worked, not waited.
    case busyNanoseconds
    /// Events for a descriptor's former life.
    case staleEvents
    /// Failures whose label is not in the table.
    case unknownReasons
}

/// A duration that is counted for each worker.
public enum WorkerDuration: Sendable {
    /// From a request head's end to its response's end, whoever answered.
    case request
    /// A turn of the event loop: how long every event after the first may have waited.
    case turn
    /// How late a deadline was met.
    case lateness
}

/// The hundreds of a status, and what there is besides.
public enum CodeClass: Int, CaseIterable, Sendable {
    /// No response was sent.
    case none
    case informational
    case success
    case redirection
    case clientError
    case serverError
    /// A status above 599.
    case other

    /// - Parameter status: nil when no response was sent.
    public init(_ status: Int?) {
        switch status {
        case nil: self = .none
        case .some(..<200): self = .informational
        case .some(..<300): self = .success
        case .some(..<400): self = .redirection
        case .some(..<500): self = .clientError
        case .some(..<600): self = .serverError
        default: self = .other
        }
    }

    public var label: String {
        switch self {
        case .none: "none"
        case .informational: "1xx"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        case .other: "other"
        }
    }
}

/// Counts what one worker has to do with its clients, and how its loop does.
///
/// The worker's thread alone adds; any thread reads.
public final class WorkerMeter: Sendable {
    let reasons: ReasonTable
    private let methodCount: Int
    private let scale = LatencyScale.shared
    private let cells: CounterCells
    /// Where the parts of the row begin.
    private let requests: Int
    private let failures: Int
    private let durations: Int
    private let turns: Int
    private let lateness: Int

    init(methodCount: Int, reasons: ReasonTable) {
        self.reasons = reasons
        self.methodCount = methodCount
        requests = WorkerCounter.allCases.count
        failures = requests + methodCount * CodeClass.allCases.count
        durations = failures + reasons.labels.count
        turns = durations + 1 + scale.fine.count
        lateness = turns + 1 + scale.fine.count
        cells = CounterCells(count: lateness + 1 + scale.coarse.count)
    }

    // MARK: Counting

    @inline(__always)
    public func add(_ counter: WorkerCounter, _ amount: UInt64 = 1) { cells.add(amount, at: counter.rawValue) }

    /// Counts a request that is over.
    ///
    /// - Parameters:
    ///   - method: its place in the list of methods that ``Metrics`` was given.
    ///   - status: nil when no response was sent.
    public func request(method: Int, status: Int?) {
        assert(method >= 0 && method < methodCount, "a method of the list")
        add(.requestsEnded)
        cells.add(1, at: requests &+ method &* CodeClass.allCases.count &+ CodeClass(status).rawValue)
    }

    /// Counts a request that did not end well.
    public func failure(_ label: String) {
        guard let place = reasons.place(of: label) else {
            add(.unknownReasons)
            return
        }
        cells.add(1, at: failures + place)
    }

    /// Counts a duration, in nanoseconds.
    public func record(_ duration: WorkerDuration, _ nanoseconds: UInt64) {
        switch duration {
        case .request: record(nanoseconds, at: durations, scale.fineBucket(nanoseconds))
        case .turn: record(nanoseconds, at: turns, scale.fineBucket(nanoseconds))
        case .lateness: record(nanoseconds, at: lateness, scale.coarseBucket(nanoseconds))
        }
    }

    @inline(__always)
    private func record(_ nanoseconds: UInt64, at start: Int, _ bucket: Int) {
        cells.add(nanoseconds, at: start)
        cells.add(1, at: start &+ 1 &+ bucket)
    }

    // MARK: Reading

    func value(_ counter: WorkerCounter) -> UInt64 { cells[counter.rawValue] }

    /// Requests by method, and for each by ``CodeClass``.
    var requestCounts: [[UInt64]] {
        let width = CodeClass.allCases.count
        return (0..<methodCount).map { cells[(requests + $0 * width)..<(requests + ($0 + 1) * width)] }
    }

    /// By the reason table's order.
    var failureCounts: [UInt64] { cells[failures..<durations] }

    func histogram(_ duration: WorkerDuration) -> Histogram {
        switch duration {
        case .request: histogram(.fine, at: durations)
        case .turn: histogram(.fine, at: turns)
        case .lateness: histogram(.coarse, at: lateness)
        }
    }

    private func histogram(_ resolution: Histogram.Resolution, at start: Int) -> Histogram {
        let buckets = (start + 1)..<(start + 1 + resolution.bounds.count)
        return Histogram(resolution, counts: cells[buckets], sum: cells[start])
    }
}
