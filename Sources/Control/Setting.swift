// One row of the settings table: a variable's name, default, kind and help line, and how its value is read and printed.

import Configuration

/// One environment variable and the field of ``Settings`` that it sets.
struct Setting<Value: Sendable & Equatable>: Sendable {
    /// The environment variable.
    let name: String
    /// The field of ``Settings`` that holds the value.
    let field: any WritableKeyPath<Settings, Value> & Sendable
    /// The value when the variable is not set.
    let defaultValue: Value
    /// The default as people read it; differs from the printed value where the machine decides.
    let defaultText: String
    /// What the value looks like.
    let kind: SettingKind<Value>
    /// What the setting does, in plain text without line breaks.
    let help: String

    init(
        _ name: String,
        _ field: any WritableKeyPath<Settings, Value> & Sendable,
        default defaultValue: Value,
        shownAs defaultText: String? = nil,
        _ kind: SettingKind<Value>,
        _ help: String
    ) {
        self.name = name
        self.field = field
        self.defaultValue = defaultValue
        self.defaultText = defaultText ?? kind.print(defaultValue)
        self.kind = kind
        self.help = help
    }
}

/// A row whatever its value's type.
protocol SettingRow: Sendable {
    var name: String { get }
    var defaultText: String { get }
    /// What a value looks like, for tables.
    var form: String { get }
    var help: String { get }
    /// Whether the value is not to be told.
    var isSecret: Bool { get }

    /// Takes the value into `settings` when the variable is set; returns whether it is.
    func read(from reader: ConfigReader, into settings: inout Settings) throws(ValueError) -> Bool

    /// The effective value in the syntax of the variable.
    func print(_ settings: Settings) -> String

    /// Whether two settings have different values of it, also where they are printed alike.
    func differs(_ settings: Settings, _ others: Settings) -> Bool

    /// Takes the value of other settings over.
    func copy(from others: Settings, into settings: inout Settings)
}

extension Setting: SettingRow {
    var form: String { kind.form }
    var isSecret: Bool { kind.isSecret }

    func read(from reader: ConfigReader, into settings: inout Settings) throws(ValueError) -> Bool {
        guard let text = reader.string(forKey: ConfigKey([name])) else { return false }
        if text.isEmpty, !kind.acceptsEmpty {
            throw ValueError(text, "expected \(kind.expectation); unset it to get the default, \(defaultText)")
        }
        settings[keyPath: field] = try kind.parse(text)
        return true
    }

    func print(_ settings: Settings) -> String {
        kind.print(settings[keyPath: field])
    }

    func differs(_ settings: Settings, _ others: Settings) -> Bool {
        settings[keyPath: field] != others[keyPath: field]
    }

    func copy(from others: Settings, into settings: inout Settings) {
        settings[keyPath: field] = others[keyPath: field]
    }
}
