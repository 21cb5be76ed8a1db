// The options that follow a backend's URL: key=value, each checked as it is read.

import Balancing
import Glibc
import Upstream

/// The options of a backend, or of a source of discovery for all that it finds; nil is not given.
struct BackendOptions: Sendable, Hashable {
    /// The keys that there are.
    enum Key: String, CaseIterable {
        case name, weight, backup, state
        case maxConnections = "max_conns"
        case healthPath = "health_path"
        case slowStart = "slow_start"
        case host, proxy, verify, cacert, sni, cert, key
    }

    /// What the `Host` field of requests says.
    enum HostChoice: Sendable, Hashable {
        /// What the client has sent.
        case preserve
        /// The authority of the backend's URL.
        case backend
        case name(String)
    }

    /// Whether a proxy is used.
    enum ProxyChoice: Sendable, Hashable {
        case off
        case server(ProxyServer)
    }

    /// The most that `max_conns` takes: more than a process can have files open.
    static let connections = 0...1_000_000

    private(set) var name: String?
    private(set) var weight: Int?
    private(set) var backup: Bool?
    private(set) var state: AdministrativeState?
    private(set) var maxConnections: Int?
    private(set) var health = BackendHealth()
    private(set) var host: HostChoice?
    private(set) var proxy: ProxyChoice?
    private(set) var verify: Bool?
    private(set) var cacert: String?
    private(set) var sni: String?
    private(set) var cert: String?
    private(set) var key: String?
    private var keysSeen: Set<Key> = []

    // MARK: Reading

    /// Reads one `key=value`; returns what was expected when it is refused.
    mutating func read(_ text: String) -> Expectation? {
        let keyText = String(text.prefix { $0 != "=" })
        guard let key = Key(rawValue: keyText) else {
            let keys = Key.allCases.map(\.rawValue)
            let hint = suggestion(for: keyText, among: keys)
            return "expected the option \(alternatives(keys)), not \(quoted(keyText))\(hint)"
        }
        guard keyText.count < text.count else { return "expected a value after \(keyText), as in \(keyText)=..." }
        guard keysSeen.insert(key).inserted else { return "expected the option \(keyText) only once" }
        return set(key, to: String(text.dropFirst(keyText.count + 1)))
    }

    /// Takes a value; returns what was expected when it is refused.
    private mutating func set(_ key: Key, to value: String) -> Expectation? {
        switch key {
        case .name:
            guard isName(value) else {
                return "expected \(nameExpectation) after name=, not \(quoted(value))"
            }
            name = value
        case .weight: return number(value, after: key, in: PoolRoster.weights, into: &weight)
        case .backup: return isOn(value, after: key, into: &backup)
        case .state:
            let states = AdministrativeState.allCases.map(\.rawValue)
            guard let state = AdministrativeState(rawValue: value) else {
                let hint = suggestion(for: value, among: states)
                return "expected \(alternatives(states)) after state=, not \(quoted(value))\(hint)"
            }
            self.state = state
        case .maxConnections: return number(value, after: key, in: Self.connections, into: &maxConnections)
        case .healthPath:
            guard value == "off" || isRequestPath(value) else {
                return "expected off or \(pathExpectation) after health_path=, not \(quoted(value))"
            }
            health.check = value == "off" ? .connect : .get(value)
        case .slowStart:
            let kind = SettingKind<Duration>.duration(.zero ... .seconds(3600))
            guard let duration = try? kind.parse(value) else {
                return "expected \(kind.expectation) after slow_start=, not \(quoted(value))"
            }
            health.slowStart = duration.nanoseconds
        case .host: return host(value)
        case .proxy: return proxy(value)
        case .verify: return isOn(value, after: key, into: &verify)
        case .cacert: return file(value, of: "PEM certificates", after: key, into: &cacert)
        case .sni:
            guard isHostName(value), wholeNumber(value.split(separator: ".").last ?? "") == nil else {
                return "expected a host name after sni=, not \(quoted(value))"
            }
            sni = value.lowercased()
        case .cert: return pem(value, with: "CERTIFICATE", after: key, into: &cert)
        case .key: return pem(value, with: "PRIVATE KEY", after: key, into: &self.key)
        }
        return nil
    }

    private func isOn(_ value: String, after key: Key, into option: inout Bool?) -> Expectation? {
        guard value == "on" || value == "off" else {
            return "expected on or off after \(key.rawValue)=, not \(quoted(value))"
        }
        option = value == "on"
        return nil
    }

    private func number(
        _ value: String,
        after key: Key,
        in range: ClosedRange<Int>,
        into option: inout Int?
    ) -> Expectation? {
        guard let number = wholeNumber(value), range.contains(number) else {
            let bounds = "between \(range.lowerBound) and \(range.upperBound)"
            return "expected a whole number \(bounds) after \(key.rawValue)=, not \(quoted(value))"
        }
        option = number
        return nil
    }

    private mutating func host(_ value: String) -> Expectation? {
        switch value {
        case "preserve": host = .preserve
        case "backend": host = .backend
        default:
            guard case .success(let address) = HostAndPort.parse(value, ports: 1...65535) else {
                return "expected preserve, backend or a host name after host=, not \(quoted(value))"
            }
            host = .name(address.description)
        }
        return nil
    }

    private mutating func proxy(_ value: String) -> Expectation? {
        if value == "off" {
            proxy = .off
            return nil
        }
        switch ProxyServer.parse(value) {
        case .success(let server): proxy = .server(server)
        case .failure(let problem): return problem
        }
        return nil
    }

    private func file(_ path: String, of what: String, after key: Key, into option: inout String?) -> Expectation? {
        guard kindOfFile(path) == .regular, access(path, R_OK) == 0, escaped(path) == path else {
            return "expected a readable file of \(what) after \(key.rawValue)=, not \(quoted(path))"
        }
        option = path
        return nil
    }

    /// A file that holds PEM of one sort at least.
    private func pem(_ path: String, with word: String, after key: Key, into option: inout String?) -> Expectation? {
        let what = "a PEM \(word.lowercased())"
        var file: String?
        if let problem = self.file(path, of: what, after: key, into: &file) { return problem }
        switch PEMFile.problem(of: path, lacking: word) {
        case nil:
            option = file
            return nil
        case .absent?: return "expected a file with \(what) after \(key.rawValue)=, not \(quoted(path))"
        case .encrypted?:
            return "expected a private key without a passphrase after \(key.rawValue)=, not \(quoted(path))"
        }
    }

    // MARK: Putting together

    /// What was expected when an option would have no effect; an option is never ignored silently.
    func conflict(with origin: Origin) -> Expectation? {
        if origin.scheme == .http, let key = Self.tlsKeys.first(where: keysSeen.contains) {
            return "expected \(key.rawValue) only with https://"
        }
        if origin.unixSocketPath != nil, keysSeen.contains(.proxy) {
            return "expected proxy only with http:// or https://"
        }
        return conflict
    }

    /// What was expected when options do not go together, whatever they belong to.
    var conflict: Expectation? {
        if verify == false, cacert != nil { return "expected cacert only without verify=off" }
        if key != nil, cert == nil, !keysSeen.contains(.cert) { return "expected cert beside key" }
        if let cert, key == nil, !keysSeen.contains(.key), PEMFile.problem(of: cert, lacking: "PRIVATE KEY") != nil {
            return "expected key beside cert, or a private key without a passphrase in \(quoted(cert))"
        }
        return nil
    }

    private static let tlsKeys: [Key] = [.verify, .cacert, .sni, .cert, .key]

    /// These options, and where they are silent, others: those of a source for what it finds.
    ///
    /// Options of TLS are taken only where there is TLS, a proxy's only where there is no path of a socket.
    func filled(from others: BackendOptions, for origin: Origin) -> BackendOptions {
        var all = self
        all.weight = weight ?? others.weight
        all.backup = backup ?? others.backup
        all.state = state ?? others.state
        all.maxConnections = maxConnections ?? others.maxConnections
        all.health.check = health.check ?? others.health.check
        all.health.slowStart = health.slowStart ?? others.health.slowStart
        all.host = host ?? others.host
        if origin.unixSocketPath == nil { all.proxy = proxy ?? others.proxy }
        guard origin.scheme == .https else { return all }
        // Whoever names an authority wants it asked.
        all.verify = verify ?? (cacert == nil ? others.verify : nil)
        // Whoever takes any certificate asks no authority.
        if all.verify != false { all.cacert = cacert ?? others.cacert }
        all.sni = sni ?? others.sni
        // A key belongs to its certificate.
        if cert == nil { (all.cert, all.key) = (others.cert, key ?? others.key) }
        return all
    }

    /// The backend at an origin with these options.
    ///
    /// - Parameter name: Its name, unless the options give one.
    func backend(at origin: Origin, name defaultName: String? = nil) -> BackendSetting {
        var origin = origin
        origin.verifiesCertificate = verify ?? true
        origin.certificateAuthorityFile = cacert
        origin.serverName = sni
        origin.certificateFile = cert
        origin.keyFile = key
        switch host {
        case nil, .preserve?: break
        case .backend?: origin.hostField = origin.authority
        case .name(let name)?: origin.hostField = name
        }
        if case .server(let server)? = proxy { origin.proxy = server }
        var backend = BackendSetting(name: name ?? defaultName, origin: origin)
        backend.weight = weight ?? backend.weight
        backend.isBackup = backup ?? backend.isBackup
        backend.state = state ?? backend.state
        backend.maxConnections = maxConnections ?? backend.maxConnections
        backend.health = health
        return backend
    }
}
