// LB_ENV_FILE: the file that settings are read from, again and again.

extension SettingsTable {
    static let environmentFile = Setting(
        "LB_ENV_FILE",
        \.environmentFile,
        default: nil,
        .environmentFile,
        "A file of NAME=value lines that stand over the environment. It is read again on SIGHUP, and when it has changed."
    )

    /// The settings that hold until the process ends: what they stand for is made once.
    static let fixed: [any SettingRow] = [
        environmentFile, listen, takeoverSocket, adminAddress, adminToken, workers, maxHeader, trace, traceEndpoint,
        traceHeaders,
    ]

    /// Whether another value of a setting waits for another process.
    static func isFixed(_ name: String) -> Bool { fixed.contains { $0.name == name } }
}

extension SettingKind where Value == String? {
    /// `none`, or the path of a file that can be read.
    static let environmentFile: SettingKind = {
        let expectation = "none or the path of a readable file"
        return SettingKind(
            form: "none or a path",
            expectation: expectation,
            parse: { text throws(ValueError) in
                if text == "none" { return nil }
                guard text == escaped(text), kindOfFile(text) == .regular, case .success = ListFile.read(text) else {
                    throw ValueError(text, "expected \(expectation)")
                }
                return text
            },
            print: { $0 ?? "none" }
        )
    }()
}
