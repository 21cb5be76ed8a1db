// Where a backend is and how it is spoken to, as a value.

/// The address of one backend and how libcurl connects to it.
///
/// With any other value it is another backend: nothing of this changes while a connection lives.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// What is spoken on the connection.
    public enum Scheme: String, Sendable {
        case http
        case https

        /// The port that a URL need not name (RFC 9110 section 4.2).
        public var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    public var scheme: Scheme
    /// A host name, an IPv4 literal or (without brackets) an IPv6 literal; `localhost` for a Unix-domain socket.
    public var host: String
    public var port: UInt16
    /// The absolute path of a Unix-domain socket to connect to in place of host and port.
    public var unixSocketPath: String?
    /// Whether the certificate of an `https` backend must verify; default true.
    public var verifiesCertificate: Bool
    /// A PEM file of the authorities that may sign the backend's certificate; the system's CA file when nil.
    public var certificateAuthorityFile: String?
    /// The name for SNI and for checking the certificate; the ``name`` when nil.
    public var serverName: String?
    /// The name by which the host, then an address, was found; nil when the host is what was asked for.
    public var foundByName: String?
    /// A PEM file of the certificate that we show the backend, with those of its issuers; nil shows none.
    public var certificateFile: String?
    /// A PEM file of that certificate's private key; when nil it stands in ``certificateFile``.
    public var keyFile: String?
    /// The value of the `Host` field that the backend gets; nil passes the client's on.
    public var hostField: String?
    /// The proxy on the way; nil for none.
    public var proxy: ProxyServer?

    public init(
        scheme: Scheme,
        host: String,
        port: UInt16,
        unixSocketPath: String? = nil,
        verifiesCertificate: Bool = true,
        certificateAuthorityFile: String? = nil,
        serverName: String? = nil
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.unixSocketPath = unixSocketPath
        self.verifiesCertificate = verifiesCertificate
        self.certificateAuthorityFile = certificateAuthorityFile
        self.serverName = serverName
    }

    /// The URL form that `LB_BACKENDS` takes, without options.
    public var description: String {
        if let unixSocketPath { return "http+unix://\(unixSocketPath)" }
        return "\(scheme.rawValue)://\(Self.bracketed(host)):\(port)"
    }

    /// What the backend is called, beside its address.
    public var name: String { foundByName ?? host }

    /// Name and port as a `Host` field tells them: without the scheme's default port (RFC 9110 section 4.2.3).
    public var authority: String {
        port == scheme.defaultPort ? Self.bracketed(name) : "\(Self.bracketed(name)):\(port)"
    }

    /// An IPv6 literal in brackets; anything else as it is.
    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
