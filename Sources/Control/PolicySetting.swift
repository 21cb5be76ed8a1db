// The policy as the operator writes it.

import Balancing

extension SettingKind where Value == Policy {
    /// A word, or `hash:` and what is hashed.
    static let policy: SettingKind = {
        let expectation = alternatives(Policy.words.map(\.word) + ["hash:KEY"])
        return SettingKind(
            form: expectation + "; KEY is \(Policy.keyForms)",
            expectation: expectation,
            parse: { text throws(ValueError) in try Policy.parse(text, expectation: expectation) },
            print: { $0.text }
        )
    }()
}

extension Policy {
    /// The policies that need no more than a word.
    fileprivate static let words: [(word: String, policy: Policy)] = [
        ("round_robin", .roundRobin), ("least_conn", .leastConnections), ("random_two", .randomTwo),
        ("peak_ewma", .peakEWMA), ("first", .first),
    ]
    fileprivate static let keyForms = alternatives(["ip", "uri", "header:NAME", "cookie:NAME"])

    fileprivate static func parse(_ text: String, expectation: String) throws(ValueError) -> Policy {
        if let row = words.first(where: { $0.word == text }) { return row.policy }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.first == "hash" else {
            let hint = suggestion(for: text, among: words.map(\.word))
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
        let isToken = name.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "!#$%&'*+-.^_`|~".contains($0))
        }
        guard (1...64).contains(name.utf8.count), isToken else {
            throw ValueError(text, "expected the name of \(what), not \(quoted(name))")
        }
        return name
    }

    /// The form that `LB_POLICY` takes.
    fileprivate var text: String {
        switch self {
        case .roundRobin, .leastConnections, .randomTwo, .peakEWMA, .first:
            Policy.words.first { $0.policy == self }?.word ?? ""
        case .hash(.clientAddress): "hash:ip"
        case .hash(.uri): "hash:uri"
        case .hash(.header(let name)): "hash:header:\(name)"
        case .hash(.cookie(let name)): "hash:cookie:\(name)"
        }
    }
}
