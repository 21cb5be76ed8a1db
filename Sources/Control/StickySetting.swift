// LB_STICKY and LB_STICKY_SECRET: whether and how clients are bound to backends.

public import Forwarding
import FoundationEssentials

/// How clients are bound to backends by a cookie.
public struct StickySetting: Sendable, Equatable {
    /// The cookie's name unless given.
    static let defaultName = "lb_backend"
    /// How long a cookie may live; browsers keep none for longer than 400 days.
    static let lifetimes: ClosedRange<Duration> = .seconds(1) ... .seconds(400 * 86400)

    /// The cookie's name.
    public var cookieName = defaultName
    /// How long a client keeps the cookie; nil for as long as the browser runs.
    public var lifetime: Duration?
    /// Whether the cookie goes over encrypted connections only.
    public var secure = CookieAffinity.Secure.whenEncrypted
    /// Whether it goes along with requests from other sites.
    public var sameSite = CookieAffinity.SameSite.lax

    /// The options behind the cookie's name.
    private enum Key: String, CaseIterable {
        case lifetime, secure, samesite
    }

    /// The form that `LB_STICKY` takes.
    var text: String {
        var text = "cookie"
        if cookieName != Self.defaultName { text += ":\(cookieName)" }
        if let lifetime { text += ";lifetime=\(printDuration(lifetime))" }
        switch secure {
        case .always: text += ";secure=on"
        case .never: text += ";secure=off"
        case .whenEncrypted: break
        }
        if sameSite != .lax { text += ";samesite=\(sameSite.rawValue)" }
        return text
    }

    fileprivate static func parse(_ text: String, expectation: String) throws(ValueError) -> StickySetting {
        var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        let head = parts.removeFirst()
        var setting = StickySetting()
        if head.hasPrefix("cookie:") {
            let name = String(head.dropFirst("cookie:".count))
            guard isToken(name), name.utf8.count <= CookieAffinity.maximumNameLength else {
                throw ValueError(text, "expected the name of a cookie, not \(quoted(name))")
            }
            setting.cookieName = name
        } else if head != "cookie" {
            throw ValueError(text, "expected \(expectation)\(suggestion(for: head, among: ["off", "cookie"]))")
        }
        var seen: Set<String> = []
        for part in parts {
            let key = String(part.prefix { $0 != "=" })
            if !seen.insert(key).inserted { throw ValueError(text, "expected the option \(key) only once") }
            if let problem = setting.set(key, to: String(part.dropFirst(key.count + 1))) {
                throw ValueError(text, problem.phrase)
            }
        }
        if let problem = setting.conflict { throw ValueError(text, problem.phrase) }
        return setting
    }

    /// Takes an option's value; returns what was expected when it is refused.
    private mutating func set(_ keyText: String, to value: String) -> Expectation? {
        let keys = Key.allCases.map(\.rawValue)
        guard let key = Key(rawValue: keyText) else {
            return
                "expected the option \(alternatives(keys)), not \(quoted(keyText))\(suggestion(for: keyText, among: keys))"
        }
        switch key {
        case .lifetime:
            guard let duration = parseDuration(value), Self.lifetimes.contains(duration),
                duration.components.attoseconds == 0
            else { return "expected whole seconds between 1s and 9600h after lifetime=, not \(quoted(value))" }
            lifetime = duration
        case .secure:
            guard value == "on" || value == "off" else {
                return "expected on or off after secure=, not \(quoted(value))"
            }
            secure = value == "on" ? .always : .never
        case .samesite:
            let words = CookieAffinity.SameSite.allCases.map(\.rawValue)
            guard let word = CookieAffinity.SameSite(rawValue: value) else {
                return "expected \(alternatives(words)) after samesite=, not \(quoted(value))"
            }
            sameSite = word
        }
        return nil
    }

    /// What was expected when browsers would not take the cookie.
    private var conflict: Expectation? {
        guard secure != .always else { return nil }
        if sameSite == .none {
            return "expected secure=on beside samesite=none, without which browsers refuse the cookie"
        }
        let isPrefixed = ["__secure-", "__host-"].contains { cookieName.lowercased().hasPrefix($0) }
        return isPrefixed ? "expected secure=on for a cookie of that name, which browsers refuse otherwise" : nil
    }
}

extension SettingKind where Value == StickySetting? {
    /// `off`, or `cookie` with its options.
    static let sticky: SettingKind = {
        let expectation = "off, cookie or cookie:NAME"
        return SettingKind(
            form: "off or cookie[:NAME][;key=value...]",
            expectation: expectation,
            parse: { text throws(ValueError) in
                text == "off" ? nil : try StickySetting.parse(text, expectation: expectation)
            },
            print: { $0?.text ?? "off" }
        )
    }()
}

/// What tokens are made with, so that nobody else can make them.
public struct StickySecret: Sendable, Equatable {
    /// Shorter ones could be guessed.
    static let shortest = 16
    /// More than anybody needs.
    static let longest = 4096

    /// The file that it was read from; nil when it was given itself.
    let path: String?
    let bytes: [UInt8]
}

extension SettingKind where Value == StickySecret? {
    /// The secret itself, or `file:` and the path of the file that holds it.
    ///
    /// Neither messages nor ``Setting/print(_:)`` tell a secret.
    static let stickySecret: SettingKind = {
        let length = "\(StickySecret.shortest) to \(StickySecret.longest) bytes"
        let expectation = "none, a secret of \(length), or file: and the path of a file that holds one"
        return SettingKind(
            form: "none, a secret of \(length), or file:/path",
            expectation: expectation,
            isSecret: true,
            parse: { text throws(ValueError) in
                if text == "none" { return nil }
                guard text.hasPrefix("file:") else {
                    guard (StickySecret.shortest...StickySecret.longest).contains(text.utf8.count) else {
                        throw ValueError(secretStars, "expected \(expectation)")
                    }
                    return StickySecret(path: nil, bytes: Array(text.utf8))
                }
                let (path, bytes) = try secretFile(text, longest: StickySecret.longest)
                guard (StickySecret.shortest...StickySecret.longest).contains(bytes.count) else {
                    throw ValueError(text, "expected \(length) in the file, not \(bytes.count)")
                }
                return StickySecret(path: path, bytes: bytes)
            },
            print: { secret in
                guard let secret else { return "none" }
                return secret.path.map { "file:\($0)" } ?? secretStars
            }
        )
    }()
}

/// Reads the file that a setting names as `file:/path`, without the line breaks at its end.
func secretFile(_ text: String, longest: Int) throws(ValueError) -> (path: String, bytes: [UInt8]) {
    let path = String(text.dropFirst("file:".count))
    guard path == escaped(path), kindOfFile(path) == .regular, let data = FileManager.default.contents(atPath: path)
    else { throw ValueError(text, "expected a readable file after file:") }
    // What an editor or echo puts at the end is not meant.
    var bytes = Array(data.prefix(longest + 2))
    while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
    return (path, bytes)
}
