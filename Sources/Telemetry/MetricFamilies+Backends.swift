// The metrics of backends.

extension MetricFamilies {
    static func backends(_ backends: [BackendStats]) -> [MetricFamily] {
        let members = backends.filter(\.isMember)
        return standing(members) + counted(backends) + durations(backends)
    }

    private static func label(_ backend: BackendStats) -> Label { Label("backend", backend.name) }

    /// What members are and how they stand.
    private static func standing(_ members: [BackendStats]) -> [MetricFamily] {
        func each(_ value: (BackendStats) -> UInt64) -> [Sample] { members.map { Sample([label($0)], value($0)) } }
        return [
            gauge(
                "backend_info",
                "1, with where the backend is and whether it is a backup.",
                members.map {
                    Sample(
                        [
                            label($0), Label("address", $0.address ?? ""),
                            Label("backup", $0.isBackup ? "true" : "false"),
                        ],
                        1
                    )
                }
            ),
            gauge(
                "backend_up",
                "1 when the backend works as far as is known, else 0.",
                each { $0.operational == "up" ? 1 : 0 }
            ),
            gauge(
                "backend_state",
                "1 for the administrative state that holds, the stricter of the operator's word and the backend's own; 0 for the others.",
                members.flatMap { member in
                    BackendStats.administrativeStates.map { state in
                        Sample([label(member), Label("state", state)], member.effectiveAdministrative == state ? 1 : 0)
                    }
                }
            ),
            gauge(
                "backend_takes_requests",
                "1 when requests go to the backend unless it is full, else 0.",
                each { $0.takesRequests ? 1 : 0 }
            ),
            gauge("backend_weight", "The backend's share beside the others'.", each { UInt64(max(0, $0.weight)) }),
            gauge(
                "backend_requests_in_flight_limit",
                "The most requests in flight at the backend (max_conns); 0 for any number.",
                each { UInt64(max(0, $0.maximumInFlight)) }
            ),
        ]
    }

    /// What was counted, of former members, too.
    private static func counted(_ backends: [BackendStats]) -> [MetricFamily] {
        func each(_ value: (BackendStats) -> UInt64) -> [Sample] { backends.map { Sample([label($0)], value($0)) } }
        return [
            gauge(
                "backend_requests_in_flight",
                "Requests in flight at the backend.",
                each { UInt64(max(0, $0.inFlight)) }
            ),
            counter(
                "backend_responses_total",
                "Response heads that came from the backend, by the class of their status; 101 is the only 1xx.",
                backends.flatMap { backend in
                    backend.counts.responses.map { Sample([label(backend), Label("code", $0.label)], $0.count) }
                }
            ),
            counter("backend_attempts_total", "Attempts at the backend.", each { $0.counts.attempts }),
            counter(
                "backend_retries_total",
                "Attempts at the backend that followed a failed one of the same request.",
                each { $0.counts.retries }
            ),
            counter(
                "backend_hedges_total",
                "Attempts at the backend that were begun beside one at another backend (LB_HEDGE).",
                each { $0.counts.hedges }
            ),
            counter(
                "backend_hedges_won_total",
                "Those of them whose response was the answer.",
                each { $0.counts.hedgesWon }
            ),
            counter(
                "backend_outrun_total",
                "Attempts at the backend that were cancelled since another backend had answered (LB_HEDGE).",
                each { $0.counts.outrun }
            ),
            counter(
                "backend_failures_total",
                "Attempts at the backend that failed, by the reason that stands in the access log.",
                backends.flatMap { backend in
                    backend.counts.failures.map { Sample([label(backend), Label("reason", $0.label)], $0.count) }
                }
            ),
            counter(
                "backend_connections_total",
                "Connections to the backend that were begun to be made.",
                each { $0.counts.connectionsOpened }
            ),
            gauge("backend_connections", "Connections to the backend.", each { $0.counts.connections }),
            counter(
                "backend_connections_reused_total",
                "Attempts at the backend on a kept connection.",
                each { $0.counts.connectionsReused }
            ),
            counter(
                "backend_connections_stale_total",
                "Attempts that were made again on a fresh connection, because a kept one had died.",
                each { $0.counts.connectionsStale }
            ),
            counter(
                "backend_sent_bytes_total",
                "Body bytes sent to the backend, without framing.",
                each { $0.counts.bytesSent }
            ),
            counter(
                "backend_received_bytes_total",
                "Body bytes received from the backend, without framing.",
                each { $0.counts.bytesReceived }
            ),
        ]
    }

    private static func durations(_ backends: [BackendStats]) -> [MetricFamily] {
        [
            histogram(
                "backend_first_byte_seconds",
                "From the request head's end to the first response byte handed to the client; without tunnels.",
                backends.map { Sample([label($0)], .histogram($0.counts.firstByte)) }
            ),
            histogram(
                "backend_request_duration_seconds",
                "From the request head's end to the end of the backend's response; without tunnels.",
                backends.map { Sample([label($0)], .histogram($0.counts.request)) }
            ),
            histogram(
                "backend_phase_seconds",
                "How long each part took: queue (of requests that waited for a place), dns, connect and tls (of connections"
                    + " made), wait (from the request's end to the response head), body.",
                backends.flatMap { backend in
                    // A phase that the backend does not have, such as tls without TLS, is left out.
                    backend.counts.phases.filter { !$0.histogram.isEmpty }
                        .map { Sample([label(backend), Label("phase", $0.label)], .histogram($0.histogram)) }
                }
            ),
        ]
    }
}
