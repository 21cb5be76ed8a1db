// The syntax of sources of discovery: dns://name:port, dns+https://name:port, file:/path and exec:/path, with options.

import Glibc
import Upstream

extension DiscoverySource.Kind {
    /// What the text, before the first semicolon of an entry, asks for; nil when it is no source.
    init?(_ place: String) {
        guard case .success(let kind)? = Self.parse(place) else { return nil }
        self = kind
    }

    /// Reads what stands before the first semicolon of an entry; nil when it has no scheme of a source.
    static func parse(_ place: String) -> Result<Self, Expectation>? {
        guard let colon = place.firstIndex(of: ":") else { return nil }
        let rest = String(place[place.index(after: colon)...])
        switch place[..<colon].lowercased() {
        case "dns": return dns(rest, .http)
        case "dns+https": return dns(rest, .https)
        case "file":
            return path(rest, of: "a list of backends", example: "file:/etc/curl-lb/backends").flatMap { path in
                // The list may come later; where it is to come must be there.
                let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
                guard kindOfFile(folder.isEmpty ? "/" : String(folder)) == .directory, kindOfFile(path) != .directory
                else { return .failure("expected a file in a directory that exists after file:") }
                return .success(.file(path: path))
            }
        case "exec":
            return path(rest, of: "a program", example: "exec:/usr/local/bin/list-backends").flatMap { path in
                guard kindOfFile(path) == .regular, access(path, X_OK) == 0 else {
                    return .failure("expected a program that may be run after exec:")
                }
                return .success(.exec(path: path))
            }
        default: return nil
        }
    }

    private static func dns(_ rest: String, _ scheme: Origin.Scheme) -> Result<Self, Expectation> {
        let prefix = scheme == .http ? "dns" : "dns+https"
        guard rest.hasPrefix("//") else { return .failure("expected a name such as \(prefix)://app.internal:3000") }
        return BackendSetting.parseAuthority(String(rest.dropFirst(2)), scheme: scheme).flatMap { origin in
            let lastLabel = origin.host.split(separator: ".").last ?? ""
            guard isHostName(origin.host), wholeNumber(lastLabel) == nil else {
                return .failure("expected a name after \(prefix)://; for an address write \(origin)")
            }
            return .success(.dns(scheme, host: origin.host, port: origin.port))
        }
    }

    /// An absolute path; `//host/path` is refused, and `///path` is `/path`.
    private static func path(_ rest: String, of what: String, example: String) -> Result<String, Expectation> {
        let path = rest.hasPrefix("///") ? String(rest.dropFirst(2)) : rest
        guard path.hasPrefix("/"), !path.hasPrefix("//"), !path.hasSuffix("/"), escaped(path) == path else {
            return .failure("expected the absolute path of \(what), such as \(example)")
        }
        return .success(path)
    }
}

extension DiscoverySource {
    /// Reads a source with its options; nil when the entry is none.
    static func parse(_ text: BackendText) -> Result<DiscoverySource, ValueError>? {
        switch Kind.parse(text.place) {
        case nil: return nil
        case .failure(let problem)?: return .failure(ValueError(text.refusals(place: problem)))
        case .success(let kind)?:
            let refusals = text.refusals(conflict: conflict(of: text.options, with: kind))
            guard refusals.isEmpty else { return .failure(ValueError(refusals)) }
            return .success(DiscoverySource(kind: kind, options: text.options, description: text.shown))
        }
    }

    private static func conflict(of options: BackendOptions, with kind: Kind) -> Expectation? {
        switch kind {
        case .dns(let scheme, let host, let port):
            return options.conflict(with: Origin(scheme: scheme, host: host, port: port))
        case .file, .exec:
            if options.name != nil { return "expected name only at the backends of the list" }
            return options.conflict
        }
    }
}
