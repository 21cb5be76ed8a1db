// From the snapshot to metrics: every name that is exposed, with its meaning.

/// The metrics of a snapshot; `docs/metrics.md` is made from the same names and help lines.
public enum MetricFamilies {
    typealias Label = MetricFamily.Label
    typealias Sample = MetricFamily.Sample

    /// In front of every name but the `process_…` ones, which all of Prometheus' client libraries share.
    public static let prefix = "curl_lb_"

    public static func all(of snapshot: StatsSnapshot) -> [MetricFamily] {
        process(snapshot) + clients(snapshot.clients) + backends(snapshot.backends) + loops(snapshot.loops)
            + log(snapshot) + snapshot.additional
    }

    // MARK: The process

    private static func process(_ snapshot: StatsSnapshot) -> [MetricFamily] {
        let process = snapshot.process
        let build = [
            Label("version", snapshot.build.version), Label("libcurl", snapshot.build.libcurl),
            Label("tls", snapshot.build.tls),
        ]
        return [
            counter(
                "process_cpu_seconds_total",
                "Processor time used, user and system together.",
                [Sample(.number(process.cpuSeconds))]
            ),
            gauge("process_resident_memory_bytes", "Resident memory.", [Sample(.integer(process.residentBytes))]),
            gauge("process_virtual_memory_bytes", "Virtual memory.", [Sample(.integer(process.virtualBytes))]),
            gauge("process_open_fds", "Open file descriptors.", [Sample(.integer(UInt64(process.openDescriptors)))]),
            gauge("process_max_fds", "The most file descriptors.", [Sample(.integer(process.maximumDescriptors))]),
            gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
                [Sample(.number(process.startTime))]
            ),
            gauge("process_threads", "Threads.", [Sample(.integer(UInt64(process.threads)))]),
            gauge("uptime_seconds", "How long the process has run.", [Sample(.number(process.uptime))]),
            gauge("build_info", "1, with the versions of the program and of its libraries.", [Sample(build, 1)]),
        ]
    }

    // MARK: Clients

    private static func clients(_ clients: ClientCounts) -> [MetricFamily] {
        [
            counter(
                "client_connections_total",
                "Client connections that were taken over by a worker.",
                [Sample(.integer(clients.connectionsOpened))]
            ),
            gauge("client_connections", "Client connections.", [Sample(.integer(clients.connections))]),
            counter(
                "client_connections_refused_total",
                "Client connections that were too many: of all, of one client; unanswered ones were closed at once.",
                clients.connectionsRefused.map { Sample([Label("reason", $0.label)], $0.count) }
            ),
            counter(
                "client_requests_total",
                "Requests that are over, by method and by the class of the status sent; none when there was no response.",
                clients.requests.map { Sample([Label("method", $0.method), Label("code", $0.code)], $0.count) }
            ),
            gauge(
                "client_requests_in_flight",
                "Requests being answered.",
                [Sample(.integer(clients.requestsInFlight))]
            ),
            histogram(
                "client_request_duration_seconds",
                "From a request head's end to its response's end, whoever answered; without tunnels.",
                [Sample(.histogram(clients.duration))]
            ),
            counter(
                "client_received_bytes_total",
                "Body bytes received from clients, without framing.",
                [Sample(.integer(clients.bytesReceived))]
            ),
            counter(
                "client_sent_bytes_total",
                "Body bytes of responses, without framing.",
                [Sample(.integer(clients.bytesSent))]
            ),
            counter(
                "hedges_not_made_total",
                "Second attempts that were due (LB_HEDGE) and not made: for want of a retry budget, or of another backend's place.",
                clients.hedgesNotMade.map { Sample([Label("reason", $0.label)], $0.count) }
            ),
            counter(
                "client_tunnels_total",
                "Connections that switched protocols.",
                [Sample(.integer(clients.tunnelsOpened))]
            ),
            gauge("client_tunnels", "Connections that have switched protocols.", [Sample(.integer(clients.tunnels))]),
            counter(
                "failures_total",
                "Requests that did not end well, by the reason that stands in the access log.",
                clients.failures.map { Sample([Label("reason", $0.label)], $0.count) }
            ),
        ]
    }

    // MARK: Workers

    private static func loops(_ loops: [LoopCounts]) -> [MetricFamily] {
        func each(_ value: (LoopCounts) -> Sample.Value) -> [Sample] {
            loops.enumerated().map { Sample([Label("worker", "\($0.offset)")], value($0.element)) }
        }
        var turn = Histogram(.fine)
        var lateness = Histogram(.coarse)
        for loop in loops {
            turn += loop.turn
            lateness += loop.lateness
        }
        return [
            gauge("worker_connections", "Client connections of a worker.", each { .integer($0.connections) }),
            counter("worker_turns_total", "Turns of a worker's event loop.", each { .integer($0.turns) }),
            counter(
                "worker_busy_seconds_total",
                "Time in which a worker's event loop worked and did not wait.",
                each { .number($0.busySeconds) }
            ),
            histogram(
                "loop_turn_seconds",
                "Length of the event loops' turns: how long an event may have waited for others.",
                [Sample(.histogram(turn))]
            ),
            histogram(
                "loop_lateness_seconds",
                "How late deadlines were met; up to 1 ms is due to rounding.",
                [Sample(.histogram(lateness))]
            ),
        ]
    }

    // MARK: The log, and what should not happen

    private static func log(_ snapshot: StatsSnapshot) -> [MetricFamily] {
        var families: [MetricFamily] = []
        if let log = snapshot.accessLog {
            families = [
                counter("access_log_lines_total", "Access log lines, written or lost.", [Sample(.integer(log.lines))]),
                counter(
                    "access_log_lines_lost_total",
                    "Access log lines that were never written.",
                    [Sample(.integer(log.lost))]
                ),
                counter(
                    "access_log_lines_sampled_out_total",
                    "Access log lines that LB_ACCESS_LOG_SAMPLE left out.",
                    [Sample(.integer(snapshot.clients.logLinesSampledOut))]
                ),
            ]
        }
        families.append(
            counter(
                "surprises_total",
                "Things that should not happen and did no harm but this.",
                snapshot.surprises.map { Sample([Label("kind", $0.label)], $0.count) }
            )
        )
        return families
    }

    // MARK: Making families

    static func counter(_ name: String, _ help: String, _ samples: [Sample]) -> MetricFamily {
        MetricFamily(full(name), .counter, help, samples)
    }

    static func gauge(_ name: String, _ help: String, _ samples: [Sample]) -> MetricFamily {
        MetricFamily(full(name), .gauge, help, samples)
    }

    static func histogram(_ name: String, _ help: String, _ samples: [Sample]) -> MetricFamily {
        MetricFamily(full(name), .histogram, help, samples)
    }

    private static func full(_ name: String) -> String { name.hasPrefix("process_") ? name : prefix + name }
}
