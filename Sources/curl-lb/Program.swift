// The graph of the running program: the only place that builds it.

import Balancing
import Control
import EventLoop
import Forwarding
import Foundation
import Front
import Logging
import Synchronization
import Telemetry
import Upstream

/// Builds workers and listeners from the settings, and takes the process from its start to its end.
struct Program {
    /// The label of diagnostics.
    private static let name = "curl-lb"
    /// What the last lines may take to be written, of the access log and of the diagnostics each, in milliseconds.
    static let lastLines = 1000

    private let settings: Settings
    private let provenance: Provenance
    /// The variables as they were at the start.
    private let environment = ProcessInfo.processInfo.environment
    private let level: DiagnosticsLevel
    private let output = DiagnosticsOutput(to: STDERR_FILENO, label: name)
    private let diagnostics: Logger

    /// - Parameter provenance: Where the settings came from: they are read there again.
    init(_ settings: Settings, _ provenance: Provenance) {
        self.settings = settings
        self.provenance = provenance
        let level = DiagnosticsLevel(settings.logLevel)
        self.level = level
        LoggingSystem.bootstrap { [output] label in
            DiagnosticsHandler(StreamLogHandler(label: label, stream: output), level: level)
        }
        diagnostics = Logger(label: Self.name)
    }

    /// Runs until a signal ends it, or another process has taken over.
    func run() -> Never {
        signal(SIGPIPE, SIG_IGN)
        let signals = HeldSignals(diagnostics, output)
        let successor = Successor(environment, diagnostics: diagnostics)
        Buffer.giveMemoryBack()
        prepareDispatch()
        let notifier = ServiceNotifier(environment)
        notifier.clearEnvironment()
        if let problem = CurlLibrary.prepare() { fail(problem) }
        let descriptors = Socket.raiseDescriptorLimit()
        do {
            let (addresses, inherited, former) = try takeSockets()
            let admin = RunningAdmin(settings, provenance, diagnostics)
            // Before anything has begun, for its address may be taken: by the former process, if there is one.
            if former == nil { try admin.open() }
            let metrics = Metrics(workers: settings.workers)
            let accessLog = try AccessLog.open(settings.accessLog, lost: metrics.lostLogLines, diagnostics: diagnostics)
            let limits = ConnectionLimits(
                total: settings.maxConnections,
                perClient: settings.maxClientConnections,
                diagnostics: diagnostics
            )
            let spans = settings.followsTraces && settings.traceEndpoint != nil ? SpanQueue() : nil
            let workers = WorkerGroup(
                settings: ForwardingSettings(settings),
                policy: settings.policy,
                backends: [],
                pool: PoolSettings(settings),
                limits: limits,
                metrics: metrics,
                accessLog: accessLog,
                spans: spans,
                diagnostics: diagnostics
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
            let monitor = HealthMonitor(HealthSettings(settings), of: workers, diagnostics: diagnostics)
            let parts = RunningParts(
                workers: workers,
                director: director,
                monitor: monitor,
                limits: limits,
                level: level,
                accessLog: accessLog,
                lostLines: metrics.lostLogLines,
                diagnostics: diagnostics
            )
            let live = LiveSettings(
                settings,
                environment: environment,
                arguments: provenance.arguments,
                diagnostics: diagnostics,
                around: { isBeginning in if isBeginning { notifier.reloading() } else { notifier.reloaded() } },
                apply: { try parts.apply($0, replacing: $1) }
            )
            let ending = Ending(of: workers, live, notifier, isService: former == nil, diagnostics) { [output] limit in
                workers.handOverLines(milliseconds: limit)
                parts.flushAccessLogs(milliseconds: limit)
                output.flush(milliseconds: limit)
            }
            let listeners = try ListenerGroup(
                on: addresses,
                inheriting: inherited,
                workers: settings.workers,
                diagnostics: diagnostics,
                stopped: { ending.acceptingHasEnded() }
            )
            // Until it is told that this one serves.
            if let former { listeners.leave(Set(former.sockets.map(\.descriptor))) }
            signals.ifEndedEarly { listeners.abandon() }
            // Before clients are served: a backend that is dead is known before the first request. Those that come meanwhile wait.
            let sources = AdminSources(
                settings,
                provenance,
                workers: workers,
                metrics: metrics,
                director: director,
                monitor: monitor,
                build: BuildStats(),
                settingsFile: provenance.arguments.isEmpty
                    ? settings.environmentFile.map {
                        SettingsFilePlace(path: $0, inherited: environment["LB_BACKENDS"])
                    } : nil,
                accessLog: { parts.accessLog }
            )
            admin.start(sources)
            monitor.start()
            let exporter = makeExporter(of: spans)
            exporter?.start()
            let giver = TakeoverGiver(
                listeners,
                at: settings.takeoverPlace,
                diagnostics: diagnostics,
                TakeoverGiver.Parts(
                    leave: {
                        admin.stop()
                        ending.leave()
                    },
                    stay: {
                        notifier.mainProcess(is: Int(getpid()))
                        // The kernel may have told the other one of a connection that it has left.
                        workers.lookForConnections()
                    }
                )
            )
            workers.notifyWhenStopped { [diagnostics, output] in
                giver.waitForFarewell()
                admin.stop()
                monitor.stop()
                parts.flushAccessLogs(milliseconds: Self.lastLines)
                exporter?.stop()
                signals.passOver()
                diagnostics.notice("\(Self.lastWords(metrics, spans))")
                output.flush(milliseconds: Self.lastLines)
                exit(ending.exitCode)
            }
            do { try former?.demandSuccession() } catch {
                listeners.abandon()
                throw error
            }
            signals.serve(ending) { workers.accept(from: listeners) }
            // Before the former process is let go of: the service manager must not find that the service has ended.
            notifier.ready(status: "serving on \(listeners.addresses.map(\.description).joined(separator: ", "))")
            WatchdogThread.start(workers, notifier, diagnostics)
            if takeOver(from: former, listeners, workers, ending, notifier) {
                if former != nil { admin.takeOver(sources) }
                sources.phase = .serving
                ending.willEnd { sources.phase = .draining }
                live.observe { sources.settingsChanged(to: $0.settings, $0.provenance, $0.summary) }
                giver.start()
                ending.willEndAccepting { giver.acceptingHasEnded() }
                announce(listeners, director.members, descriptors: descriptors)
                live.watch()
            }
            signals.waitForOthers(parts, live) { successor.start(for: giver) { ending.isDraining } }
        } catch {
            fail("\(error)")
        }
    }

    private func makeExporter(of spans: SpanQueue?) -> SpanExporter? {
        guard let spans, let endpoint = settings.traceEndpoint else { return nil }
        return SpanExporter(
            spans,
            to: endpoint,
            headers: settings.traceHeaders,
            name: settings.name,
            diagnostics: diagnostics
        )
    }

    /// What failed, by reason, and what was never told elsewhere.
    private static func lastWords(_ metrics: Metrics, _ spans: SpanQueue?) -> String {
        let failures = metrics.failureSummary.map { "\($0.label) \($0.count)" }.joined(separator: ", ")
        let losses = [
            ("log lines", metrics.lostLogLines.count), ("spans", spans?.lost ?? 0),
        ].filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return "stopped; failures: \(failures.isEmpty ? "none" : failures)\(losses.isEmpty ? "" : "; lost: \(losses)")"
    }

    /// Has libdispatch open its descriptors now: it does so with the first timer, and ends the process when there is none left.
    private func prepareDispatch() {
        let isReady = DispatchSemaphore(value: 0)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { isReady.signal() }
        isReady.wait()
    }

    private func fail(_ problem: String) -> Never {
        output.flush(milliseconds: Self.lastLines)
        FileHandle.standardError.write(Data("curl-lb: \(problem)\n".utf8))
        exit(EXIT_FAILURE)
    }

    // MARK: Sockets that others have made

    /// The addresses to listen on, the sockets that are there already, and the process that is taken over from.
    private func takeSockets() throws -> ([ListenAddress], [InheritedSocket], TakeoverTaker?) {
        let activated = try SocketActivation.take(environment)
        let former =
            provenance.isTakeover
            ? try TakeoverTaker.ask(
                at: settings.takeoverPlace,
                addresses: settings.listenAddresses,
                environment: environment
            ) : nil
        if provenance.isTakeover, former == nil {
            diagnostics.warning("--takeover: no process is found that could be taken over from; starting by itself")
        }
        // A socket unit's sockets are listened on as a matter of course, also those that the former process has got; LB_LISTEN may
        // name more.
        let passed = former?.sockets ?? []
        let units = activated + passed.filter { !$0.isOwned }
        var addresses = units.isEmpty || provenance.isListenGiven ? settings.listenAddresses : []
        for socket in units where !addresses.contains(socket.address) { addresses.append(socket.address) }
        return (addresses, activated + passed, former)
    }

    /// Has the former process, if there is one, accept no more.
    ///
    /// - Returns: Whether this process is the one that serves; else it ends.
    private func takeOver(
        from former: TakeoverTaker?,
        _ listeners: ListenerGroup,
        _ workers: WorkerGroup,
        _ ending: Ending,
        _ notifier: ServiceNotifier
    ) -> Bool {
        guard let former else { return true }
        guard ending.becomeService({ former.sayReady(listeners) }) else {
            diagnostics.notice("ended before it has taken over from process \(former.pid), which serves on")
            notifier.mainProcess(is: former.pid)
            notifier.fallSilent()
            return false
        }
        switch former.outcome() {
        case .refused(let reason):
            diagnostics.error("process \(former.pid) serves on: \(reason)")
            notifier.mainProcess(is: former.pid)
            ending.giveUp()
            return false
        case .gone: diagnostics.notice("taken over from process \(former.pid); it finishes what it has")
        case .ended: diagnostics.notice("taken over from process \(former.pid), which has ended meanwhile")
        case .silent:
            diagnostics.warning("taken over from process \(former.pid), which has not said that it accepts no more")
        }
        listeners.takeBack()
        // Of what came in between the kernel may have told the other process alone.
        workers.lookForConnections()
        return true
    }

    private func announce(_ listeners: ListenerGroup, _ members: [MemberReport], descriptors: UInt64) {
        let addresses = listeners.addresses.map(\.description).joined(separator: ", ")
        let backends = members.map { "\($0.name) (\($0.setting.origin))" }
        let sources = settings.backends.compactMap { if case .source = $0 { $0.name } else { nil } }
        var line = "listening on \(addresses); \(settings.workers) workers; \(members.count) backends"
        if !backends.isEmpty { line += ": \(backends.joined(separator: ", "))" }
        if !sources.isEmpty { line += "; sources: \(sources.joined(separator: ", "))" }
        diagnostics.notice("\(line)")
        warnOfRandomKey(settings, diagnostics)
        diagnostics.info("up to \(descriptors) open files; \(CurlLibrary.report.prefix(2).joined(separator: ", "))")
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
