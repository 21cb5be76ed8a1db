// What another reading of the settings asks of the running process.

/// The settings read again, beside those that the process runs with.
public enum SettingsReading: Sendable, Equatable {
    /// Something is wrong, so nothing is to change: one line for each problem.
    case refused([String])
    case unchanged
    case changed(SettingsChange)

    /// Reads the settings again.
    ///
    /// - Parameters:
    ///   - running: What the process runs with.
    ///   - environment: The variables of the process, as they were at its start.
    ///   - arguments: The backends of its command line.
    ///   - file: What stands in the file of settings, where that is known already.
    static func read(
        running: Settings,
        environment: [String: String],
        arguments: [String],
        file: EnvironmentFileContents? = nil
    ) -> SettingsReading {
        do throws(SettingsError) {
            let (settings, provenance) = try Settings.load(environment: environment, arguments: arguments, file: file)
            return SettingsChange(from: running, to: settings, provenance).map(SettingsReading.changed) ?? .unchanged
        } catch {
            return .refused(error.problems)
        }
    }
}

/// What has changed, and what the process goes on with.
public struct SettingsChange: Sendable, Equatable {
    /// What is to hold now; what cannot change while the process runs is as it was.
    public let settings: Settings
    /// What is different in them, a few words for each setting.
    public let differences: [String]
    /// Where they came from.
    public let provenance: Provenance
    /// The names of settings whose other value waits for a restart, or another process that takes over.
    public let waiting: [String]

    /// Nil when nothing is different.
    init?(from running: Settings, to read: Settings, _ provenance: Provenance) {
        var next = read
        self.provenance = provenance
        waiting = SettingsTable.fixed.filter { $0.differs(running, read) }.map(\.name)
        for row in SettingsTable.fixed { row.copy(from: running, into: &next) }
        // A name that nobody has given is made of the addresses that are listened on.
        if provenance[SettingsTable.name.name] == .fallback {
            next.name = InstanceName.derived(from: next.listenAddresses)
        }
        settings = next
        differences = SettingsTable.rows.filter { $0.differs(running, next) }.map {
            Self.words(for: $0, running, next)
        }
        if differences.isEmpty, waiting.isEmpty { return nil }
    }

    /// The differences as one line.
    public var summary: String { differences.joined(separator: "; ") }

    private static func words(for row: any SettingRow, _ former: Settings, _ next: Settings) -> String {
        if row.name == SettingsTable.backends.name { return "\(row.name): \(words(former.backends, next.backends))" }
        let (before, after) = (row.print(former), row.print(next))
        // Secrets look alike.
        return before == after ? "\(row.name) is another one" : "\(row.name)=\(cut(after)) (was \(cut(before)))"
    }

    private static func words(_ former: [BackendEntry], _ next: [BackendEntry]) -> String {
        let before = Dictionary(former.map { ($0.name, $0) }) { first, _ in first }
        let after = Set(next.map(\.name))
        let parts = [
            ("added", next.filter { before[$0.name] == nil }),
            ("changed", next.filter { entry in before[entry.name].map { $0 != entry } ?? false }),
            ("removed", former.filter { !after.contains($0.name) }),
        ].filter { !$0.1.isEmpty }
        guard !parts.isEmpty else { return "another order" }
        return parts.map { "\($0.0) \(list($0.1.map(\.name)))" }.joined(separator: ", ")
    }

    /// A few of the names, and how many there are besides.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).joined(separator: " ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }

    private static func cut(_ text: String) -> String { text.count > 80 ? "\(text.prefix(80))…" : text }
}
