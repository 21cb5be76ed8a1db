// The fields of a line, worked out once for the lines that have them.

/// One field, with the bytes around its value.
struct AccessLogPart: Sendable {
    /// What is written when nothing is known.
    enum WhenUnknown: Sendable {
        /// The field is left out.
        case nothing
        /// The field has no value between its quotes.
        case empty
        /// A dash in place of the value.
        case dash
    }

    /// Where the value is.
    enum Kind: UInt8, Sendable {
        case text, number, time
        /// It is put together.
        case other
    }

    let field: AccessLogField
    let kind: Kind
    /// Which of its kind it is in a record.
    let index: UInt8
    /// Whether it is a member of an object, and no word of a line of text.
    let isJSON: Bool
    let whenUnknown: WhenUnknown
    /// What stands in front of the value: its name, and the quote that opens it.
    let prefix: ShortText
    /// What stands behind it: the quote that closes it, and what separates it from the next one.
    let suffix: ShortText

    private init(
        _ field: AccessLogField,
        _ name: String,
        isJSON: Bool,
        isQuoted: Bool,
        whenUnknown: WhenUnknown
    ) {
        let quote = isQuoted ? "\"" : ""
        self.field = field
        (kind, index) = Self.place(of: field)
        self.isJSON = isJSON
        self.whenUnknown = whenUnknown
        prefix = ShortText((name + quote).utf8)
        suffix = ShortText((quote + (isJSON ? "," : " ")).utf8)
    }

    private static func place(of field: AccessLogField) -> (Kind, UInt8) {
        func text(_ text: AccessLogRecord.Text) -> (Kind, UInt8) { (.text, UInt8(text.rawValue)) }
        func number(_ number: AccessLogRecord.Number) -> (Kind, UInt8) { (.number, UInt8(number.rawValue)) }
        func time(_ time: AccessLogRecord.Time) -> (Kind, UInt8) { (.time, UInt8(time.rawValue)) }
        return switch field {
        case .client: text(.client)
        case .method: text(.method)
        case .target: text(.target)
        case .host: text(.host)
        case .referer: text(.referer)
        case .userAgent: text(.userAgent)
        case .backend: text(.backend)
        case .id: text(.requestID)
        case .traceID: text(.traceID)
        case .status: number(.status)
        case .bytesIn: number(.bytesIn)
        case .bytesOut: number(.bytesOut)
        case .attempts: number(.attempts)
        case .sample: number(.sample)
        case .duration: time(.duration)
        case .firstByte: time(.firstByte)
        case .queue: time(.queue)
        case .dns: time(.dns)
        case .connect: time(.connect)
        case .tls: time(.tls)
        case .wait: time(.wait)
        case .body: time(.body)
        case .time, .request, .protocol, .failedAttempts, .notes, .reason: (.other, 0)
        }
    }

    /// The field as a member of an object.
    static func json(_ field: AccessLogField) -> Self {
        let isQuoted =
            switch field {
            case .time, .client, .request, .method, .target, .protocol, .host, .referer, .userAgent, .backend, .reason,
                .id,
                .traceID:
                true
            default: false
            }
        let isKnownMostly =
            switch field {
            case .client, .request, .method, .target, .host, .id: true
            default: false
            }
        return Self(
            field,
            "\"\(field.rawValue)\":",
            isJSON: true,
            isQuoted: isQuoted,
            whenUnknown: isKnownMostly ? .empty : .nothing
        )
    }

    /// The field as a word of a line of text.
    static func text(_ field: AccessLogField) -> Self {
        let isQuoted =
            switch field {
            case .request, .method, .target, .host, .referer, .userAgent: true
            default: false
            }
        let isLeftOut =
            switch field {
            case .queue, .notes, .dns, .connect, .tls, .wait, .body, .reason, .traceID, .failedAttempts: true
            default: false
            }
        return Self(
            field,
            field.textKey,
            isJSON: false,
            isQuoted: isQuoted,
            whenUnknown: isLeftOut ? .nothing : .dash
        )
    }
}
