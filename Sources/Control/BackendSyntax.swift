// The syntax URL[;key=value…] of a backend.

import Upstream

/// An entry of a list of backends, taken apart: what stands before the first semicolon, and the options.
struct BackendText {
    /// What messages show of the entry: without user names and passwords.
    let shown: String
    /// A URL, or the name of a source.
    let place: String
    let options: BackendOptions
    /// Whether nothing more of the entry may be looked at, lest a message repeat a password.
    let isHopeless: Bool
    private(set) var problems: [Expectation] = []

    init(_ entry: String) {
        shown = Self.withoutCredentials(entry)
        // First of all and alone, so that no other message repeats a password.
        let hopeless: Expectation? =
            if Self.endOfCredentials(entry) != nil {
                "expected no user name and no password in a backend's URL"
            } else if Self.hasCutProxy(entry) {
                ProxyServer.credentialsExpected
            } else {
                nil
            }
        isHopeless = hopeless != nil
        if let hopeless {
            place = ""
            options = BackendOptions()
            problems = [hopeless]
            return
        }
        var parts = entry.split(separator: ";", omittingEmptySubsequences: false)
        place = String(parts.removeFirst())
        if parts.last == "" { parts.removeLast() }
        var options = BackendOptions()
        for part in parts {
            if let problem = options.read(String(part)) { problems.append(problem) }
        }
        self.options = options
    }

    /// What is wrong with the entry, for messages.
    func refusals(place: Expectation? = nil, conflict: Expectation? = nil) -> [ValueError.Refusal] {
        ([place].compactMap(\.self) + problems + [conflict].compactMap(\.self))
            .map { .init(value: shown, reason: $0.phrase) }
    }

    // MARK: Credentials

    /// Where a user name or a password ends in the entry, even one with `;` or `/` in it; nil when there is none.
    private static func endOfCredentials(_ entry: String) -> String.Index? {
        let scheme = entry.firstRange(of: "://")
        let afterScheme = entry[(scheme?.upperBound ?? entry.startIndex)...]
        // The path of a socket may hold an @; it follows at once.
        guard !afterScheme.hasPrefix("/"), !isPath(entry) else { return nil }
        // So may the value of an option.
        return afterScheme[..<(startOfOption(in: afterScheme) ?? afterScheme.endIndex)].lastIndex(of: "@")
    }

    /// Whether the entry names a file or a command.
    private static func isPath(_ entry: String) -> Bool {
        ["file:/", "exec:/"].contains { entry.lowercased().hasPrefix($0) }
    }

    /// Where the next option with a known key begins.
    private static func startOfOption(in text: Substring) -> String.Index? {
        BackendOptions.Key.allCases.compactMap { text.firstRange(of: ";\($0.rawValue)=")?.lowerBound }.min()
    }

    /// Whether a semicolon has cut a proxy's user name or password in two.
    private static func hasCutProxy(_ entry: String) -> Bool {
        guard let key = entry.firstRange(of: ";\(BackendOptions.Key.proxy.rawValue)=") else { return false }
        let rest = entry[key.upperBound...]
        let value = rest[..<(startOfOption(in: rest) ?? rest.endIndex)]
        guard let semicolon = value.firstIndex(of: ";") else { return false }
        return value[semicolon...].contains("@")
    }

    /// The entry as messages show it: user names and passwords are starred out.
    private static func withoutCredentials(_ entry: String) -> String {
        if let end = endOfCredentials(entry) {
            let scheme = entry.firstRange(of: "://").map { entry[..<$0.upperBound] } ?? ""
            return scheme + "***" + withoutProxyCredentials(entry[end...])
        }
        return withoutProxyCredentials(entry[...])
    }

    /// A proxy is shown as it is understood; one that is not may have a password anywhere.
    private static func withoutProxyCredentials(_ text: Substring) -> String {
        guard let key = text.firstRange(of: ";\(BackendOptions.Key.proxy.rawValue)=") else { return String(text) }
        let rest = text[key.upperBound...]
        let end = startOfOption(in: rest) ?? rest.endIndex
        let proxy = (try? ProxyServer.parse(String(rest[..<end])).get()).map(\.description)
        let shown = rest[..<end] == "off" ? "off" : proxy ?? "***"
        return text[..<key.upperBound] + shown + withoutProxyCredentials(rest[end...])
    }
}

extension BackendSetting {
    /// Reads one backend.
    ///
    /// - Parameter defaults: What holds where the entry's own options are silent.
    static func parse(_ text: BackendText, defaults: BackendOptions? = nil) -> Result<BackendSetting, ValueError> {
        guard !text.isHopeless else { return .failure(ValueError(text.refusals())) }
        switch parseURL(text.place) {
        case .failure(let problem): return .failure(ValueError(text.refusals(place: problem)))
        case .success(let origin):
            let options = defaults.map { text.options.filled(from: $0, for: origin) } ?? text.options
            let conflict = text.options.conflict(with: origin) ?? options.conflict
            let refusals = text.refusals(conflict: conflict)
            return refusals.isEmpty ? .success(options.backend(at: origin)) : .failure(ValueError(refusals))
        }
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
        case "http": return parseAuthority(rest, scheme: .http)
        case "https": return parseAuthority(rest, scheme: .https)
        default:
            return .failure("expected http://, https:// or http+unix:///, not \(escaped(scheme))://")
        }
    }

    /// Reads what follows the scheme: an authority, and nothing behind it.
    static func parseAuthority(_ text: String, scheme: Origin.Scheme) -> Result<Origin, Expectation> {
        if text.contains("#") { return .failure("expected no fragment (#...) in a backend's URL") }
        if text.contains("?") { return .failure("expected no query (?...) in a backend's URL") }
        let authority = text.prefix { $0 != "/" }
        let path = text[authority.endIndex...]
        guard path.isEmpty || path == "/" else {
            return .failure("expected no path in a backend's URL, not \(quoted(String(path))): requests keep their own")
        }
        return HostAndPort.parse(String(authority), ports: 1...65535).map { address in
            Origin(scheme: scheme, host: address.host, port: address.port ?? scheme.defaultPort)
        }
    }
}
