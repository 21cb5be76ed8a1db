// One backend as the operator configures it.

public import Balancing
public import Upstream

/// One configured backend.
public struct BackendSetting: Sendable, Equatable, CustomStringConvertible {
    /// What logs and metrics call it, unique among the backends.
    ///
    /// Unless given: `host:port`, or `unix:/path`.
    public var name: String
    /// Where it is and how it is spoken to.
    public var origin: Origin
    /// Its share beside the others'; with 0 it gets nothing.
    public var weight = 1
    /// Whether it is used only when no other backend is eligible.
    public var isBackup = false
    /// What the operator wants of it, until he says otherwise at run time.
    public var state = AdministrativeState.ready
    /// The most requests in flight at it; 0 for any number.
    public var maxConnections = 0
    /// How its health is checked, and how it ramps up, where that differs from the other backends'.
    public var health = BackendHealth()

    public init(name: String? = nil, origin: Origin) {
        self.name = name ?? Self.defaultName(of: origin)
        self.origin = origin
    }

    /// The form that `LB_BACKENDS` takes, with every option that differs from its default.
    ///
    /// Stars stand for user name and password of a proxy, and are not read back.
    public var description: String { text(revealing: false) }

    /// The form that `LB_BACKENDS` takes.
    ///
    /// - Parameter isRevealing: Whether user name and password of a proxy are written out.
    func text(revealing isRevealing: Bool) -> String {
        var text = origin.description
        if name != Self.defaultName(of: origin) { text += ";name=\(name)" }
        if weight != 1 { text += ";weight=\(weight)" }
        if isBackup { text += ";backup=on" }
        if state != .ready { text += ";state=\(state.rawValue)" }
        if maxConnections != 0 { text += ";max_conns=\(maxConnections)" }
        if let host = origin.hostField { text += ";host=\(host == origin.authority ? "backend" : host)" }
        if let proxy = origin.proxy { text += ";proxy=\(isRevealing ? proxy.text : proxy.description)" }
        switch health.check {
        case .get(let path): text += ";health_path=\(path)"
        case .connect: text += ";health_path=off"
        case nil: break
        }
        if let time = health.slowStart {
            text += ";slow_start=\(printDuration(.nanoseconds(Int64(clamping: time))))"
        }
        if !origin.verifiesCertificate { text += ";verify=off" }
        if let file = origin.certificateAuthorityFile { text += ";cacert=\(file)" }
        if let serverName = origin.serverName { text += ";sni=\(serverName)" }
        if let file = origin.certificateFile { text += ";cert=\(file)" }
        if let file = origin.keyFile { text += ";key=\(file)" }
        return text
    }

    /// The name of a backend that is given none.
    static func defaultName(of origin: Origin) -> String {
        if let path = origin.unixSocketPath { return "unix:\(path)" }
        return origin.host.contains(":") ? "[\(origin.host)]:\(origin.port)" : "\(origin.host):\(origin.port)"
    }
}
