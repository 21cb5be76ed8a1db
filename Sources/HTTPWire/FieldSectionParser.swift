// The parser of field lines that request heads, response heads and trailer sections share.

/// Why a field section is refused; each message kind has its own public reason of the same name.
enum FieldRefusal {
    case bareCarriageReturn
    case bareLineFeed
    case nulByte
    case controlByte
    case obsoleteFolding
    case whitespaceBeforeColon
    case emptyFieldName
    case malformedFieldName
    case missingColon
    case tooManyFields
}

/// Reads field lines up to and including the empty line, each byte once, however the bytes arrive.
///
/// The verdict depends on the bytes alone, not on how they were cut into reads.
struct FieldSectionParser: Sendable {
    enum Progress {
        case needMore
        case complete
        case refused(FieldRefusal)
    }

    private enum Phase: UInt8 {
        /// At the first byte of a line. Next: `.name`, `.sectionLineFeed`.
        case lineStart
        /// Looking for the colon. Next: `.value`.
        case name
        /// Looking for the end of the value. Next: `.lineFeed`.
        case value
        /// Behind the CR of a field line. Next: `.lineStart`.
        case lineFeed
        /// Behind the CR of the empty line. The end.
        case sectionLineFeed
    }

    private var phase = Phase.lineStart
    private var lineStart = 0
    private var name = FieldName.other
    private var colon = 0
    private var valueEnd = 0
    /// The first offset not looked at yet; when complete, the end of the section.
    private(set) var position: Int

    /// - Parameter position: Where the section starts.
    init(at position: Int) {
        self.position = position
    }

    /// Goes on at ``position``.
    ///
    /// - Parameters:
    ///   - bytes: From the same start at each call, as far as the section may reach.
    mutating func parse(_ bytes: Span<UInt8>, maxFieldCount: Int, into fields: inout FieldSection) -> Progress {
        var position = self.position
        while position < bytes.count {
            switch phase {
            case .lineStart:
                let byte = bytes[position]
                lineStart = position
                if byte == Byte.carriageReturn {
                    phase = .sectionLineFeed
                    position &+= 1
                    continue
                }
                if byte.isBlank { return .refused(.obsoleteFolding) }
                phase = .name
                fallthrough
            case .name:
                position = bytes.endOfFieldName(from: position)
                guard position < bytes.count else { break }
                // A name that is known to its last byte needs no look at them one by one.
                name = FieldName(bytes, lineStart..<position)
                if name == .other || name == .xForwardedOther || bytes[position] != Byte.colon {
                    if let refusal = FieldSectionParser.refusal(of: lineStart..<position, bytes) {
                        return .refused(refusal)
                    }
                }
                colon = position
                position &+= 1
                phase = .value
                fallthrough
            case .value:
                position = bytes.endOfText(from: position)
                guard position < bytes.count else { break }
                if let refusal = FieldSectionParser.refusal(ofValueEndingWith: bytes[position]) {
                    return .refused(refusal)
                }
                valueEnd = position
                position &+= 1
                phase = .lineFeed
                guard position < bytes.count else { break }
                fallthrough
            case .lineFeed:
                guard bytes[position] == Byte.lineFeed else { return .refused(.bareCarriageReturn) }
                guard fields.lines.count < maxFieldCount else { return .refused(.tooManyFields) }
                position &+= 1
                phase = .lineStart
                fields.append(
                    FieldLine(
                        name: name,
                        start: lineStart,
                        colon: colon,
                        value: bytes.trimmed((colon &+ 1)..<valueEnd),
                        end: position
                    )
                )
            case .sectionLineFeed:
                guard bytes[position] == Byte.lineFeed else { return .refused(.bareCarriageReturn) }
                self.position = position &+ 1
                return .complete
            }
        }
        self.position = position
        return .needMore
    }

    /// Checks a name and the byte behind it.
    @inline(__always)
    private static func refusal(of name: Range<Int>, _ bytes: Span<UInt8>) -> FieldRefusal? {
        guard bytes.holdsTokenBytesOnly(name) else { return .malformedFieldName }
        let end = bytes[name.upperBound]
        if end == Byte.colon { return name.isEmpty ? .emptyFieldName : nil }
        return refusal(ofNameEndingWith: end, isEmpty: name.isEmpty)
    }

    private static func refusal(ofNameEndingWith byte: UInt8, isEmpty: Bool) -> FieldRefusal {
        switch byte {
        case 0: .nulByte
        case Byte.space, Byte.tab: .whitespaceBeforeColon
        case Byte.lineFeed: isEmpty ? .bareLineFeed : .missingColon
        case Byte.carriageReturn: .missingColon
        case 0x80...0xFF: .malformedFieldName
        default: .controlByte
        }
    }

    @inline(__always)
    private static func refusal(ofValueEndingWith byte: UInt8) -> FieldRefusal? {
        if byte == Byte.carriageReturn { return nil }
        if byte == Byte.lineFeed { return .bareLineFeed }
        return byte == 0 ? .nulByte : .controlByte
    }
}
