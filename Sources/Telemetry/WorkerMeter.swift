// What one worker counts of its clients and of itself.

/// A number that is counted for each worker.
///
/// Those that every request counts stand first, so that they lie together.
@frozen
public enum WorkerCounter: Int, CaseIterable, Sendable {
    case requestsBegun
    case requestsEnded
    /// Body bytes of responses, without framing, handed to clients' connections.
    case bytesSent
    /// Body bytes received from clients, without framing.
    case bytesReceived
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
    /// Second attempts that were due and not made, since too many requests were being sent again.
    case hedgesOverBudget
    /// Second attempts that were due and not made, since no backend that was not tried had a place.
    case hedgesWithoutPlace
    case tunnelsOpened
    case tunnelsClosed
    /// Failures whose label is not in the table.
    case unknownReasons
}

/// A duration that is counted for each worker.
@frozen
public enum WorkerDuration: Int, CaseIterable, Sendable {
    /// From a request head's end to its response's end, whoever answered.
    case request
    /// A turn of the event loop: how long every event after the first may have waited.
    case turn
    /// How late a deadline was met.
    case lateness

    @inlinable var resolution: Histogram.Resolution {
        switch self {
        case .request, .turn: .fine
        case .lateness: .coarse
        }
    }
}

/// The hundreds of a status, and what there is besides.
public enum CodeClass: Int, CaseIterable, Sendable {
    static let count = other.rawValue + 1

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
/// The worker's thread alone adds. Whoever has it also holds the ``WorkerMeter`` that it is of.
public struct WorkerCounters: Sendable {
    @usableFromInline let row: CounterRow

    // A row: the sums of durations, the counters, the buckets of durations, the requests, the failures.

    @inlinable static var counters: Int { 3 }
    @inlinable static var buckets: Int { counters + WorkerCounter.unknownReasons.rawValue + 1 }
    static let requests = buckets + 2 * LatencyScale.fineCount + LatencyScale.coarseCount

    private let methodCount: Int

    fileprivate init(_ row: CounterRow, methodCount: Int) {
        self.row = row
        self.methodCount = methodCount
    }

    @inlinable
    @inline(__always)
    public func add(_ counter: WorkerCounter, _ amount: UInt64 = 1) {
        row.add(amount, at: Self.counters &+ counter.rawValue)
    }

    /// Counts a request that is over.
    ///
    /// - Parameters:
    ///   - method: its place in the list of methods that ``Metrics`` was given.
    ///   - status: nil when no response was sent.
    public func request(method: Int, status: Int?) {
        assert(method >= 0 && method < methodCount, "a method of the list")
        add(.requestsEnded)
        row.add(1, at: Self.requests &+ method &* CodeClass.count &+ CodeClass(status).rawValue)
    }

    /// Counts a duration, in nanoseconds.
    @inlinable
    @inline(__always)
    public func record(_ duration: WorkerDuration, _ nanoseconds: UInt64) {
        record(duration, measured(nanoseconds))
    }

    /// A duration, in nanoseconds, that several count.
    @inlinable
    @inline(__always)
    public func measured(_ nanoseconds: UInt64) -> MeasuredDuration { row.measured(nanoseconds) }

    /// Counts a duration.
    @inlinable
    @inline(__always)
    public func record(_ duration: WorkerDuration, _ measured: MeasuredDuration) {
        row.record(measured, duration.resolution, sum: duration.rawValue, buckets: Self.buckets(of: duration))
    }

    /// Where the buckets of a duration begin.
    @inlinable
    @inline(__always)
    static func buckets(of duration: WorkerDuration) -> Int { buckets &+ duration.rawValue &* LatencyScale.fineCount }
}

/// What one worker has counted of its clients and of itself.
///
/// The worker's thread alone adds; any thread reads.
public final class WorkerMeter: Sendable {
    let reasons: ReasonTable
    private let methodCount: Int
    /// Where the failures begin.
    private let failures: Int
    private let cells: CounterCells
    public let counters: WorkerCounters

    init(methodCount: Int, reasons: ReasonTable) {
        precondition(WorkerCounters.counters == WorkerDuration.allCases.count, "counters stand behind the sums")
        self.reasons = reasons
        self.methodCount = methodCount
        failures = WorkerCounters.requests + methodCount * CodeClass.count
        cells = CounterCells(count: failures + reasons.labels.count)
        counters = WorkerCounters(cells.row, methodCount: methodCount)
    }

    /// Counts a request that did not end well.
    public func failure(_ label: String) {
        guard let place = reasons.place(of: label) else {
            counters.add(.unknownReasons)
            return
        }
        cells.add(1, at: failures + place)
    }

    // MARK: Reading

    func value(_ counter: WorkerCounter) -> UInt64 { cells[WorkerCounters.counters + counter.rawValue] }

    /// Requests by method, and for each by ``CodeClass``.
    var requestCounts: [[UInt64]] {
        (0..<methodCount).map { method in
            let start = WorkerCounters.requests + method * CodeClass.count
            return cells[start..<(start + CodeClass.count)]
        }
    }

    /// By the reason table's order.
    var failureCounts: [UInt64] { cells[failures..<cells.count] }

    func histogram(_ duration: WorkerDuration) -> Histogram {
        cells.histogram(
            duration.resolution,
            sum: duration.rawValue,
            buckets: WorkerCounters.buckets(of: duration)
        )
    }
}
