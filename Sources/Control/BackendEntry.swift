// An entry of LB_BACKENDS: a backend, or a source of discovery.

/// What stands in the list of backends.
public enum BackendEntry: Sendable, Equatable, CustomStringConvertible {
    case backend(BackendSetting)
    case source(DiscoverySource)

    /// What logs call it.
    public var name: String {
        switch self {
        case .backend(let backend): backend.name
        case .source(let source): source.identity
        }
    }

    /// The form that `LB_BACKENDS` takes.
    public var description: String {
        switch self {
        case .backend(let backend): backend.description
        case .source(let source): source.description
        }
    }
}

extension SettingKind where Value == [BackendEntry] {
    /// Any number of backends and sources with different names; none is none.
    static let backends = SettingKind(
        form: "list of URL[;key=value...]",
        expectation: "backends such as http://127.0.0.1:3000",
        acceptsEmpty: true,
        parse: { text throws(ValueError) in try BackendEntry.parse(entries: listEntries(text)) },
        print: { $0.map(\.description).joined(separator: ",") }
    )
}

extension BackendEntry {
    /// Reads the backends of the command line; each argument holds one or more.
    static func parse(arguments: [String]) throws(ValueError) -> [BackendEntry] {
        var entries: [String] = []
        for argument in arguments {
            let found = listEntries(argument)
            if found.isEmpty { throw ValueError(argument, "expected a URL such as http://127.0.0.1:3000") }
            entries += found
        }
        return try parse(entries: entries)
    }

    /// Reads backends and sources, and refuses a name that is given twice.
    static func parse(entries: [String]) throws(ValueError) -> [BackendEntry] {
        var parsed: [BackendEntry] = []
        var refusals: [ValueError.Refusal] = []
        for entry in entries {
            let text = BackendText(entry)
            let result =
                DiscoverySource.parse(text).map { $0.map(BackendEntry.source) }
                ?? BackendSetting.parse(text).map(BackendEntry.backend)
            switch result {
            case .failure(let error): refusals += error.refusals
            case .success(let entry):
                if parsed.contains(where: { $0.name == entry.name }) {
                    refusals.append(.init(value: text.shown, reason: entry.takenReason))
                }
                parsed.append(entry)
            }
        }
        guard refusals.isEmpty else { throw ValueError(refusals) }
        return parsed
    }

    private var takenReason: String {
        switch self {
        case .backend(let backend): BackendSetting.takenReason(backend.name)
        case .source: "expected a source only once"
        }
    }
}

extension BackendSetting {
    /// Reads backends alone, as an operator adds them to the running program.
    static func parse(entries: [String]) throws(ValueError) -> [BackendSetting] {
        try BackendEntry.parse(entries: entries).map { entry throws(ValueError) in
            switch entry {
            case .backend(let backend): return backend
            case .source(let source): throw ValueError(source.description, "expected a backend, not a source")
            }
        }
    }

    static func takenReason(_ name: String) -> String {
        "expected a name of its own, \(name) is taken; give one with ;name="
    }
}
