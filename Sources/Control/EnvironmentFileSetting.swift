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
    fileprivate static let expectation = "none or the path of a readable file"

    /// `none`, or the path of a file; that it can be read is seen once, by who reads it (``EnvironmentFileContents``).
    static let environmentFile = SettingKind(
        form: "none or a path",
        expectation: expectation,
        parse: { text throws(ValueError) in
            if text == "none" { return nil }
            guard !text.isEmpty, text == escaped(text) else { throw ValueError(text, "expected \(expectation)") }
            return text
        },
        print: { $0 ?? "none" }
    )
}

/// What one look at the file has given: its bytes, or why there are none.
///
/// A load of the settings looks once. With two looks a file that is replaced meanwhile could be there for one and not for the
/// other, and count as empty.
typealias EnvironmentFileContents = Result<[UInt8], ListFailure>

extension ValueError {
    /// The file that a path names cannot be read.
    static func unreadableFile(_ path: String) -> ValueError {
        ValueError(path, "expected \(SettingKind<String?>.expectation)")
    }
}
