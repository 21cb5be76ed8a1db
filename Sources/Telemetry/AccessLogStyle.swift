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
///
/// A class, so that an exchange that has its line written does not copy it.
public final class AccessLogStyle: Sendable {
    let format: AccessLogFormat
    /// The fields in their order; the combined form has its own.
    let parts: AccessLogParts
    /// Those of them that a line has when there is nothing to remark.
    let plainParts: AccessLogParts
    /// Whether a person sees the lines as they come: in columns and colour.
    let isForTerminal: Bool
    /// One of how many lines is written of requests that went well.
    public let sample: Int
    /// Whether the request's `Referer` and `User-Agent` are wanted.
    public let namesClientProgram: Bool
    /// Whether it is wanted what the parts of an attempt took.
    public let namesPhases: Bool

    public init(
        format: AccessLogFormat,
        fields: AccessLogFields = AccessLogFields(),
        isForTerminal: Bool = false,
        sample: Int = 1
    ) {
        let fields = fields.resolved(for: format)
        self.format = format
        self.isForTerminal = isForTerminal && format == .text
        self.sample = max(1, sample)
        let parts = fields.map { format == .json ? AccessLogPart.json($0) : .text($0) }
        self.parts = AccessLogParts(parts)
        plainParts = AccessLogParts(parts.filter { $0.kind != .remark })
        namesClientProgram = format == .combined || fields.contains(.referer) || fields.contains(.userAgent)
        namesPhases = fields.contains { [.dns, .connect, .tls, .wait, .body].contains($0) }
    }

    deinit {
        // The parts hold no references.
        parts.start.deallocate()
        plainParts.start.deallocate()
    }
}
