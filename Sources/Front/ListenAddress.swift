// An address that the listener binds, as a value.

/// Where clients connect.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A TCP address: a host name, an IPv4 or (without brackets) IPv6 literal, and a port; port 0 lets the kernel choose.
    case tcp(host: String, port: UInt16)
    /// A Unix-domain stream socket at an absolute path.
    case unix(path: String)

    /// The form that `LB_LISTEN` takes: `host:port`, `[v6]:port` or `unix:/path`.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
