// What was counted, as values: the parts of a snapshot.

/// A number with the word that it is counted by.
public struct LabelledCount: Sendable, Codable, Equatable {
    public var label: String
    public var count: UInt64

    public init(label: String, count: UInt64) {
        self.label = label
        self.count = count
    }
}

/// What was counted for one backend, on all workers together.
public struct BackendCounts: Sendable, Codable, Equatable {
    /// Final response heads by the hundreds of their status: `1xx` (101 only) to `5xx`, and `other`.
    public var responses: [LabelledCount]
    /// Attempts begun.
    public var attempts: UInt64 = 0
    /// Attempts that followed a failed one of the same request.
    public var retries: UInt64 = 0
    /// Attempts begun beside another one of the same request, and those of them whose response was the answer.
    public var hedges: UInt64 = 0
    public var hedgesWon: UInt64 = 0
    /// Attempts cancelled since another one of the same request had answered.
    public var outrun: UInt64 = 0
    /// Attempts that failed, by the label of the failure table.
    public var failures: [LabelledCount]
    public var connectionsOpened: UInt64 = 0
    public var connectionsClosed: UInt64 = 0
    /// Attempts on a kept connection.
    public var connectionsReused: UInt64 = 0
    /// Attempts that were made again on a fresh connection.
    public var connectionsStale: UInt64 = 0
    /// Body bytes sent to it and received from it.
    public var bytesSent: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    public var firstByte = Histogram(.fine)
    public var request = Histogram(.fine)
    public var queue = Histogram(.coarse)
    public var dns = Histogram(.coarse)
    public var connect = Histogram(.coarse)
    public var tls = Histogram(.coarse)
    public var wait = Histogram(.coarse)
    public var body = Histogram(.coarse)

    private static let classes: [(label: String, counter: BackendCounter)] = [
        ("1xx", .responses1xx), ("2xx", .responses2xx), ("3xx", .responses3xx), ("4xx", .responses4xx),
        ("5xx", .responses5xx), ("other", .responsesOther),
    ]

    /// Nothing counted.
    init(reasons: ReasonTable) {
        responses = Self.classes.map { LabelledCount(label: $0.label, count: 0) }
        failures = reasons.labels.map { LabelledCount(label: $0, count: 0) }
    }

    /// What a worker has counted.
    init(_ meter: BackendMeter) {
        responses = Self.classes.map { LabelledCount(label: $0.label, count: meter.value($0.counter)) }
        failures = zip(meter.reasons.labels, meter.failureCounts).map { LabelledCount(label: $0, count: $1) }
        attempts = meter.value(.attempts)
        retries = meter.value(.retries)
        // In this order: what has won had begun.
        hedgesWon = meter.value(.hedgesWon)
        hedges = meter.value(.hedges)
        outrun = meter.value(.outrun)
        connectionsOpened = meter.value(.connectionsOpened)
        connectionsClosed = meter.value(.connectionsClosed)
        connectionsReused = meter.value(.connectionsReused)
        connectionsStale = meter.value(.connectionsStale)
        bytesSent = meter.value(.bytesSent)
        bytesReceived = meter.value(.bytesReceived)
        firstByte = meter.histogram(.firstByte)
        request = meter.histogram(.request)
        queue = meter.histogram(.queue)
        dns = meter.histogram(.dns)
        connect = meter.histogram(.connect)
        tls = meter.histogram(.tls)
        wait = meter.histogram(.wait)
        body = meter.histogram(.body)
    }

    static func += (left: inout Self, right: Self) {
        for index in left.responses.indices { left.responses[index].count &+= right.responses[index].count }
        for index in left.failures.indices { left.failures[index].count &+= right.failures[index].count }
        left.attempts &+= right.attempts
        left.retries &+= right.retries
        left.hedges &+= right.hedges
        left.hedgesWon &+= right.hedgesWon
        left.outrun &+= right.outrun
        left.connectionsOpened &+= right.connectionsOpened
        left.connectionsClosed &+= right.connectionsClosed
        left.connectionsReused &+= right.connectionsReused
        left.connectionsStale &+= right.connectionsStale
        left.bytesSent &+= right.bytesSent
        left.bytesReceived &+= right.bytesReceived
        left.firstByte += right.firstByte
        left.request += right.request
        left.queue += right.queue
        left.dns += right.dns
        left.connect += right.connect
        left.tls += right.tls
        left.wait += right.wait
        left.body += right.body
    }

    /// Without reasons that no attempt ends by, and none has.
    func withoutIdleReasons(_ reasons: ReasonTable) -> Self {
        var counts = self
        counts.failures.removeAll { $0.count == 0 && !reasons.ofAttempts.contains($0.label) }
        return counts
    }

    /// Connections that are being made or exist.
    public var connections: UInt64 { connectionsOpened - min(connectionsOpened, connectionsClosed) }

    /// Phases in the order in which a request goes through them.
    public var phases: [(label: String, histogram: Histogram)] {
        [("queue", queue), ("dns", dns), ("connect", connect), ("tls", tls), ("wait", wait), ("body", body)]
    }
}

/// Requests of one method that ended in one class of statuses.
public struct RequestCount: Sendable, Codable, Equatable {
    public var method: String
    /// `1xx` to `5xx`, `other`, or `none` when no response was sent.
    public var code: String
    public var count: UInt64
}

/// What was counted of clients, on all workers together.
public struct ClientCounts: Sendable, Codable, Equatable {
    public var connectionsOpened: UInt64 = 0
    public var connectionsClosed: UInt64 = 0
    /// Connections that were too many, by why and what became of them.
    public var connectionsRefused: [LabelledCount]
    public var requestsBegun: UInt64 = 0
    public var requestsEnded: UInt64 = 0
    public var requests: [RequestCount]
    /// Requests that did not end well, by the label of the failure table.
    public var failures: [LabelledCount]
    /// Second attempts that were due and not made, by why.
    public var hedgesNotMade: [LabelledCount]
    public var tunnelsOpened: UInt64 = 0
    public var tunnelsClosed: UInt64 = 0
    /// Body bytes received from clients and sent to them.
    public var bytesReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var logLines: UInt64 = 0
    public var logLinesSampledOut: UInt64 = 0
    public var unknownReasons: UInt64 = 0
    /// From a request head's end to its response's end; tunnels do not count.
    public var duration = Histogram(.fine)

    private static let refusals: [(label: String, counter: WorkerCounter)] = [
        ("total", .refusedTotal), ("client", .refusedClient), ("unanswered", .refusedUnanswered),
    ]

    private static let obstacles: [(label: String, counter: WorkerCounter)] = [
        ("retry_budget", .hedgesOverBudget), ("no_place", .hedgesWithoutPlace),
    ]

    init(methods: [String], reasons: ReasonTable) {
        connectionsRefused = Self.refusals.map { LabelledCount(label: $0.label, count: 0) }
        failures = reasons.labels.map { LabelledCount(label: $0, count: 0) }
        hedgesNotMade = Self.obstacles.map { LabelledCount(label: $0.label, count: 0) }
        requests = methods.flatMap { method in
            CodeClass.allCases.map { RequestCount(method: method, code: $0.label, count: 0) }
        }
    }

    static func += (left: inout Self, right: WorkerMeter) {
        left.connectionsOpened &+= right.value(.connectionsOpened)
        left.connectionsClosed &+= right.value(.connectionsClosed)
        for (index, refusal) in Self.refusals.enumerated() {
            left.connectionsRefused[index].count &+= right.value(refusal.counter)
        }
        // In this order: what has ended had begun.
        left.requestsEnded &+= right.value(.requestsEnded)
        left.requestsBegun &+= right.value(.requestsBegun)
        for (index, count) in right.requestCounts.joined().enumerated() { left.requests[index].count &+= count }
        for (index, count) in right.failureCounts.enumerated() { left.failures[index].count &+= count }
        for (index, obstacle) in Self.obstacles.enumerated() {
            left.hedgesNotMade[index].count &+= right.value(obstacle.counter)
        }
        left.tunnelsClosed &+= right.value(.tunnelsClosed)
        left.tunnelsOpened &+= right.value(.tunnelsOpened)
        left.bytesReceived &+= right.value(.bytesReceived)
        left.bytesSent &+= right.value(.bytesSent)
        left.logLines &+= right.value(.logLines)
        left.logLinesSampledOut &+= right.value(.logLinesSampledOut)
        left.unknownReasons &+= right.value(.unknownReasons)
        left.duration += right.histogram(.request)
    }

    public var connections: UInt64 { connectionsOpened - min(connectionsOpened, connectionsClosed) }
    public var requestsInFlight: UInt64 { requestsBegun - min(requestsBegun, requestsEnded) }
    public var tunnels: UInt64 { tunnelsOpened - min(tunnelsOpened, tunnelsClosed) }
}

/// How one worker's event loop does.
public struct LoopCounts: Sendable, Codable, Equatable {
    public var connections: UInt64
    public var turns: UInt64
    public var busySeconds: Double
    public var staleEvents: UInt64
    /// How long turns took.
    public var turn: Histogram
    /// How late deadlines were met.
    public var lateness: Histogram

    init(_ meter: WorkerMeter) {
        // In this order, each once, for the worker goes on counting.
        let closed = meter.value(.connectionsClosed)
        let opened = meter.value(.connectionsOpened)
        connections = opened - min(opened, closed)
        turns = meter.value(.turns)
        busySeconds = Double(meter.value(.busyNanoseconds)) / 1e9
        staleEvents = meter.value(.staleEvents)
        turn = meter.histogram(.turn)
        lateness = meter.histogram(.lateness)
    }
}
