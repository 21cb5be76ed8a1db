// Durations that may be off.

extension SettingKind where Value == Duration? {
    /// `off`, or a number with one of the units ms, s, m and h.
    static func durationOrOff(_ range: ClosedRange<Duration>) -> SettingKind {
        let duration = SettingKind<Duration>.duration(range)
        let expectation = "off or \(duration.expectation)"
        return SettingKind(
            form: "off or \(duration.form)",
            expectation: expectation,
            parse: { text throws(ValueError) in
                if text == "off" { return nil }
                guard let value = try? duration.parse(text) else { throw ValueError(text, "expected \(expectation)") }
                return value
            },
            print: { $0.map(duration.print) ?? "off" }
        )
    }
}
