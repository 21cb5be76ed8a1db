// What is shown of the settings table: the section of --help, the Markdown table and --print-settings.

/// One setting as the admin API shows it.
public struct SettingReport: Sendable, Codable, Equatable {
    public var name: String
    /// In the syntax of the variable.
    public var value: String
    /// `default`, `environment` or `command line`.
    public var source: String
}

enum SettingsDocument {
    /// The environment section of `--help`: each variable, what it does, its form and default.
    static var helpSection: String {
        // The column at which swift-argument-parser begins its descriptions.
        let indent = String(repeating: " ", count: 26)
        var lines = ["ENVIRONMENT:"]
        for row in SettingsTable.rows {
            var text = wrapped("\(row.help) (\(row.form); default: \(row.defaultText))", width: 96 - indent.count)
            lines.append("  " + padded(row.name, to: indent.count - 2) + text.removeFirst())
            lines += text.map { indent + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The Markdown table of docs/settings.md.
    static var markdownTable: String {
        var lines = ["| Variable | Default | Value | Meaning |", "|---|---|---|---|"]
        for row in SettingsTable.rows {
            lines.append("| `\(row.name)` | `\(row.defaultText)` | \(row.form) | \(row.help) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The effective values as lines that a shell or an environment file can read back, each with its origin.
    static func effectiveValues(_ settings: Settings, _ provenance: Provenance) -> String {
        let assignments = SettingsTable.rows.map { "\($0.name)=\(shellWord($0.print(settings)))" }
        let width = min(assignments.map(\.count).max() ?? 0, 64)
        var lines = zip(SettingsTable.rows, assignments).map { row, assignment in
            "\(padded(assignment, to: width))  # \(provenance[row.name].rawValue)\(provenance.lines[row.name].map { ", line \($0)" } ?? "")"
        }
        lines += provenance.ignoredVariables.map { "# \($0) is ignored: Kubernetes sets it for a Service" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The effective values, each with its origin, for the admin API; secrets are left out.
    static func report(_ settings: Settings, _ provenance: Provenance) -> [SettingReport] {
        SettingsTable.rows.map { row in
            let value = row.print(settings)
            return SettingReport(
                name: row.name,
                value: row.isSecret && value == secretStars ? "(secret)" : value,
                source: provenance[row.name].rawValue
            )
        }
    }

    /// Text cut into lines of at most `width` characters at its spaces.
    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= width {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// The text as one word of a POSIX shell.
    private static func shellWord(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.,:/+-[]@%=".contains($0)) }
        guard !isPlain else { return text }
        // Single quotes take everything but themselves.
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
