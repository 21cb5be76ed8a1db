// The graph of the running program: the only place that builds it.

import Balancing
import Control
import EventLoop
import Forwarding
import Foundation
import Front
import HTTPWire
import Logging
import Telemetry
import Upstream

/// Builds workers and listeners from the settings, and takes the process from its start to its end.
struct Program {
    /// The label of diagnostics.
    private static let name = "curl-lb"
    /// What the last access log lines may take to be written, in milliseconds.
    private static let logFlush = 1000

    private let settings: Settings
    private let provenance: Provenance
    private let diagnostics: Logger

    init(_ settings: Settings, _ provenance: Provenance) {
        self.settings = settings
        self.provenance = provenance
        let level = settings.logLevel
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        diagnostics = Logger(label: Self.name)
    }

    /// Runs until a signal ends it.
    ///
    /// The first SIGTERM or SIGINT drains, the second ends at once.
    func run() -> Never {
        signal(SIGPIPE, SIG_IGN)
        Buffer.giveMemoryBack()
        prepareDispatch()
        let signals = holdSignals()
        if let problem = CurlLibrary.prepare() { fail(problem) }
        let descriptors = Socket.raiseDescriptorLimit()
        do {
            // First: when its address is taken, nothing else has begun.
            let admin = try openAdmin()
            let metrics = Metrics(workers: settings.workers)
            let accessLog = try AccessLog.open(settings.accessLog, diagnostics: diagnostics)
            let workers = WorkerGroup(
                settings: ForwardingSettings(settings),
                policy: settings.policy,
                backends: [],
                pool: PoolSettings(settings),
                limits: ConnectionLimits(
                    total: settings.maxConnections,
                    perClient: settings.maxClientConnections,
                    diagnostics: diagnostics
                ),
                metrics: metrics,
                accessLog: accessLog,
                diagnostics: BackgroundLogger(diagnostics)
            )
            // Before the workers accept: they have the backends then.
            let director = PoolDirector(
                of: workers,
                policy: settings.policy,
                discovery: settings.discovery,
                diagnostics: diagnostics
            )
            try director.configure(settings.backends)
            director.waitForFirstAnswers()
            let listeners = try ListenerGroup(
                on: settings.listenAddresses,
                workers: settings.workers,
                diagnostics: diagnostics,
                stopped: { [settings] in workers.drain(settings.drainTimeout) }
            )
            // Before clients are served: a backend that is dead is known before the first request. Those that come meanwhile wait.
            let monitor = HealthMonitor(HealthSettings(settings), of: workers, diagnostics: diagnostics)
            let sources = AdminSources(
                settings,
                provenance,
                workers: workers,
                metrics: metrics,
                director: director,
                monitor: monitor,
                build: BuildStats(),
                accessLog: accessLog
            )
            admin.server?.start(sources)
            monitor.start()
            workers.accept(from: listeners)
            sources.phase = .serving
            announce(admin)
            announce(listeners, director.members, descriptors: descriptors)
            workers.notifyWhenStopped { [diagnostics] in
                admin.server?.stop()
                accessLog?.flush(milliseconds: Self.logFlush)
                let failures = metrics.failureSummary.map { "\($0.label) \($0.count)" }.joined(separator: ", ")
                diagnostics.notice("stopped; failures: \(failures.isEmpty ? "none" : failures)")
                exit(EXIT_SUCCESS)
            }
            serveSignals(signals, workers, accessLog, sources)
        } catch {
            fail("\(error)")
        }
    }

    /// The admin API, which listens already, or why there is none.
    private enum Admin {
        case off
        case listening(AdminServer)
        /// An address that nobody has asked for may be taken: two balancers on one machine are nothing to end for.
        case unavailable(AdminFailure)

        var server: AdminServer? {
            switch self {
            case .listening(let server): server
            case .off, .unavailable: nil
            }
        }
    }

    private func openAdmin() throws(AdminFailure) -> Admin {
        guard let address = settings.adminAddress else { return .off }
        do throws(AdminFailure) {
            return .listening(try AdminServer(on: address, token: settings.adminToken, diagnostics: diagnostics))
        } catch {
            guard !provenance.isAdminAddressGiven else { throw error }
            return .unavailable(error)
        }
    }

    private func announce(_ admin: Admin) {
        switch admin {
        case .off: break
        case .listening(let server): diagnostics.notice("admin API at \(server.address)")
        case .unavailable(let failure): diagnostics.warning("no admin API: \(failure); or set LB_ADMIN=off")
        }
    }

    /// Has libdispatch open its descriptors now: it does so with the first timer, and ends the process when there is none left.
    private func prepareDispatch() {
        let isReady = DispatchSemaphore(value: 0)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { isReady.signal() }
        isReady.wait()
    }

    private func fail(_ problem: String) -> Never {
        FileHandle.standardError.write(Data("curl-lb: \(problem)\n".utf8))
        exit(EXIT_FAILURE)
    }

    private func announce(_ listeners: ListenerGroup, _ members: [MemberReport], descriptors: UInt64) {
        let addresses = listeners.addresses.map(\.description).joined(separator: ", ")
        let backends = members.map { "\($0.name) (\($0.setting.origin))" }
        let sources = settings.backends.compactMap { if case .source = $0 { $0.name } else { nil } }
        var line = "listening on \(addresses); \(settings.workers) workers; \(members.count) backends"
        if !backends.isEmpty { line += ": \(backends.joined(separator: ", "))" }
        if !sources.isEmpty { line += "; sources: \(sources.joined(separator: ", "))" }
        diagnostics.notice("\(line)")
        if settings.sticky != nil, settings.stickySecret == nil {
            diagnostics.warning(
                "clients are bound to backends (LB_STICKY) until this process ends, and by this balancer alone: set LB_STICKY_SECRET"
            )
        }
        diagnostics.info("up to \(descriptors) open files; \(CurlLibrary.report.prefix(2).joined(separator: ", "))")
    }

    /// Blocks SIGTERM, SIGINT and SIGUSR1 in this thread and all that it starts, so that they wait until they are asked for.
    private func holdSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// The main thread's work from now on: SIGUSR1 opens the access log anew; the first other signal drains, the second ends.
    private func serveSignals(
        _ signals: sigset_t,
        _ workers: WorkerGroup,
        _ accessLog: AccessLog?,
        _ sources: AdminSources
    ) -> Never {
        var signals = signals
        var number: CInt = 0
        var isDraining = false
        while true {
            guard sigwait(&signals, &number) == 0 else { continue }
            switch number {
            case SIGUSR1:
                accessLog?.reopen()
            case _ where !isDraining:
                isDraining = true
                sources.phase = .draining
                diagnostics.notice("draining for at most \(settings.drainTimeout)")
                workers.stopAccepting()
            default:
                diagnostics.warning("second signal: ending at once")
                accessLog?.flush(milliseconds: Self.logFlush / 10)
                // Without the work of a proper exit, since the workers are still running.
                _exit(EXIT_FAILURE)
            }
        }
    }
}

extension BuildStats {
    /// This program, and the libraries that it runs with.
    init() {
        let libraries = CurlLibrary.report
        func library(_ index: Int) -> String { libraries.indices.contains(index) ? libraries[index] : "" }
        let tls = library(1)
        self.init(
            version: VersionReport.programVersion,
            libcurl: library(0),
            tls: tls.hasPrefix("TLS: ") ? String(tls.dropFirst("TLS: ".count)) : tls
        )
    }
}

extension ForwardingSettings {
    /// The part of the settings that workers need.
    init(_ settings: Settings) {
        self.init(
            name: settings.name,
            retries: settings.retries,
            connectTimeout: settings.connectTimeout.clampedNanoseconds,
            headTimeout: settings.headTimeout.clampedNanoseconds,
            responseTimeout: settings.responseTimeout.clampedNanoseconds,
            idleTimeout: settings.idleTimeout.clampedNanoseconds,
            upstreamIdle: settings.upstreamIdleTimeout.clampedNanoseconds,
            tunnelIdle: settings.tunnelIdleTimeout.clampedNanoseconds,
            writeTimeout: settings.writeTimeout.clampedNanoseconds,
            bodyProgress: settings.bodyPace.map {
                BodyProgress(bytes: UInt64($0.bytes), nanoseconds: $0.interval.clampedNanoseconds)
            },
            maximumPipelined: settings.maxPipelined,
            headLimits: HeadLimits(maxHeadBytes: settings.maxHeadBytes, maxFieldCount: settings.maxFields),
            accessLogStyle: settings.accessLog == .off ? nil : AccessLogStyle(settings),
            overload: OverloadSettings(settings)
        )
        trusted = settings.trusted
        addsForwarded = settings.addsForwarded
        affinity = CookieAffinity(settings)
    }
}

extension OverloadSettings {
    init(_ settings: Settings) {
        self.init(
            retryConditions: settings.retryOn,
            retryBudget: settings.retryBudget,
            queueLimit: settings.queue,
            queueTimeout: settings.queueTimeout.clampedNanoseconds,
            deadline: settings.deadline?.clampedNanoseconds,
            hedge: settings.hedge?.clampedNanoseconds
        )
    }
}

extension AccessLogStyle {
    /// Columns and colour are for a terminal that shows them, and for people who want them (no-color.org).
    init(_ settings: Settings) {
        let environment = ProcessInfo.processInfo.environment
        let isWanted = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        self.init(
            format: settings.accessLogFormat,
            fields: settings.accessLogFields,
            isForTerminal: settings.accessLog == .standardOutput && isWanted && isatty(STDOUT_FILENO) == 1,
            sample: settings.accessLogSample
        )
    }
}
