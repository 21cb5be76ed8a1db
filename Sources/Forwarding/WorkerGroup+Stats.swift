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
        let (pool, draining) = control.withLock { ($0.update, $0.draining) }
        let counted = Dictionary(uniqueKeysWithValues: metrics.backendCounts().map { ($0.name, $0.counts) })
        let members = zip(pool.snapshot.members, pool.origins).map { member, origin in
            BackendStats(
                name: member.backend.name,
                address: origin.description,
                isMember: true,
                operational: member.state.operational.rawValue,
                administrative: member.state.administrative.rawValue,
                weight: member.weight,
                isBackup: member.isBackup,
                inFlight: member.backend.inFlight.load(ordering: .relaxed),
                maximumInFlight: member.maximumInFlight,
                counts: counted[member.backend.name] ?? metrics.noCounts
            )
        }
        let present = Set(members.map(\.name))
        let former = counted.filter { !present.contains($0.key) }.sorted { $0.key < $1.key }.map { name, counts in
            let inFlight = draining.filter { $0.name == name }.reduce(0) { $0 + $1.inFlight.load(ordering: .relaxed) }
            return BackendStats(former: name, inFlight: inFlight, counts: counts)
        }
        let clients = metrics.clientCounts()
        let additional =
            HealthMetrics.families(of: pool.snapshot)
            + OverloadMetrics.families(of: overload, on: pool.snapshot, failures: clients.failures)
        return StatsSnapshot(
            time: StatsSnapshot.now,
            name: name,
            build: build,
            process: .now(),
            policy: "\(pool.snapshot.policy)",
            poolVersion: pool.snapshot.version,
            isPanic: pool.snapshot.isPanic,
            queueWaiting: queuedRequests,
            backends: members + former,
            clients: clients,
            loops: metrics.loopCounts(),
            lostLogLines: accessLog == nil ? nil : metrics.lostLogLines.count,
            additional: additional + [failuresLeftOut] + (spans?.families ?? [])
        )
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
