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

/// One backend: what it is, how it stands, and what was counted.
public struct BackendStats: Sendable, Codable, Equatable {
    public var name: String
    /// Where it is; nil for one that is no member any more.
    public var address: String?
    /// Whether it belongs to the pool; false for one that was removed, whose counters are kept.
    public var isMember: Bool
    /// `up` or `down`; nil for one that is no member.
    public var operational: String?
    /// `ready`, `drain` or `maintenance`; nil for one that is no member.
    public var administrative: String?
    public var weight: Int
    public var isBackup: Bool
    /// Requests in flight.
    public var inFlight: Int
    /// The most requests in flight; 0 for any number.
    public var maximumInFlight: Int
    public var counts: BackendCounts

    public init(
        name: String,
        address: String?,
        isMember: Bool,
        operational: String?,
        administrative: String?,
        weight: Int,
        isBackup: Bool,
        inFlight: Int,
        maximumInFlight: Int,
        counts: BackendCounts
    ) {
        self.name = name
        self.address = address
        self.isMember = isMember
        self.operational = operational
        self.administrative = administrative
        self.weight = weight
        self.isBackup = isBackup
        self.inFlight = inFlight
        self.maximumInFlight = maximumInFlight
        self.counts = counts
    }

    /// One that is no member any more.
    public init(former name: String, inFlight: Int, counts: BackendCounts) {
        self.init(
            name: name,
            address: nil,
            isMember: false,
            operational: nil,
            administrative: nil,
            weight: 0,
            isBackup: false,
            inFlight: inFlight,
            maximumInFlight: 0,
            counts: counts
        )
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
    public var build: BuildStats
    public var process: ProcessStats
    public var policy: String
    /// Grows with each change of the pool.
    public var poolVersion: UInt64
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
        build: BuildStats,
        process: ProcessStats,
        policy: String,
        poolVersion: UInt64,
        backends: [BackendStats],
        clients: ClientCounts,
        loops: [LoopCounts],
        lostLogLines: UInt64?,
        additional: [MetricFamily] = []
    ) {
        self.time = time
        self.build = build
        self.process = process
        self.policy = policy
        self.poolVersion = poolVersion
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
