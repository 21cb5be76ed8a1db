// One backend as the operator configures it, and the syntax URL[;key=value…] of LB_BACKENDS and the command line.

public import Balancing
import Glibc
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
    /// The most requests in flight at it; 0 for any number.
    public var maxConnections = 0
    /// How its health is checked, and how it ramps up, where that differs from the other backends'.
    public var health = BackendHealth()

    public init(name: String? = nil, origin: Origin) {
        self.name = name ?? Self.defaultName(of: origin)
        self.origin = origin
    }

    /// The form that `LB_BACKENDS` takes, with every option that differs from its default.
    public var description: String {
        var text = origin.description
        if name != Self.defaultName(of: origin) { text += ";name=\(name)" }
        if weight != 1 { text += ";weight=\(weight)" }
        if isBackup { text += ";backup=on" }
        if maxConnections != 0 { text += ";max_conns=\(maxConnections)" }
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
        return text
    }

    /// The name of a backend that is given none.
    static func defaultName(of origin: Origin) -> String {
        if let path = origin.unixSocketPath { return "unix:\(path)" }
        return origin.host.contains(":") ? "[\(origin.host)]:\(origin.port)" : "\(origin.host):\(origin.port)"
    }
}

extension SettingKind where Value == [BackendSetting] {
    /// Any number of backends with different names; none is none.
    static let backends = SettingKind(
        form: "list of URL[;key=value...]",
        expectation: "backends such as http://127.0.0.1:3000",
        acceptsEmpty: true,
        parse: { text throws(ValueError) in try BackendSetting.parse(entries: listEntries(text)) },
        print: { $0.map(\.description).joined(separator: ",") }
    )
}

extension BackendSetting {
    /// Reads the backends of the command line; each argument holds one or more.
    static func parse(arguments: [String]) throws(ValueError) -> [BackendSetting] {
        var entries: [String] = []
        for argument in arguments {
            let found = listEntries(argument)
            if found.isEmpty { throw ValueError(argument, "expected a URL such as http://127.0.0.1:3000") }
            entries += found
        }
        return try parse(entries: entries)
    }

    /// Reads backends and refuses a name that is given twice.
    static func parse(entries: [String]) throws(ValueError) -> [BackendSetting] {
        var backends: [BackendSetting] = []
        var refusals: [ValueError.Refusal] = []
        for entry in entries {
            let (backend, problems) = parse(entry: entry)
            let shown = withoutCredentials(entry)
            refusals += problems.map { .init(value: shown, reason: $0.phrase) }
            guard let backend else { continue }
            if backends.contains(where: { $0.name == backend.name }) {
                let reason = "expected a name of its own, \(backend.name) is taken; give one with ;name="
                refusals.append(.init(value: shown, reason: reason))
            }
            backends.append(backend)
        }
        guard refusals.isEmpty else { throw ValueError(refusals) }
        return backends
    }

    /// Reads one backend; nil together with every problem when there is any.
    private static func parse(entry: String) -> (backend: BackendSetting?, problems: [Expectation]) {
        // First of all and alone, so that no other message repeats a password.
        if endOfCredentials(entry) != nil {
            return (nil, ["expected no user name and no password in a backend's URL"])
        }

        var parts = entry.split(separator: ";", omittingEmptySubsequences: false)
        let url = String(parts.removeFirst())
        if parts.last == "" { parts.removeLast() }

        var problems: [Expectation] = []
        var origin: Origin?
        switch parseURL(url) {
        case .success(let parsed): origin = parsed
        case .failure(let problem): problems.append(problem)
        }

        var options = BackendOptions()
        for part in parts {
            if let problem = options.read(String(part)) { problems.append(problem) }
        }
        if let scheme = origin?.scheme, let problem = options.conflict(scheme: scheme) { problems.append(problem) }
        guard var origin, problems.isEmpty else { return (nil, problems) }
        origin.verifiesCertificate = options.verify ?? true
        origin.certificateAuthorityFile = options.cacert
        origin.serverName = options.sni
        var backend = BackendSetting(name: options.name, origin: origin)
        backend.weight = options.weight ?? backend.weight
        backend.isBackup = options.backup ?? backend.isBackup
        backend.maxConnections = options.maxConnections ?? backend.maxConnections
        backend.health = options.health
        return (backend, [])
    }

    /// Reads the URL of a backend: a scheme and where to connect, nothing more.
    private static func parseURL(_ url: String) -> Result<Origin, Expectation> {
        guard let separator = url.firstRange(of: "://") else {
            let completed = "http://\(url)"
            let isComplete = (try? parseURL(completed).get()) != nil
            let hint = isComplete ? "; did you mean \(completed)?" : ""
            return .failure("expected a URL such as http://127.0.0.1:3000 or http+unix:///run/app.sock\(hint)")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        let rest = String(url[separator.upperBound...])
        switch scheme {
        case "http+unix":
            if let problem = socketPathProblem(rest, example: "http+unix:///run/app.sock") { return .failure(problem) }
            return .success(Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: rest))
        case "http": return parseAuthority(rest, scheme: .http, defaultPort: 80)
        case "https": return parseAuthority(rest, scheme: .https, defaultPort: 443)
        default:
            return .failure("expected http://, https:// or http+unix:///, not \(escaped(scheme))://")
        }
    }

    /// Reads what follows `http://` or `https://`.
    private static func parseAuthority(
        _ text: String,
        scheme: Origin.Scheme,
        defaultPort: UInt16
    ) -> Result<Origin, Expectation> {
        if text.contains("#") { return .failure("expected no fragment (#...) in a backend's URL") }
        if text.contains("?") { return .failure("expected no query (?...) in a backend's URL") }
        let authority = text.prefix { $0 != "/" }
        let path = text[authority.endIndex...]
        guard path.isEmpty || path == "/" else {
            return .failure("expected no path in a backend's URL, not \(quoted(String(path))): requests keep their own")
        }
        return HostAndPort.parse(String(authority), ports: 1...65535).map { address in
            Origin(scheme: scheme, host: address.host, port: address.port ?? defaultPort)
        }
    }

    /// Where a user name or a password ends in the entry, even one with `;` or `/` in it; nil when there is none.
    private static func endOfCredentials(_ entry: String) -> String.Index? {
        let scheme = entry.firstRange(of: "://")
        let afterScheme = entry[(scheme?.upperBound ?? entry.startIndex)...]
        // The path of a socket may hold an @; it follows at once.
        guard !afterScheme.hasPrefix("/") else { return nil }
        // So may the value of an option.
        let options = BackendOptions.Key.allCases.compactMap { afterScheme.firstRange(of: ";\($0.rawValue)=") }
        let end = options.map(\.lowerBound).min() ?? afterScheme.endIndex
        return afterScheme[..<end].lastIndex(of: "@")
    }

    /// The entry as messages show it: a user name and a password are starred out.
    private static func withoutCredentials(_ entry: String) -> String {
        guard let end = endOfCredentials(entry) else { return entry }
        let scheme = entry.firstRange(of: "://").map { entry[..<$0.upperBound] } ?? ""
        return scheme + "***" + entry[end...]
    }
}

/// The options that follow a backend's URL.
struct BackendOptions {
    /// The keys that there are.
    enum Key: String, CaseIterable {
        case name, weight, backup
        case maxConnections = "max_conns"
        case healthPath = "health_path"
        case slowStart = "slow_start"
        case verify, cacert, sni
    }

    /// The most that `max_conns` takes: more than a process can have files open.
    static let connections = 0...1_000_000

    var name: String?
    var weight: Int?
    var backup: Bool?
    var maxConnections: Int?
    var health = BackendHealth()
    var verify: Bool?
    var cacert: String?
    var sni: String?
    private var keysSeen: Set<Key> = []

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
        case .verify: return isOn(value, after: key, into: &verify)
        case .cacert:
            guard kindOfFile(value) == .regular, access(value, R_OK) == 0, escaped(value) == value else {
                return "expected a readable file of PEM certificates after cacert=, not \(quoted(value))"
            }
            cacert = value
        case .sni:
            guard isHostName(value), wholeNumber(value.split(separator: ".").last ?? "") == nil else {
                return "expected a host name after sni=, not \(quoted(value))"
            }
            sni = value.lowercased()
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

    /// What was expected when an option would have no effect; an option is never ignored silently.
    func conflict(scheme: Origin.Scheme) -> Expectation? {
        let tlsKeys: [Key] = [.verify, .cacert, .sni]
        if scheme == .http, let key = tlsKeys.first(where: keysSeen.contains) {
            return "expected \(key.rawValue) only with https://"
        }
        if verify == false, keysSeen.contains(.cacert) { return "expected cacert only without verify=off" }
        return nil
    }
}
