// What the proxy needs to know to run, as plain values.

public import Balancing
public import Front
public import HTTPWire
public import Telemetry
public import Upstream

/// One backend as the forwarding layer sees it.
public struct BackendConfiguration: Sendable, Equatable {
    public var name: String
    public var origin: Origin
    /// Its share beside the others'; with 0 it gets nothing.
    public var weight: Int
    /// Whether it is used only when no ordinary backend is eligible.
    public var isBackup: Bool
    /// The most requests in flight at it; 0 for any number.
    public var maximumInFlight: Int
    /// How its health is checked, and how it ramps up.
    public var health: BackendHealth

    public init(
        name: String,
        origin: Origin,
        weight: Int = 1,
        isBackup: Bool = false,
        maximumInFlight: Int = 0,
        health: BackendHealth = BackendHealth()
    ) {
        self.name = name
        self.origin = origin
        self.weight = weight
        self.isBackup = isBackup
        self.maximumInFlight = maximumInFlight
        self.health = health
    }

    /// What the pool needs to know of it.
    var poolEntry: PoolEntry {
        PoolEntry(name: name, weight: weight, isBackup: isBackup, maximumInFlight: maximumInFlight)
    }
}

/// Everything a worker is configured with; times in nanoseconds.
///
/// `docs/settings.md` tells what each means.
public struct ForwardingSettings: Sendable {
    /// The name this proxy goes by in `Via` and `Proxy-Status`.
    public var name: String
    public var retries: Int
    public var connectTimeout: UInt64
    public var headTimeout: UInt64
    public var responseTimeout: UInt64
    public var idleTimeout: UInt64
    public var upstreamIdle: UInt64
    public var tunnelIdle: UInt64
    public var writeTimeout: UInt64
    /// The pace that clients must keep in the middle of a body; nil for any.
    public var bodyProgress: BodyProgress?
    public var maximumPipelined: Int
    public var headLimits: HeadLimits
    /// How access log lines are written; nil when there is no access log.
    public var accessLogStyle: AccessLogStyle?
    public var overload: OverloadSettings
    /// The proxies that are believed about their clients.
    public var trusted = TrustedPeers()
    /// Whether `Forwarded` is sent beside `X-Forwarded-For`.
    public var addsForwarded = false
    /// How clients are bound to backends; nil when they are not.
    public var affinity: CookieAffinity?
    /// What is done about traces; nil passes them on as they come.
    public var trace: TraceSettings?

    public init(
        name: String,
        retries: Int,
        connectTimeout: UInt64,
        headTimeout: UInt64,
        responseTimeout: UInt64,
        idleTimeout: UInt64,
        upstreamIdle: UInt64,
        tunnelIdle: UInt64,
        writeTimeout: UInt64,
        bodyProgress: BodyProgress?,
        maximumPipelined: Int,
        headLimits: HeadLimits,
        accessLogStyle: AccessLogStyle?,
        overload: OverloadSettings = OverloadSettings()
    ) {
        self.name = name
        self.retries = retries
        self.connectTimeout = connectTimeout
        self.headTimeout = headTimeout
        self.responseTimeout = responseTimeout
        self.idleTimeout = idleTimeout
        self.upstreamIdle = upstreamIdle
        self.tunnelIdle = tunnelIdle
        self.writeTimeout = writeTimeout
        self.bodyProgress = bodyProgress
        self.maximumPipelined = maximumPipelined
        self.headLimits = headLimits
        self.accessLogStyle = accessLogStyle
        self.overload = overload
    }
}
