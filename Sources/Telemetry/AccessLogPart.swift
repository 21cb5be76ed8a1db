// The fields of a line, worked out once for the lines that have them.

/// One field, with the bytes around its value; small, since all of them are read for each line.
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

    /// What the value is.
    enum Kind: UInt8, Sendable {
        /// The time of day.
        case clock
        /// Bytes that need no escape, others, a number, a duration: somewhere in ``AccessLogFacts``.
        case plain, bytes, number, duration
        /// A number of 128 bits as hexadecimal digits, or bytes in place of it.
        case identifier
        /// It is put together, and most exchanges have nothing of it: it is left out then.
        case remark
        /// It is put together.
        case composed
    }

    /// What stands in front of the value: its name, and the quote that opens it.
    let prefix: ShortText
    let kind: Kind
    let whenUnknown: WhenUnknown
    let field: AccessLogField
    /// How many bytes stand behind the value: the quote that closes it, and what separates it from the next one.
    private let suffixLength: UInt8
    private let suffix: UInt16
    /// Where among the facts the value is, in bytes.
    private let place: UInt16

    private init(
        _ field: AccessLogField,
        _ name: String,
        separator: UInt8,
        isQuoted: Bool,
        whenUnknown: WhenUnknown
    ) {
        let quote = UInt8(ascii: "\"")
        self.field = field
        (kind, place) = Self.place(of: field)
        self.whenUnknown = whenUnknown
        prefix = ShortText(isQuoted ? Array(name.utf8) + [quote] : Array(name.utf8))
        suffix = isQuoted ? UInt16(separator) << 8 | UInt16(quote) : UInt16(separator)
        suffixLength = isQuoted ? 2 : 1
    }

    /// Whether it is a member of an object, and no word of a line of text.
    var isJSON: Bool { UInt8(suffix >> (8 * UInt16(suffixLength - 1))) == UInt8(ascii: ",") }
    var offset: Int { Int(place) }

    /// Writes what stands behind the value.
    @inline(__always)
    func writeSuffix(to place: inout TextPlace) { place.write(suffix, length: Int(suffixLength)) }

    private static func place(of field: AccessLogField) -> (Kind, UInt16) {
        func place(_ kind: Kind, _ fact: PartialKeyPath<AccessLogFacts>) -> (Kind, UInt16) {
            guard let offset = MemoryLayout<AccessLogFacts>.offset(of: fact) else {
                preconditionFailure("every fact has a place of its own")
            }
            return (kind, UInt16(offset))
        }
        return switch field {
        case .client: place(.plain, \.client)
        case .method: place(.bytes, \.method)
        case .target: place(.bytes, \.target)
        case .host: place(.bytes, \.host)
        case .referer: place(.bytes, \.referer)
        case .userAgent: place(.bytes, \.userAgent)
        case .backend: place(.bytes, \.backend)
        case .id: (.identifier, 0)
        case .traceID: place(.plain, \.traceID)
        case .status: place(.number, \.status)
        case .bytesIn: place(.number, \.bytesIn)
        case .bytesOut: place(.number, \.bytesOut)
        case .attempts: place(.number, \.attempts)
        case .sample: place(.number, \.sample)
        case .duration: place(.duration, \.duration)
        case .firstByte: place(.duration, \.timeToFirstByte)
        case .queue: place(.duration, \.queued)
        case .dns: place(.duration, \.dns)
        case .connect: place(.duration, \.connect)
        case .tls: place(.duration, \.tls)
        case .wait: place(.duration, \.wait)
        case .body: place(.duration, \.body)
        case .time: (.clock, 0)
        case .failedAttempts, .notes, .reason: (.remark, 0)
        case .request, .protocol: (.composed, 0)
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
            separator: UInt8(ascii: ","),
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
            separator: UInt8(ascii: " "),
            isQuoted: isQuoted,
            whenUnknown: isLeftOut ? .nothing : .dash
        )
    }
}

/// Fields in their order, in memory that does not change, to be read where they are; it is its style's (``AccessLogStyle``).
struct AccessLogParts: @unchecked Sendable {
    let start: UnsafePointer<AccessLogPart>
    let count: Int

    init(_ parts: [AccessLogPart]) {
        let start = UnsafeMutablePointer<AccessLogPart>.allocate(capacity: parts.count)
        for (index, part) in parts.enumerated() { (start + index).initialize(to: part) }
        self.start = UnsafePointer(start)
        count = parts.count
    }

    private init(start: UnsafePointer<AccessLogPart>, count: Int) {
        self.start = start
        self.count = count
    }

    /// One of them alone, in the same memory.
    subscript(index: Int) -> Self {
        precondition(index >= 0 && index < count)
        return Self(start: start + index, count: 1)
    }
}
