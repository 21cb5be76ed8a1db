// How access log lines are written: their form, their fields, and how many of them.

/// The form of an access log line.
public enum AccessLogFormat: String, Sendable, CaseIterable {
    /// Fields in columns, most of them with their name.
    case text
    /// Apache's combined form, which many programs read; its fields are fixed.
    case combined
    /// One object a line.
    case json
}

/// Which fields an access log line has, in their order, before the form is known.
public struct AccessLogFields: Sendable, Equatable {
    /// A field, or what stands for several.
    public enum Item: Sendable, Equatable {
        /// The form's own selection.
        case usual
        /// All that the form has.
        case all
        case field(AccessLogField)
    }

    public var items: [Item]

    public init(_ items: [Item] = [.usual]) { self.items = items }

    /// The fields of a form; one that is named twice stands in the first place.
    public func resolved(for format: AccessLogFormat) -> [AccessLogField] {
        let isJSON = format == .json
        var fields: [AccessLogField] = []
        for item in items {
            let named =
                switch item {
                case .usual: isJSON ? AccessLogField.jsonDefault : AccessLogField.textDefault
                case .all: isJSON ? AccessLogField.jsonAll : AccessLogField.textAll
                case .field(let field): [field]
                }
            fields += named.filter { !fields.contains($0) }
        }
        return fields
    }
}

/// How access log lines are written.
public struct AccessLogStyle: Sendable, Equatable {
    public let format: AccessLogFormat
    /// In their order; the combined form has its own.
    public let fields: [AccessLogField]
    /// Whether a person sees the lines as they come: in columns and colour.
    public let isForTerminal: Bool
    /// One of how many lines is written of requests that went well.
    public let sample: Int
    /// Whether the request's `Referer` and `User-Agent` are wanted.
    public let namesClientProgram: Bool

    public init(
        format: AccessLogFormat,
        fields: AccessLogFields = AccessLogFields(),
        isForTerminal: Bool = false,
        sample: Int = 1
    ) {
        self.format = format
        self.fields = fields.resolved(for: format)
        self.isForTerminal = isForTerminal && format == .text
        self.sample = max(1, sample)
        namesClientProgram =
            format == .combined || self.fields.contains(.referer) || self.fields.contains(.userAgent)
    }
}
