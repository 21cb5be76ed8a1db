// What one worker counts for one backend.

/// A number that is counted for each backend.
public enum BackendCounter: Int, CaseIterable, Sendable {
    /// Final response heads, by the hundreds of their status; 101 is among the first.
    case responses1xx
    case responses2xx
    case responses3xx
    case responses4xx
    case responses5xx
    /// Those of a status above 599.
    case responsesOther
    /// Attempts begun.
    case attempts
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
    /// Attempts that were given a kept connection.
    case connectionsReused
    /// Attempts that were made again on a fresh connection, because a kept one had died.
    case connectionsStale
    /// Body bytes sent to it, without framing.
    case bytesSent
    /// Body bytes received from it, without framing.
    case bytesReceived

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

    var resolution: Histogram.Resolution {
        switch self {
        case .firstByte, .request: .fine
        case .queue, .dns, .connect, .tls, .wait, .body: .coarse
        }
    }
}

/// Counts what one worker has to do with one backend.
///
/// The worker's thread alone adds; any thread reads.
public final class BackendMeter: Sendable {
    let reasons: ReasonTable
    private let scale = LatencyScale.shared
    private let cells: CounterCells
    /// Where the failures' counters begin.
    private let failures: Int
    /// Where each histogram begins: its sum, then its buckets.
    private let firstByte: Int
    private let request: Int
    private let phases: Int
    /// How many cells a phase's histogram has.
    private let phaseLength: Int

    init(reasons: ReasonTable) {
        self.reasons = reasons
        failures = BackendCounter.allCases.count
        firstByte = failures + reasons.labels.count
        request = firstByte + 1 + scale.fine.count
        phases = request + 1 + scale.fine.count
        let phaseCount = BackendDuration.allCases.count - BackendDuration.queue.rawValue
        phaseLength = 1 + scale.coarse.count
        cells = CounterCells(count: phases + phaseCount * phaseLength)
    }

    // MARK: Counting

    @inline(__always)
    public func add(_ counter: BackendCounter, _ amount: UInt64 = 1) { cells.add(amount, at: counter.rawValue) }

    /// Counts a response head.
    public func response(_ status: Int) { add(.responses(status)) }

    /// Counts a failed attempt; false when the label is not in the table.
    public func failure(_ label: String) -> Bool {
        guard let place = reasons.place(of: label) else { return false }
        cells.add(1, at: failures + place)
        return true
    }

    /// Counts a duration, in nanoseconds.
    public func record(_ duration: BackendDuration, _ nanoseconds: UInt64) {
        let start = start(of: duration)
        cells.add(nanoseconds, at: start)
        switch duration.resolution {
        case .fine: cells.add(1, at: start &+ 1 &+ scale.fineBucket(nanoseconds))
        case .coarse: cells.add(1, at: start &+ 1 &+ scale.coarseBucket(nanoseconds))
        }
    }

    @inline(__always)
    private func start(of duration: BackendDuration) -> Int {
        switch duration {
        case .firstByte: firstByte
        case .request: request
        case .queue, .dns, .connect, .tls, .wait, .body:
            phases &+ (duration.rawValue &- BackendDuration.queue.rawValue) &* phaseLength
        }
    }

    // MARK: Reading

    func value(_ counter: BackendCounter) -> UInt64 { cells[counter.rawValue] }

    /// By the reason table's order.
    var failureCounts: [UInt64] { cells[failures..<firstByte] }

    func histogram(_ duration: BackendDuration) -> Histogram {
        let start = start(of: duration)
        let buckets = (start + 1)..<(start + 1 + duration.resolution.bounds.count)
        return Histogram(duration.resolution, counts: cells[buckets], sum: cells[start])
    }
}
