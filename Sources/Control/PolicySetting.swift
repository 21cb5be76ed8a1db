// The policy as the operator writes it.

import Balancing

extension SettingKind where Value == Policy {
    /// A word, or `hash:` and what is hashed.
    static let policy: SettingKind = {
        let expectation = alternatives(Policy.words.map(\.description) + ["hash:KEY"])
        return SettingKind(
            form: expectation + "; KEY is \(Policy.keyForms)",
            expectation: expectation,
            parse: { text throws(ValueError) in try Policy.parse(text, expectation: expectation) },
            print: { $0.description }
        )
    }()
}

extension Policy {
    /// The policies that need no more than a word.
    fileprivate static let words: [Policy] = [.roundRobin, .leastConnections, .randomTwo, .peakEWMA, .first]
    fileprivate static let keyForms = alternatives(["ip", "uri", "header:NAME", "cookie:NAME"])

    fileprivate static func parse(_ text: String, expectation: String) throws(ValueError) -> Policy {
        if let policy = words.first(where: { $0.description == text }) { return policy }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.first == "hash" else {
            let hint = suggestion(for: text, among: words.map(\.description))
            throw ValueError(text, "expected \(expectation)\(hint)")
        }
        switch (parts.dropFirst().first, parts.count) {
        case ("ip", 2): return .hash(.clientAddress)
        case ("uri", 2): return .hash(.uri)
        case ("header", 3): return .hash(.header(try name(parts[2], of: "a field", in: text)))
        case ("cookie", 3): return .hash(.cookie(try name(parts[2], of: "a cookie", in: text)))
        default: throw ValueError(text, "expected \(keyForms) after hash:")
        }
    }

    /// The name of a field or of a cookie, which is a token (RFC 9110 section 5.1, RFC 6265 section 4.1.1).
    private static func name(_ name: String, of what: String, in text: String) throws(ValueError) -> String {
        guard name.utf8.count <= 64, isToken(name) else {
            throw ValueError(text, "expected the name of \(what), not \(quoted(name))")
        }
        return name
    }
}
