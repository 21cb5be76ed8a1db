// The one table of settings: help, start-up checks, --print-settings and docs/settings.md come from these rows.

import Balancing
import FoundationEssentials
import Front
import Logging
import Telemetry

/// Every setting, declared once.
///
/// A new setting is a field of ``Settings``, a row here and its name in ``rows``.
enum SettingsTable {
    static let listen = Setting(
        "LB_LISTEN",
        \.listenAddresses,
        default: [.tcp(host: "127.0.0.1", port: 5000)],
        .listenAddresses,
        "Addresses to listen on. *:port and :port stand for 0.0.0.0:port (every IPv4 address); port 0 lets the kernel"
            + " choose."
    )
    static let backends = Setting(
        "LB_BACKENDS",
        \.backends,
        default: [],
        shownAs: "none",
        .backends,
        "Backends, each URL[;key=value...] with http://, https:// or http+unix:///path, and sources of backends:"
            + " dns://name:port, dns+https://name:port, file:/path, exec:/path. Keys:"
            + " \(BackendOptions.Key.allCases.map(\.rawValue).joined(separator: ", "))."
            + " Backends on the command line replace these."
    )
    static let dnsInterval = Setting(
        "LB_DNS_INTERVAL",
        \.dnsInterval,
        default: .seconds(10),
        .duration(.milliseconds(100) ... .seconds(3600)),
        "How often the name of a dns:// source is looked up; sooner when one of its backends fails."
    )
    static let execInterval = Setting(
        "LB_EXEC_INTERVAL",
        \.execInterval,
        default: .seconds(30),
        .duration(.milliseconds(100) ... .seconds(3600)),
        "How often the program of an exec: source is run."
    )
    static let execTimeout = Setting(
        "LB_EXEC_TIMEOUT",
        \.execTimeout,
        default: .seconds(10),
        .duration(.milliseconds(100) ... .seconds(3600)),
        "How long the program of an exec: source may run."
    )
    static let policy = Setting(
        "LB_POLICY",
        \.policy,
        default: .roundRobin,
        .policy,
        "By which rule the backend of an attempt is chosen; all but first go by the backends' weights."
    )
    static let sticky = Setting(
        "LB_STICKY",
        \.sticky,
        default: nil,
        .sticky,
        "Whether a client comes back to the backend that has answered it, by a cookie. Keys: lifetime, secure, samesite."
    )
    static let stickySecret = Setting(
        "LB_STICKY_SECRET",
        \.stickySecret,
        default: nil,
        .stickySecret,
        "What the cookie of LB_STICKY is made with. Without one it is good until this process ends, and at this balancer alone."
    )
    static let name = Setting(
        "LB_NAME",
        \.name,
        default: InstanceName.product,
        shownAs: "curl-lb-xxxxxxxx",
        .name,
        "What this balancer calls itself in Via and Proxy-Status; a request that has come by under that name is a loop."
            + " By default made of the host's name and LB_LISTEN."
    )
    static let workers = Setting(
        "LB_WORKERS",
        \.workers,
        default: min(ProcessInfo.processInfo.activeProcessorCount, 256),
        shownAs: "cores",
        .count(1...256),
        "Workers; each runs one event loop and owns its connections."
    )
    static let retries = Setting(
        "LB_RETRIES",
        \.retries,
        default: 2,
        .count(0...100),
        "Further attempts after a failed one, each at a backend not tried yet for this request."
    )
    static let retryOn = Setting(
        "LB_RETRY_ON",
        \.retryOn,
        default: .safe,
        .retryConditions,
        "After which outcomes another attempt may follow. What a backend may have received is only sent again when the"
            + " method is idempotent."
    )
    static let retryBudget = Setting(
        "LB_RETRY_BUDGET",
        \.retryBudget,
        default: 20,
        .count(0...100),
        "How many requests may be sent again at one time, in percent of those in flight; 3 in any case."
    )
    static let queue = Setting(
        "LB_QUEUE",
        \.queue,
        default: 1024,
        .count(0...1_000_000),
        "Requests that may wait for a place at a backend, when all are full (max_conns); more are answered with 503 at"
            + " once. 0 lets none wait."
    )
    static let queueTimeout = Setting(
        "LB_QUEUE_TIMEOUT",
        \.queueTimeout,
        default: .seconds(5),
        .duration(.milliseconds(1) ... .seconds(3600)),
        "How long a request may wait for a place at a backend; then it is answered with 503."
    )
    static let deadline = Setting(
        "LB_DEADLINE",
        \.deadline,
        default: nil,
        .durationOrOff(.milliseconds(1) ... .seconds(24 * 3600)),
        "Limit from a request head's end to the response head, with all attempts and the queue; off for none."
    )
    static let hedge = Setting(
        "LB_HEDGE",
        \.hedge,
        default: nil,
        .durationOrOff(.milliseconds(1) ... .seconds(3600)),
        "How long a backend may bring no response head before a second one is asked beside it, and whoever answers first is"
            + " taken; safe methods (GET, HEAD, ...) only, within LB_RETRIES and LB_RETRY_BUDGET."
    )
    static let connectTimeout = Setting(
        "LB_CONNECT_TIMEOUT",
        \.connectTimeout,
        default: .seconds(2),
        .duration(.milliseconds(1) ... .seconds(3600)),
        "Limit of one attempt to connect: name lookup, TCP and TLS together."
    )
    static let headTimeout = Setting(
        "LB_HEADER_TIMEOUT",
        \.headTimeout,
        default: .seconds(10),
        .duration(.milliseconds(1) ... .seconds(3600)),
        "Limit from the first byte of a request head to its last; a client that drips bytes does not extend it."
    )
    static let responseTimeout = Setting(
        "LB_RESPONSE_TIMEOUT",
        \.responseTimeout,
        default: .seconds(30),
        .duration(.milliseconds(1) ... .seconds(24 * 3600)),
        "Limit from the request's last byte to the response head."
    )
    static let idleTimeout = Setting(
        "LB_IDLE_TIMEOUT",
        \.idleTimeout,
        default: .seconds(60),
        .duration(.milliseconds(1) ... .seconds(24 * 3600)),
        "How long an exchange may move no byte in either direction, and a client connection may stay idle."
    )
    static let upstreamIdle = Setting(
        "LB_UPSTREAM_IDLE",
        \.upstreamIdleTimeout,
        default: .seconds(4),
        .duration(.zero ... .seconds(3600)),
        "How long an unused backend connection is kept; 0 keeps none."
    )
    static let tunnelIdle = Setting(
        "LB_TUNNEL_IDLE",
        \.tunnelIdleTimeout,
        default: .seconds(3600),
        .duration(.milliseconds(1) ... .seconds(86400)),
        "How long a connection that has switched protocols (WebSocket) may move no byte in either direction."
    )
    static let writeTimeout = Setting(
        "LB_WRITE_TIMEOUT",
        \.writeTimeout,
        default: .seconds(30),
        .duration(.milliseconds(1) ... .seconds(24 * 3600)),
        "How long a client may take no byte of a response that waits for it."
    )
    static let bodyPace = Setting(
        "LB_BODY_PACE",
        \.bodyPace,
        default: BodyPace(bytes: 1024, interval: .seconds(60)),
        .pace,
        "What a client must move while it is waited for in the middle of a body, in either direction; off for any pace."
    )
    static let drainTimeout = Setting(
        "LB_DRAIN_TIMEOUT",
        \.drainTimeout,
        default: .seconds(30),
        .duration(.zero ... .seconds(3600)),
        "What SIGTERM grants to exchanges in flight; 0 cuts them at once."
    )
    static let maxHeader = Setting(
        "LB_MAX_HEADER",
        \.maxHeadBytes,
        default: 64 * 1024,
        .size(1024...1024 * 1024),
        "Limit of a request head or a response head."
    )
    static let maxFields = Setting(
        "LB_MAX_FIELDS",
        \.maxFields,
        default: 256,
        .count(16...10000),
        "Limit of field lines in a request head or a response head."
    )
    static let maxPipelined = Setting(
        "LB_MAX_PIPELINED",
        \.maxPipelined,
        default: 1000,
        .count(1...10000),
        "How many requests may arrive together on a connection before the first of them is answered."
    )
    static let maxConnections = Setting(
        "LB_MAX_CONNECTIONS",
        \.maxConnections,
        default: ConnectionLimits.defaultTotal,
        shownAs: "half the open files",
        .count(1...ConnectionLimits.maximumTotal),
        "Client connections at one time; more are answered with 503 and closed."
    )
    static let maxClientConnections = Setting(
        "LB_MAX_PER_CLIENT",
        \.maxClientConnections,
        default: 0,
        .count(0...ConnectionLimits.maximumTotal),
        "Connections at one time from one IPv4 address or one IPv6 /64 network; more are answered with 429 and closed."
            + " 0 sets no limit."
    )
    static let trusted = Setting(
        "LB_TRUSTED",
        \.trusted,
        default: TrustedPeers(),
        shownAs: "none",
        .trusted,
        "Who is believed about its clients (X-Forwarded-*), and told about backends: proxies in front of this one, operators."
            + " unix stands for whoever connects to a Unix-domain socket."
    )
    static let forwarded = Setting(
        "LB_FORWARDED",
        \.addsForwarded,
        default: false,
        .onOrOff,
        "Whether backends get Forwarded (RFC 7239) beside X-Forwarded-For, -Proto and -Host."
    )
    static let accessLog = Setting(
        "LB_ACCESS_LOG",
        \.accessLog,
        default: .standardOutput,
        .accessLog,
        "Where access log lines go."
    )
    static let accessLogFormat = Setting(
        "LB_ACCESS_LOG_FORMAT",
        \.accessLogFormat,
        default: .text,
        .word(),
        "What an access log line looks like: fields with their names, Apache's combined form, or JSON."
    )
    static let accessLogFields = Setting(
        "LB_ACCESS_LOG_FIELDS",
        \.accessLogFields,
        default: AccessLogFields(),
        .accessLogFields,
        "Which fields an access log line has as text or json, in their order; default and all stand for several."
    )
    static let accessLogSample = Setting(
        "LB_ACCESS_LOG_SAMPLE",
        \.accessLogSample,
        default: 1,
        shownAs: "1/1",
        .sample,
        "Which part of the requests that went well leave an access log line, drawn at random; all others always do."
    )
    static let logLevel = Setting(
        "LB_LOG_LEVEL",
        \.logLevel,
        default: .info,
        .word(),
        "Least severe level of diagnostics that is written."
    )

    /// The rows in the order in which they are read, listed and documented.
    static let rows: [any SettingRow] =
        [
            environmentFile,
            listen,
            takeoverSocket,
            backends,
            policy,
            sticky,
            stickySecret,
            name,
            workers,
            retries,
            retryOn,
            retryBudget,
            queue,
            queueTimeout,
            deadline,
            hedge,
            connectTimeout,
            headTimeout,
            responseTimeout,
            idleTimeout,
            writeTimeout,
            bodyPace,
            upstreamIdle,
            tunnelIdle,
            drainTimeout,
            dnsInterval,
            execInterval,
            execTimeout,
            maxHeader,
            maxFields,
            maxPipelined,
            maxConnections,
            maxClientConnections,
            trusted,
            forwarded,
        ] + health + tracing + [
            accessLog,
            accessLogFormat,
            accessLogFields,
            accessLogSample,
            adminAddress,
            adminToken,
            logLevel,
        ]
}
