// A proxy on the way to a backend, as a value.

/// The proxy that libcurl connects through, with what it asks of us.
public struct ProxyServer: Sendable, Hashable, CustomStringConvertible {
    /// How the proxy is spoken to.
    public enum Kind: String, Sendable, CaseIterable {
        /// SOCKS version 5 (RFC 1928); the backend's name is resolved here.
        case socks5
        /// SOCKS version 5; the proxy resolves the backend's name.
        case socks5h
        /// HTTP, by CONNECT (RFC 9110 section 9.3.6).
        case http
    }

    /// User name and password.
    public struct Credentials: Sendable, Hashable {
        public var user: String
        public var password: String

        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    public var kind: Kind
    /// A host name, an IPv4 literal or (without brackets) an IPv6 literal.
    public var host: String
    public var port: UInt16
    public var credentials: Credentials?

    public init(kind: Kind, host: String, port: UInt16, credentials: Credentials? = nil) {
        self.kind = kind
        self.host = host
        self.port = port
        self.credentials = credentials
    }

    /// The URL, where stars stand for user name and password.
    public var description: String {
        "\(kind.rawValue)://\(credentials == nil ? "" : "***@")\(authority)"
    }

    /// The URL without user name and password.
    var url: String { "\(kind.rawValue)://\(authority)" }

    private var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
