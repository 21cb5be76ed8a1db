// The whole state at one time, as a value: what the metrics endpoint, the dashboard and the terminal show.

/// Which program this is.
public struct BuildStats: Sendable, Codable, Equatable {
    public var version: String
    /// The libcurl that it runs with, and that one's TLS library.
    public var libcurl: String
    public var tls: String

    public init(version: String, libcurl: String, tls: String) {
        self.version = version
        self.libcurl = libcurl
        self.tls = tls
    }
}

/// How the access log does.
public struct LogStats: Sendable, Codable, Equatable {
    /// Lines handed to it, written or not.
    public var lines: UInt64
    /// Lines that were never written.
    public var lost: UInt64
}

/// The whole state of the process.
///
/// Made on a thread that may take its time; counters of different workers are read one after the other while they go on.
public struct StatsSnapshot: Sendable, Codable, Equatable {
    /// When it was made, in seconds since 1970.
    public var time: Double
    /// What this balancer calls itself.
    public var name: String
    public var build: BuildStats
    public var process: ProcessStats
    public var policy: String
    /// Grows with each change of the pool.
    public var poolVersion: UInt64
    /// Whether no backend is usable, and requests go to all that are ready.
    public var isPanic: Bool
    /// Requests that wait for a place at a backend.
    public var queueWaiting: Int
    /// Members in the list's order, then former ones.
    public var backends: [BackendStats]
    public var clients: ClientCounts
    /// One for each worker.
    public var loops: [LoopCounts]
    /// Nil when there is no access log.
    public var accessLog: LogStats?
    /// What should not happen, and how often it did.
    public var surprises: [LabelledCount]
    /// What other parts of the program have to say, ready for the exposition.
    public var additional: [MetricFamily] = []

    public init(
        time: Double,
        name: String = "",
        build: BuildStats,
        process: ProcessStats,
        policy: String,
        poolVersion: UInt64,
        isPanic: Bool = false,
        queueWaiting: Int = 0,
        backends: [BackendStats],
        clients: ClientCounts,
        loops: [LoopCounts],
        lostLogLines: UInt64?,
        additional: [MetricFamily] = []
    ) {
        self.time = time
        self.name = name
        self.build = build
        self.process = process
        self.policy = policy
        self.poolVersion = poolVersion
        self.isPanic = isPanic
        self.queueWaiting = queueWaiting
        self.backends = backends
        self.clients = clients
        self.loops = loops
        accessLog = lostLogLines.map { LogStats(lines: clients.logLines, lost: $0) }
        self.additional = additional
        surprises = [
            LabelledCount(label: "stale_event", count: loops.reduce(0) { $0 &+ $1.staleEvents }),
            LabelledCount(label: "unknown_reason", count: clients.unknownReasons),
            LabelledCount(label: "log_line_lost", count: lostLogLines ?? 0),
        ]
    }

    /// The time of day in seconds since 1970, for ``time``.
    public static var now: Double { ProcessStats.realTime() }
}
