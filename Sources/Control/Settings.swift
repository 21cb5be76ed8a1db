// Everything an operator can set, as one value, and how it is read from the environment and the command line.

public import Balancing
import Configuration
public import Front
public import Logging
public import Telemetry

/// The effective settings of one process.
///
/// Every default, range and help line stands in ``SettingsTable``; a value of this type has passed all its checks.
public struct Settings: Sendable, Equatable {
    /// The file whose settings stand over those of the environment; nil for none.
    public var environmentFile: String? = SettingsTable.environmentFile.defaultValue
    /// Where clients connect; at least one address.
    public var listenAddresses: [ListenAddress] = SettingsTable.listen.defaultValue
    /// Where a process that is to take over from this one finds it.
    public var takeoverPlace: TakeoverPlace = SettingsTable.takeoverSocket.defaultValue
    /// The backends and sources of backends in the order given; at least one after ``load(environment:arguments:)``, names are unique.
    public var backends: [BackendEntry] = SettingsTable.backends.defaultValue
    /// How often a name in `dns://` is looked up.
    public var dnsInterval: Duration = SettingsTable.dnsInterval.defaultValue
    /// How often a program in `exec:` is run.
    public var execInterval: Duration = SettingsTable.execInterval.defaultValue
    /// How long such a program may run.
    public var execTimeout: Duration = SettingsTable.execTimeout.defaultValue
    /// By which rule the backend of an attempt is chosen.
    public var policy: Policy = SettingsTable.policy.defaultValue
    /// How clients are bound to backends; nil when they are not.
    public var sticky: StickySetting? = SettingsTable.sticky.defaultValue
    /// What tokens of bound clients are made with; nil for something random.
    public var stickySecret: StickySecret? = SettingsTable.stickySecret.defaultValue
    /// What this balancer calls itself in `Via` and `Proxy-Status`.
    public var name: String = SettingsTable.name.defaultValue
    /// How many workers run.
    public var workers: Int = SettingsTable.workers.defaultValue
    /// How many further attempts a failed one may be followed by.
    public var retries: Int = SettingsTable.retries.defaultValue
    /// After which outcomes an attempt may be followed by another.
    public var retryOn: RetryConditions = SettingsTable.retryOn.defaultValue
    /// How much of what is in flight may be retries, in percent.
    public var retryBudget: Int = SettingsTable.retryBudget.defaultValue
    /// How many requests may wait for a place at a backend, of all workers together; zero for none.
    public var queue: Int = SettingsTable.queue.defaultValue
    /// How long a request may wait for a place at a backend.
    public var queueTimeout: Duration = SettingsTable.queueTimeout.defaultValue
    /// The limit from a request head's end to the response head, all attempts and the queue included; nil for none.
    public var deadline: Duration? = SettingsTable.deadline.defaultValue
    /// How long an attempt may bring no response head before a second backend is asked beside it; nil for ever.
    public var hedge: Duration? = SettingsTable.hedge.defaultValue
    /// The limit of one attempt's name lookup, TCP and TLS together.
    public var connectTimeout: Duration = SettingsTable.connectTimeout.defaultValue
    /// The limit from the first byte of a request head to its last; more bytes do not extend it.
    public var headTimeout: Duration = SettingsTable.headTimeout.defaultValue
    /// The limit from the request's last byte to the response head.
    public var responseTimeout: Duration = SettingsTable.responseTimeout.defaultValue
    /// How long an exchange may move no byte in either direction, and a client connection may wait for a request.
    public var idleTimeout: Duration = SettingsTable.idleTimeout.defaultValue
    /// How long an unused backend connection is kept; zero keeps none.
    public var upstreamIdleTimeout: Duration = SettingsTable.upstreamIdle.defaultValue
    /// How long a connection that has switched protocols may move no byte in either direction.
    public var tunnelIdleTimeout: Duration = SettingsTable.tunnelIdle.defaultValue
    /// How long a client may take no byte of a response that waits for it.
    public var writeTimeout: Duration = SettingsTable.writeTimeout.defaultValue
    /// What a client must move while it is waited for in the middle of a body; nil for any pace.
    public var bodyPace: BodyPace? = SettingsTable.bodyPace.defaultValue
    /// What SIGTERM grants to exchanges in flight; zero cuts them at once.
    public var drainTimeout: Duration = SettingsTable.drainTimeout.defaultValue
    /// The limit of a request head or a response head, in bytes.
    public var maxHeadBytes: Int = SettingsTable.maxHeader.defaultValue
    /// The most field lines in a request head or a response head.
    public var maxFields: Int = SettingsTable.maxFields.defaultValue
    /// The most requests that may arrive on a connection before the first of them is answered.
    public var maxPipelined: Int = SettingsTable.maxPipelined.defaultValue
    /// The most client connections at one time.
    public var maxConnections: Int = SettingsTable.maxConnections.defaultValue
    /// The most connections of one client address at one time; zero for any number.
    public var maxClientConnections: Int = SettingsTable.maxClientConnections.defaultValue
    /// What is done about the backends' health.
    public var health = HealthChoices()
    /// Who is believed about its clients, and told about backends.
    public var trusted: TrustedPeers = SettingsTable.trusted.defaultValue
    /// Whether `Forwarded` is sent beside `X-Forwarded-For`.
    public var addsForwarded: Bool = SettingsTable.forwarded.defaultValue
    /// Whether requests without a valid `traceparent` get one.
    public var followsTraces: Bool = SettingsTable.trace.defaultValue
    /// One of how many traces that begin here is recorded; 0 for none.
    public var traceSample: Int = SettingsTable.traceSample.defaultValue
    /// Where spans go; nil when none are recorded.
    public var traceEndpoint: TraceEndpoint? = SettingsTable.traceEndpoint.defaultValue
    /// What goes along with spans.
    public var traceHeaders: TraceHeaders? = SettingsTable.traceHeaders.defaultValue
    /// Where access log lines go.
    public var accessLog: AccessLogDestination = SettingsTable.accessLog.defaultValue
    /// What an access log line looks like.
    public var accessLogFormat: AccessLogFormat = SettingsTable.accessLogFormat.defaultValue
    /// Which fields an access log line has.
    public var accessLogFields: AccessLogFields = SettingsTable.accessLogFields.defaultValue
    /// One of how many requests that went well leaves an access log line.
    public var accessLogSample: Int = SettingsTable.accessLogSample.defaultValue
    /// Where the admin API listens; nil for nowhere.
    public var adminAddress: ListenAddress? = SettingsTable.adminAddress.defaultValue
    /// What its users have to show; nil for nothing.
    public var adminToken: AdminToken? = SettingsTable.adminToken.defaultValue
    /// The least severe level of diagnostics that is written.
    public var logLevel: Logger.Level = SettingsTable.logLevel.defaultValue

    /// How often sources of backends are looked at.
    public var discovery: DiscoverySettings {
        DiscoverySettings(nameInterval: dnsInterval, programInterval: execInterval, programTimeout: execTimeout)
    }

    /// Every setting at its default: no backend, so not yet fit to run.
    public init() {}
}

/// How many bytes must move in each interval.
public struct BodyPace: Sendable, Equatable {
    public var bytes: Int
    public var interval: Duration
}

/// Why the settings were refused: every problem that was found, not only the first.
public struct SettingsError: Error, Equatable {
    /// One line per problem, without the program's name and without control characters; never empty.
    public let problems: [String]
}

/// Where each effective value came from.
public struct Provenance: Sendable, Equatable {
    /// Who gave a value.
    public enum Source: String, Sendable {
        case fallback = "default"
        case environment
        /// The file that `LB_ENV_FILE` names.
        case file = "LB_ENV_FILE"
        case commandLine = "command line"
    }

    /// The settings that were given, by variable name; what is absent is at its default.
    var given: [String: Source] = [:]
    /// The lines of those that stand in the file, by variable name.
    var lines: [String: Int] = [:]
    /// The file's path, as messages show it.
    var path = ""
    /// Whether this process is to take over from the one that runs.
    public internal(set) var isTakeover = false
    /// The backends of the command line.
    public internal(set) var arguments: [String] = []
    /// `LB_…` variables that are no settings but what Kubernetes injects for a Service, sorted.
    public internal(set) var ignoredVariables: [String] = []

    /// Whether somebody has said where the admin API is to listen.
    public var isAdminAddressGiven: Bool { given[SettingsTable.adminAddress.name] != nil }

    /// Where the value of the setting with this variable name came from.
    public subscript(name: String) -> Source {
        given[name] ?? .fallback
    }

    /// Whether the addresses to listen on were given by anybody.
    public var isListenGiven: Bool { self[SettingsTable.listen.name] != .fallback }

    /// Where in the file a setting stands, in front of what is said of it; empty when it does not.
    func place(of name: String) -> String { lines[name].map { "\(path):\($0): " } ?? "" }
}

extension Settings {
    /// Reads and checks all settings.
    ///
    /// - Parameters:
    ///   - environment: The variables of the process; those whose names do not begin with `LB_` are passed over. What stands in the file
    ///     that `LB_ENV_FILE` names takes their place.
    ///   - arguments: Backends from the command line, in the syntax of `LB_BACKENDS`; when there are any, they replace
    ///     those of `LB_BACKENDS`, which are checked nevertheless.
    /// - Throws: ``SettingsError`` with every problem found, in the order of the table, then unknown names.
    public static func load(
        environment: [String: String],
        arguments: [String] = []
    ) throws(SettingsError) -> (settings: Settings, provenance: Provenance) {
        try load(environment: environment, arguments: arguments, file: nil)
    }

    /// - Parameter file: What stands in the file that `LB_ENV_FILE` names, where that is known already; nil to read it, once.
    static func load(
        environment: [String: String],
        arguments: [String],
        file: EnvironmentFileContents?
    ) throws(SettingsError) -> (settings: Settings, provenance: Provenance) {
        let known = SettingsTable.rows.map(\.name)
        var settings = Settings()
        var provenance = Provenance()
        provenance.arguments = arguments
        var problems: [String] = []
        var variables = environment
        if let path = environment[SettingsTable.environmentFile.name] {
            problems += provenance.take(path, file, over: &variables, known)
        }
        let isFileUnread = !problems.isEmpty && provenance.path.isEmpty

        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables))
        for row in SettingsTable.rows {
            do {
                if try row.read(from: reader, into: &settings) {
                    provenance.given[row.name] = provenance.lines[row.name] == nil ? .environment : .file
                }
            } catch {
                let place = provenance.place(of: row.name)
                problems += error.refusals.map { "\(place)\(row.name)=\(quoted($0.value)): \($0.reason)" }
            }
        }

        let backendsName = SettingsTable.backends.name
        if !arguments.isEmpty {
            do {
                settings.backends = try BackendEntry.parse(arguments: arguments)
                provenance.given[backendsName] = .commandLine
            } catch {
                problems += error.refusals.map { "backend \(quoted($0.value)): \($0.reason)" }
            }
        }

        // Names are exact; one in another case would otherwise be ignored without a word.
        let unknown = environment.keys.filter { $0.uppercased().hasPrefix("LB_") && !known.contains($0) }.sorted()
        var meantBackends = false
        for name in unknown {
            if isKubernetesServiceVariable(name: name, value: environment[name] ?? "") {
                provenance.ignoredVariables.append(name)
                continue
            }
            meantBackends = meantBackends || nearestSetting(to: name, known) == backendsName
            problems.append(unknownSetting(name, known))
        }

        if settings.accessLogFormat == .combined, settings.accessLogFields != AccessLogFields() {
            let (fields, format) = (SettingsTable.accessLogFields.name, SettingsTable.accessLogFormat.name)
            problems.append(
                "\(provenance.place(of: fields))\(fields): the combined format has fields of its own; unset it, or set \(format) to text or json"
            )
        }

        if settings.hedge != nil, settings.retries == 0 || settings.retryOn.isEmpty {
            let culprit = settings.retries == 0 ? SettingsTable.retries.name : SettingsTable.retryOn.name
            problems.append(
                "\(SettingsTable.hedge.name): \(culprit) allows no second attempt; set \(SettingsTable.hedge.name) to off,"
                    + " or allow one"
            )
        }
        let tokenName = SettingsTable.adminToken.name
        if let address = settings.adminAddress, !address.isLocal, settings.adminToken == nil,
            !problems.contains(where: { $0.hasPrefix("\(tokenName)=") })
        {
            let name = SettingsTable.adminAddress.name
            problems.append(
                "\(name)=\(quoted(address.description)): expected \(tokenName) beside an address that others can reach;"
                    + " set it, or listen on 127.0.0.1 or a Unix-domain socket"
            )
        }

        let backendsWereRefused = problems.contains {
            $0.hasPrefix("\(provenance.place(of: backendsName))\(backendsName)=") || $0.hasPrefix("backend ")
        }
        // Of a file that cannot be read nobody knows what stands in it.
        if settings.backends.isEmpty, !backendsWereRefused, !meantBackends, !isFileUnread {
            problems.append(
                "no backend: expected at least one in \(backendsName) or on the command line,"
                    + " such as http://127.0.0.1:3000"
            )
        }
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
        if provenance.given[SettingsTable.trace.name] == nil {
            settings.followsTraces = settings.traceEndpoint != nil
        }
        if provenance.given[SettingsTable.name.name] == nil {
            settings.name = InstanceName.derived(from: settings.listenAddresses)
        }
        return (settings, provenance)
    }
}

extension Provenance {
    /// Reads the file of settings unless that was done, and puts what it says over the variables; returns what is wrong with it.
    ///
    /// That a text is no path is for the row of its own to say.
    mutating func take(
        _ path: String,
        _ contents: EnvironmentFileContents? = nil,
        over variables: inout [String: String],
        _ known: [String]
    ) -> [String] {
        guard (try? SettingsTable.environmentFile.kind.parse(path)) == path else { return [] }
        guard case .success(let bytes) = contents ?? ListFile.read(path) else {
            let error = ValueError.unreadableFile(path)
            return error.refusals.map {
                "\(SettingsTable.environmentFile.name)=\(quoted($0.value)): \($0.reason)"
            }
        }
        let file = EnvironmentFile(bytes)
        self.path = path
        var problems = file.mistakes.map { (line: $0.line, text: $0.text) }
        for assignment in file.assignments {
            if assignment.name == SettingsTable.environmentFile.name {
                problems.append((assignment.line, "\(assignment.name) cannot stand in the file itself"))
            } else if known.contains(assignment.name) {
                variables[assignment.name] = assignment.value
                lines[assignment.name] = assignment.line
            } else {
                problems.append((assignment.line, unknownSetting(assignment.name, known)))
            }
        }
        return problems.sorted { $0.line < $1.line }.map { "\(path):\($0.line): \($0.text)" }
    }
}

/// That a name is no setting's, and which one may be meant.
private func unknownSetting(_ name: String, _ known: [String]) -> String {
    let hint = nearestSetting(to: name, known).map { "did you mean \($0)?" } ?? "curl-lb --help lists them all"
    return "\(escaped(name)) is not a setting; \(hint)"
}

private func nearestSetting(to name: String, _ known: [String]) -> String? {
    nearestName(to: name, among: known, ignoring: "LB_".count)
}
