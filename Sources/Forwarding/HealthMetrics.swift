// What metrics say of the backends' health.

internal import Balancing
internal import Synchronization
internal import Telemetry

/// The families that the pool's snapshot and the backends' counters make.
enum HealthMetrics {
    static func families(of snapshot: PoolSnapshot) -> [MetricFamily] {
        func family(
            _ name: String,
            _ kind: MetricFamily.Kind,
            _ help: String,
            _ samples: [MetricFamily.Sample]
        ) -> MetricFamily { MetricFamily(MetricFamilies.prefix + name, kind, help, samples) }
        func label(_ member: PoolMember) -> MetricFamily.Label { MetricFamily.Label("backend", member.backend.name) }
        return [
            family(
                "panic",
                .gauge,
                "1 while no backend is usable and requests go to all that are ready, else 0.",
                [MetricFamily.Sample(.integer(snapshot.isPanic ? 1 : 0))]
            ),
            family(
                "backends_usable",
                .gauge,
                "How many backends take requests; with 0 they go to all that are ready (panic mode), or are answered with 503.",
                [MetricFamily.Sample(.integer(UInt64(snapshot.members.count(where: \.takesRequests))))]
            ),
            family(
                "backend_operational_state",
                .gauge,
                "1 for the operational state that the backend is in, 0 for the others.",
                snapshot.members.flatMap { member in
                    OperationalState.allCases.map { state in
                        MetricFamily.Sample(
                            [label(member), MetricFamily.Label("state", state.rawValue)],
                            member.state.operational == state ? 1 : 0
                        )
                    }
                }
            ),
            family(
                "backend_weight_percent",
                .gauge,
                "How much of the backend's weight counts: less than 100 in slow start, or when the backend asks for less.",
                snapshot.members.map { MetricFamily.Sample([label($0)], UInt64($0.weightPercent)) }
            ),
            family(
                "backend_ejections_total",
                .counter,
                "How often the backend was ejected because of what live traffic showed, since it became a member.",
                snapshot.members.map {
                    MetricFamily.Sample([label($0)], $0.backend.ejections.load(ordering: .relaxed))
                }
            ),
        ]
    }
}
