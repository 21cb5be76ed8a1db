// Where a backend is and how it is spoken to, as a value.

/// The address of one backend and how libcurl connects to it.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// What is spoken on the connection.
    public enum Scheme: String, Sendable {
        case http
        case https
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
    /// The name for SNI and for checking the certificate; the host when nil.
    public var serverName: String?

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
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(bracketed):\(port)"
    }
}
