// What one worker counts for one backend.

/// A number that is counted for each backend.
///
/// Those that every request counts stand first, so that they lie together.
@frozen
public enum BackendCounter: Int, CaseIterable, Sendable {
    /// Attempts begun.
    case attempts
    /// Attempts that were given a kept connection.
    case connectionsReused
    /// Body bytes received from it, without framing.
    case bytesReceived
    /// Body bytes sent to it, without framing.
    case bytesSent
    /// Final response heads, by the hundreds of their status; 101 is among the first.
    case responses1xx
    case responses2xx
    case responses3xx
    case responses4xx
    case responses5xx
    /// Those of a status above 599.
    case responsesOther
    /// Attempts that followed a failed one of the same request.
    case retries
    /// Attempts begun beside another one of the same request.
    case hedges
    /// Those of them whose response was the answer.
    case hedgesWon
    /// Attempts, of either kind, that were cancelled since the other one had answered.
    case outrun
    /// Connections that were begun to be made.
    case connectionsOpened
    /// Those of them that are closed again.
    case connectionsClosed
    /// Attempts that were made again on a fresh connection, because a kept one had died.
    case connectionsStale

    /// The counter for a response's status.
    static func responses(_ status: Int) -> Self {
        switch status {
        case ..<200: .responses1xx
        case ..<300: .responses2xx
        case ..<400: .responses3xx
        case ..<500: .responses4xx
        case ..<600: .responses5xx
        default: .responsesOther
        }
    }
}

/// A duration that is counted for each backend.
@frozen
public enum BackendDuration: Int, CaseIterable, Sendable {
    /// From the request head's end to the first response byte handed to the client.
    case firstByte
    /// From the request head's end to the response's end.
    case request
    /// How long a request waited for a place at a backend; only of those that waited.
    case queue
    /// Name lookup, for each connection made.
    case dns
    /// The TCP connection, for each connection made.
    case connect
    /// The TLS handshake, for each connection made.
    case tls
    /// From the request's last byte to the response head.
    case wait
    /// From the first response byte to the last.
    case body

    @inlinable var resolution: Histogram.Resolution {
        switch self {
        case .firstByte, .request: .fine
        case .queue, .dns, .connect, .tls, .wait, .body: .coarse
        }
    }
}

/// Counts what one worker has to do with one backend.
///
/// The worker's thread alone adds. Whoever has it also holds the ``BackendMeter`` that it is of.
public struct BackendCounters: Sendable {
    @usableFromInline let row: CounterRow

    // A row: the sums of durations, the counters, the buckets of durations, the failures.

    @inlinable static var counters: Int { 8 }
    @inlinable static var buckets: Int { counters + BackendCounter.connectionsStale.rawValue + 1 }
    @inlinable static var phases: Int { buckets + 2 * LatencyScale.fineCount }
    static let failures = phases + (BackendDuration.body.rawValue - 1) * LatencyScale.coarseCount

    fileprivate init(_ row: CounterRow) { self.row = row }

    @inlinable
    @inline(__always)
    public func add(_ counter: BackendCounter, _ amount: UInt64 = 1) {
        row.add(amount, at: Self.counters &+ counter.rawValue)
    }

    /// Counts a response head.
    public func response(_ status: Int) { add(.responses(status)) }

    /// Counts a duration, in nanoseconds.
    @inlinable
    @inline(__always)
    public func record(_ duration: BackendDuration, _ nanoseconds: UInt64) {
        record(duration, row.measured(nanoseconds))
    }

    /// Counts a duration.
    @inlinable
    @inline(__always)
    public func record(_ duration: BackendDuration, _ measured: MeasuredDuration) {
        row.record(measured, duration.resolution, sum: duration.rawValue, buckets: Self.buckets(of: duration))
    }

    /// Where the buckets of a duration begin.
    @inlinable
    @inline(__always)
    static func buckets(of duration: BackendDuration) -> Int {
        switch duration {
        case .firstByte: buckets
        case .request: buckets &+ LatencyScale.fineCount
        case .queue, .dns, .connect, .tls, .wait, .body:
            phases &+ (duration.rawValue &- BackendDuration.queue.rawValue) &* LatencyScale.coarseCount
        }
    }
}

/// What one worker has counted of one backend.
///
/// The worker's thread alone adds; any thread reads.
public final class BackendMeter: Sendable {
    let reasons: ReasonTable
    private let cells: CounterCells
    public let counters: BackendCounters

    init(reasons: ReasonTable) {
        precondition(BackendCounters.counters == BackendDuration.allCases.count, "counters stand behind the sums")
        self.reasons = reasons
        cells = CounterCells(count: BackendCounters.failures + reasons.labels.count)
        counters = BackendCounters(cells.row)
    }

    /// Counts a failed attempt; false when the label is not in the table.
    public func failure(_ label: String) -> Bool {
        guard let place = reasons.place(of: label) else { return false }
        cells.add(1, at: BackendCounters.failures + place)
        return true
    }

    // MARK: Reading

    func value(_ counter: BackendCounter) -> UInt64 { cells[BackendCounters.counters + counter.rawValue] }

    /// By the reason table's order.
    var failureCounts: [UInt64] { cells[BackendCounters.failures..<cells.count] }

    func histogram(_ duration: BackendDuration) -> Histogram {
        cells.histogram(
            duration.resolution,
            sum: duration.rawValue,
            buckets: BackendCounters.buckets(of: duration)
        )
    }
}
