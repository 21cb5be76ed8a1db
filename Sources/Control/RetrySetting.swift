// After which outcomes an attempt may be followed by another, as the operator writes it.

import Balancing

extension SettingKind where Value == RetryConditions {
    /// `none`, or presets and classes with commas or white space between them.
    static let retryConditions: SettingKind = {
        let presets = alternatives(RetryConditions.presets.map(\.word))
        let form = "\(presets), or a list of classes"
        return SettingKind(
            form: form,
            expectation: form,
            parse: { text throws(ValueError) in try RetryConditions.parse(text) },
            print: { $0.text }
        )
    }()
}

extension RetryConditions {
    /// Whole answers to the question; `none` stands alone.
    fileprivate static let presets: [(word: String, conditions: Self)] = [
        ("none", []), ("safe", .safe), ("gateway", .gateway), ("all-retryable-errors", .allErrors),
    ]

    /// The single classes, in HAProxy's words and in the order in which they are printed.
    private static let classes: [(word: String, conditions: Self)] =
        [
            ("conn-failure", .connectionFailure), ("empty-response", .emptyResponse), ("junk-response", .junkResponse),
            ("response-timeout", .responseTimeout),
        ] + statuses.map { ("\($0)", status($0) ?? []) }

    fileprivate static var classWords: [String] { classes.map(\.word) }

    fileprivate static func parse(_ text: String) throws(ValueError) -> Self {
        let words = listEntries(text)
        if words == ["none"] { return [] }
        var conditions: Self = []
        var refusals: [ValueError.Refusal] = []
        for word in words {
            if word == "none" {
                refusals.append(.init(value: text, reason: "expected none to stand alone"))
            } else if let row = (presets + classes).first(where: { $0.word == word }) {
                conditions.formUnion(row.conditions)
            } else {
                let known = presets.map(\.word) + classWords
                let hint = suggestion(for: word, among: known)
                let reason = "expected \(alternatives(known)), not \(quoted(word))\(hint)"
                refusals.append(.init(value: text, reason: reason))
            }
        }
        guard refusals.isEmpty else { throw ValueError(refusals) }
        guard !words.isEmpty else { throw ValueError(text, "expected at least one class; none is for no retry at all") }
        return conditions
    }

    /// The preset that means the same, else the classes.
    fileprivate var text: String {
        if let preset = Self.presets.first(where: { $0.conditions == self }) { return preset.word }
        return Self.classes.filter { contains($0.conditions) }.map(\.word).joined(separator: ",")
    }
}
