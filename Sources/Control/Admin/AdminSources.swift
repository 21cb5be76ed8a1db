// What the admin API shows and changes: the parts of the running program, put together for it.

internal import Balancing
public import Forwarding
internal import Synchronization
public import Telemetry

/// How far the program is.
public enum AdminPhase: UInt8, Sendable {
    /// Clients are not served yet.
    case starting
    case serving
    /// No more connections are accepted.
    case draining
}

/// Where backends are written to when the operator wants to keep them.
public struct SettingsFilePlace: Sendable {
    public let path: String
    /// The value of `LB_BACKENDS` in the environment.
    public let inherited: String?

    public init(path: String, inherited: String?) {
        self.path = path
        self.inherited = inherited
    }
}

/// Where the admin API reads how things stand.
struct AdminReading: Sendable {
    /// The whole state, without what director and health know.
    let stats: @Sendable () -> StatsSnapshot
    /// The backends of it.
    let backends: @Sendable () -> [BackendStats]
    /// The one of that name.
    let backend: @Sendable (String) -> BackendStats?
    /// What is known of the backends' health, or of that of one.
    let health: @Sendable (String?) -> HealthReport?
    /// The backends as they stand.
    let pool: @Sendable () -> PoolSnapshot?
}

/// The parts of the program that the admin API works on.
///
/// Any thread but a worker's.
public final class AdminSources: Sendable {
    /// How long a change may take to hold for every worker until its answer says that it does not; the API answers nobody meanwhile.
    private static let adoptionTime = Duration.seconds(2)

    let director: PoolDirector
    let failures: FailureFeed
    /// Nil when the backends do not come from a file.
    let settingsFile: SettingsFilePlace?
    /// What has changed lately.
    let journal: ChangeJournal
    private let shownSettings: Mutex<[SettingReport]>
    private let reading: AdminReading
    private let adoption: @Sendable () -> Bool
    private let phaseNumber = Atomic<UInt8>(AdminPhase.starting.rawValue)

    /// The parts of a running balancer.
    public convenience init(
        _ settings: Settings,
        _ provenance: Provenance,
        workers: WorkerGroup,
        metrics: Metrics,
        director: PoolDirector,
        monitor: HealthMonitor,
        build: BuildStats,
        settingsFile: SettingsFilePlace?,
        accessLog: @escaping @Sendable () -> AccessLog?
    ) {
        let journal = ChangeJournal()
        monitor.observe { journal.note(.health, backend: $0.backend, $0.text) }
        self.init(
            director: director,
            settings: SettingsDocument.report(settings, provenance),
            settingsFile: settingsFile,
            failures: metrics.failures,
            journal: journal,
            reading: AdminReading(
                stats: { [name = settings.name] in workers.stats(build, name: name, accessLog: accessLog()) },
                backends: { workers.backends() },
                backend: { workers.backend($0) },
                health: { monitor.report(of: $0) },
                pool: { workers.pool }
            ),
            adoption: { workers.waitForAdoption(within: Self.adoptionTime) }
        )
    }

    /// - Parameter adoption: Waits until what was changed holds for every worker; false when it does not after a while.
    init(
        director: PoolDirector,
        settings: [SettingReport],
        settingsFile: SettingsFilePlace? = nil,
        failures: FailureFeed,
        journal: ChangeJournal,
        reading: AdminReading,
        adoption: @escaping @Sendable () -> Bool
    ) {
        self.director = director
        shownSettings = Mutex(settings)
        self.failures = failures
        self.settingsFile = settingsFile
        self.journal = journal
        self.reading = reading
        self.adoption = adoption
        director.observe { journal.note($0) }
    }

    /// How far the program is.
    public var phase: AdminPhase {
        get { AdminPhase(rawValue: phaseNumber.load(ordering: .relaxed)) ?? .starting }
        set { phaseNumber.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// The effective settings, without secrets.
    var settings: [SettingReport] { shownSettings.withLock { $0 } }

    /// Shows other settings from now on.
    ///
    /// - Parameter text: What has changed, for those who watch.
    public func settingsChanged(to settings: Settings, _ provenance: Provenance, _ text: String) {
        shownSettings.withLock { $0 = SettingsDocument.report(settings, provenance) }
        journal.note(.settings, text)
    }

    /// Whether a backend is usable.
    var isAnyUsable: Bool { reading.pool()?.members.contains(where: \.takesRequests) ?? false }

    /// Waits until what was changed holds for every worker; false when it does not after a while.
    func waitForAdoption() -> Bool { adoption() }

    /// The whole state now.
    func snapshot() -> StatsSnapshot {
        var snapshot = reading.stats()
        complete(&snapshot.backends)
        return snapshot
    }

    /// The backends now.
    func backends() -> [BackendStats] {
        var backends = reading.backends()
        complete(&backends)
        return backends
    }

    /// One backend now; nil when there is none of that name.
    func backend(_ name: String) -> BackendStats? {
        guard var backend = reading.backend(name) else { return nil }
        guard backend.isMember else { return backend }
        backend.source = director.members.first { $0.name == name }?.source.description
        let report = reading.health(name)
        if let report, let member = report.members.first { backend.health = BackendHealthStats(member, of: report) }
        return backend
    }

    /// Adds what director and health know.
    private func complete(_ backends: inout [BackendStats]) {
        let sources = Dictionary(director.members.map { ($0.name, $0.source) }) { first, _ in first }
        let report = reading.health(nil)
        let members = Dictionary((report?.members ?? []).map { ($0.name, $0) }) { first, _ in first }
        for index in backends.indices where backends[index].isMember {
            let name = backends[index].name
            backends[index].source = sources[name]?.description
            guard let report, let member = members[name] else { continue }
            backends[index].health = BackendHealthStats(member, of: report)
        }
    }
}

extension BackendHealthStats {
    /// What a report says of one of its members.
    init(_ member: HealthReport.Member, of report: HealthReport) {
        func seconds(since time: UInt64) -> Double { Double(report.time - min(time, report.time)) / 1e9 }
        self.init(
            weightPercent: member.weightPercent,
            check: report.isChecking ? member.checkPath ?? "connect" : "off",
            ejections: member.ejectionCount,
            ejection: member.ejection.map {
                Ejection(
                    reason: "\($0.reason)",
                    age: seconds(since: $0.since),
                    endsIn: Double($0.until - min($0.until, report.time)) / 1e9
                )
            },
            latestChange: member.latestChange.map {
                Change(age: seconds(since: $0.time), text: HealthNews($0).text)
            },
            probes: member.probes.map { probe in
                Probe(
                    age: seconds(since: probe.time),
                    isGood: probe.outcome.isPassed,
                    text: probe.outcome.text,
                    milliseconds: Double(probe.outcome.nanoseconds / 1000) / 1000
                )
            }
        )
    }
}
