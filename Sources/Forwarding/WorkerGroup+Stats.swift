// The state of all workers and of the pool, for those who look at it.

internal import Balancing
internal import HTTPWire
internal import Synchronization
public import Telemetry
internal import Upstream

extension Metrics {
    /// The counters of a proxy: its methods, and the reasons of its failure table.
    public convenience init(workers: Int) {
        self.init(
            workers: workers,
            methods: HTTPWire.Method.allCases.map { $0 == .other ? "other" : $0.spelling },
            reasons: ReasonTable(ExchangeFailure.allLabels, ofAttempts: ExchangeFailure.ofAttempts.map(\.label))
        )
    }
}

extension WorkerGroup {
    /// The whole state now.
    ///
    /// Any thread but a worker's: it reads files of /proc and adds up many numbers. What a health monitor and the control plane know of
    /// the backends, they add.
    ///
    /// - Parameter name: What the balancer calls itself.
    public func stats(_ build: BuildStats, name: String = "", accessLog: AccessLog?) -> StatsSnapshot {
        let (pool, backends) = poolAndBackends()
        let clients = metrics.clientCounts()
        let additional =
            HealthMetrics.families(of: pool)
            + OverloadMetrics.families(of: overload, on: pool, failures: clients.failures)
        return StatsSnapshot(
            time: StatsSnapshot.now,
            name: name,
            build: build,
            process: .now(),
            policy: "\(pool.policy)",
            poolVersion: pool.version,
            isPanic: pool.isPanic,
            queueWaiting: queuedRequests,
            backends: backends,
            clients: clients,
            loops: metrics.loopCounts(),
            lostLogLines: accessLog == nil ? nil : metrics.lostLogLines.count,
            additional: additional + [failuresLeftOut] + (spans?.families ?? [])
        )
    }

    /// All backends, former ones last.
    ///
    /// Any thread but a worker's, as for ``stats(_:name:accessLog:)``.
    public func backends() -> [BackendStats] { poolAndBackends().backends }

    /// One backend, present or former; nil when there is none of that name.
    ///
    /// Any thread but a worker's; it reads what is counted for that one alone.
    public func backend(_ name: String) -> BackendStats? {
        let (pool, draining) = control.withLock { ($0.update, $0.draining) }
        let counts = metrics.backendCounts(of: name)
        guard let index = pool.snapshot.members.firstIndex(where: { $0.backend.name == name }) else {
            return counts.map { former(name, among: draining, $0) }
        }
        return BackendStats(pool.snapshot.members[index], at: pool.origins[index], counts ?? metrics.noCounts)
    }

    private func poolAndBackends() -> (pool: PoolSnapshot, backends: [BackendStats]) {
        let (pool, draining) = control.withLock { ($0.update, $0.draining) }
        let counted = Dictionary(uniqueKeysWithValues: metrics.backendCounts().map { ($0.name, $0.counts) })
        let members = zip(pool.snapshot.members, pool.origins).map { member, origin in
            BackendStats(member, at: origin, counted[member.backend.name] ?? metrics.noCounts)
        }
        let present = Set(members.map(\.name))
        let others = counted.filter { !present.contains($0.key) }.sorted { $0.key < $1.key }
        return (pool.snapshot, members + others.map { former($0.key, among: draining, $0.value) })
    }

    private func former(_ name: String, among draining: [Backend], _ counts: BackendCounts) -> BackendStats {
        let inFlight = draining.filter { $0.name == name }.reduce(0) { $0 + $1.inFlight.load(ordering: .relaxed) }
        return BackendStats(former: name, inFlight: inFlight, counts: counts)
    }

    private var failuresLeftOut: MetricFamily {
        MetricFamily(
            MetricFamilies.prefix + "failure_records_left_out_total",
            .counter,
            "Failed requests that the feed of failures left out, since there were too many at a time.",
            [MetricFamily.Sample(.integer(metrics.failures.leftOut))]
        )
    }
}

extension BackendStats {
    /// A member as a snapshot of the pool has it.
    fileprivate init(_ member: PoolMember, at origin: Origin, _ counts: BackendCounts) {
        self.init(
            name: member.backend.name,
            address: origin.description,
            isMember: true,
            operational: member.state.operational.rawValue,
            administrative: member.state.administrative.rawValue,
            requested: member.state.requested.rawValue,
            takesRequests: member.takesRequests,
            weight: member.weight,
            isBackup: member.isBackup,
            inFlight: member.backend.inFlight.load(ordering: .relaxed),
            maximumInFlight: member.maximumInFlight,
            counts: counts
        )
    }
}
