// How the operator says what stands in the access log.

import Telemetry

extension SettingKind where Value == AccessLogFields {
    /// Names of fields, `default` and `all`.
    static let accessLogFields: SettingKind = {
        let names = ["default", "all"] + AccessLogField.allCases.map(\.rawValue)
        let expectation = "a list of \(alternatives(names))"
        return SettingKind(
            form: "list of field names, default or all",
            expectation: expectation,
            parse: { text throws(ValueError) in
                var items: [AccessLogFields.Item] = []
                var refusals: [ValueError.Refusal] = []
                for entry in listEntries(text) {
                    switch entry {
                    case "default": items.append(.usual)
                    case "all": items.append(.all)
                    default:
                        if let field = AccessLogField(rawValue: entry) {
                            items.append(.field(field))
                        } else {
                            let hint = suggestion(for: entry, among: names)
                            let reason =
                                hint.isEmpty ? "expected \(expectation)" : "expected the name of a field\(hint)"
                            refusals.append(ValueError.Refusal(value: entry, reason: reason))
                        }
                    }
                }
                guard refusals.isEmpty else { throw ValueError(refusals) }
                guard !items.isEmpty else { throw ValueError(text, "expected \(expectation)") }
                return AccessLogFields(items)
            },
            print: { fields in
                fields.items.map { item in
                    switch item {
                    case .usual: "default"
                    case .all: "all"
                    case .field(let field): field.rawValue
                    }
                }.joined(separator: ",")
            }
        )
    }()
}

extension SettingKind where Value == Int {
    /// One of so many: `1/100`.
    static let sample = SettingKind(
        form: "1/1 to 1/1000000",
        expectation: "a part such as 1/100",
        parse: { text throws(ValueError) in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "1", let count = wholeNumber(parts[1]), (1...1_000_000).contains(count)
            else {
                throw ValueError(text, "expected a part between 1/1 and 1/1000000, such as 1/100")
            }
            return count
        },
        print: { "1/\($0)" }
    )
}
