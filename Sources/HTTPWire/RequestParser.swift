// The parser of request heads.

/// Reads one request head, each byte once, however the bytes arrive.
///
/// Strict: lines end with CRLF, one space separates the parts of the request line, and what two parsers could understand
/// differently is refused. One empty line in front of the request line is skipped (RFC 9112 section 2.2). The verdict
/// depends on the bytes alone, not on how they were cut into reads. It comes as soon as a byte spoils the syntax; a field
/// name is judged at its end, the target at the end of the version, what the fields say at the end of the head.
public struct RequestParser: Sendable {
    /// What is known after the bytes so far.
    @frozen
    public enum Progress: Sendable, Equatable {
        /// The head goes on.
        case needMore
        /// The head is complete; ``RequestHead/length`` says where it ends.
        case complete
        /// The head will not be read.
        case refused(RequestRefusal)
    }

    private enum Phase: Sendable {
        /// Before the first byte. Next: `.emptyLineFeed`, `.method`.
        case start
        /// Behind the CR of the empty line that is skipped. Next: `.firstByte`.
        case emptyLineFeed
        /// Behind the skipped empty line. Next: `.method`.
        case firstByte
        /// Next: `.target`.
        case method
        /// Next: `.version`.
        case target
        /// Next: `.versionEnd`.
        case version
        /// Behind the version. Next: `.requestLineFeed`.
        case versionEnd
        /// Behind the CR of the request line. Next: `.fields`.
        case requestLineFeed
        /// Next: `.complete`.
        case fields
        case complete
        case refused(RequestRefusal)
    }

    /// How large the head may be.
    public var limits: HeadLimits
    private var phase = Phase.start
    /// Where the current element of the request line starts.
    private var elementStart = 0
    /// The first offset not looked at yet.
    private var position = 0
    private var fieldParser = FieldSectionParser(at: 0)

    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    /// Makes ready for the next head.
    public mutating func reset() {
        phase = .start
        position = 0
    }

    /// Goes on with the head.
    ///
    /// - Parameters:
    ///   - bytes: All bytes from the start of the head; at each call the same start and at least as many. What follows the
    ///     head is not looked at.
    ///   - head: The same at each call; it is reset at the first.
    public mutating func parse(_ bytes: Span<UInt8>, into head: inout RequestHead) -> Progress {
        let readable = bytes.extracting(first: limits.maxHeadBytes)
        let progress = parseReadable(readable, into: &head)
        switch progress {
        case .needMore:
            guard readable.count >= limits.maxHeadBytes else { return .needMore }
            return refuse(isInTarget ? .targetTooLong : .headTooLarge)
        case .complete:
            return .complete
        case .refused(let refusal):
            return refuse(refusal)
        }
    }

    private mutating func refuse(_ refusal: RequestRefusal) -> Progress {
        phase = .refused(refusal)
        return .refused(refusal)
    }

    private var isInTarget: Bool {
        if case .target = phase { true } else { false }
    }

    private mutating func parseReadable(_ bytes: Span<UInt8>, into head: inout RequestHead) -> Progress {
        while position < bytes.count {
            switch phase {
            case .start:
                head.reset()
                if bytes[position] == Byte.carriageReturn {
                    position &+= 1
                    phase = .emptyLineFeed
                    continue
                }
                phase = .firstByte
                fallthrough
            case .firstByte:
                let byte = bytes[position]
                guard byte.isTokenByte else { return .refused(refusal(ofFirstByte: byte)) }
                elementStart = position
                phase = .method
                fallthrough
            case .method:
                while position < bytes.count, bytes[position].isTokenByte { position &+= 1 }
                guard position - elementStart <= HeadLimits.maxMethodBytes else { return .refused(.methodTooLong) }
                guard position < bytes.count else { break }
                guard bytes[position] == Byte.space else { return .refused(.malformedMethod) }
                head.methodRange = elementStart..<position
                head.method = Method(bytes, elementStart..<position)
                position &+= 1
                elementStart = position
                phase = .target
                fallthrough
            case .target:
                let longest = bytes.extracting(first: elementStart + limits.maxTargetBytes + 1)
                position = longest.endOfTarget(from: position)
                guard position - elementStart <= limits.maxTargetBytes else { return .refused(.targetTooLong) }
                guard position < bytes.count else { break }
                guard bytes[position] == Byte.space, position > elementStart else {
                    return .refused(refusal(ofTargetEndingWith: bytes[position]))
                }
                head.targetRange = elementStart..<position
                position &+= 1
                elementStart = position
                phase = .version
                guard position < bytes.count else { break }
                fallthrough
            case .version:
                switch HTTPVersion.read(bytes, from: elementStart, at: &position) {
                case .needMore: continue
                case .minor(let minor): head.minorVersion = minor
                case .malformed:
                    return .refused(bytes[position] == Byte.space ? .malformedRequestLine : .malformedVersion)
                case .unsupported: return .refused(.unsupportedVersion)
                }
                if let refusal = head.readTarget(bytes) { return .refused(refusal) }
                phase = .versionEnd
                guard position < bytes.count else { break }
                fallthrough
            case .versionEnd:
                guard bytes[position] == Byte.carriageReturn else {
                    return .refused(bytes[position] == Byte.lineFeed ? .bareLineFeed : .malformedVersion)
                }
                position &+= 1
                phase = .requestLineFeed
                guard position < bytes.count else { break }
                fallthrough
            case .requestLineFeed:
                guard bytes[position] == Byte.lineFeed else { return .refused(.bareCarriageReturn) }
                position &+= 1
                fieldParser = FieldSectionParser(at: position)
                phase = .fields
                fallthrough
            case .fields:
                let progress = fieldParser.parse(bytes, maxFieldCount: limits.maxFieldCount, into: &head.fields)
                position = fieldParser.position
                switch progress {
                case .needMore: return .needMore
                case .refused(let refusal): return .refused(RequestRefusal(refusal))
                case .complete: break
                }
                head.length = position
                if let refusal = head.readFields(bytes) { return .refused(refusal) }
                phase = .complete
                return .complete
            case .emptyLineFeed:
                guard bytes[position] == Byte.lineFeed else { return .refused(.bareCarriageReturn) }
                position &+= 1
                phase = .firstByte
            case .complete:
                return .complete
            case .refused(let refusal):
                return .refused(refusal)
            }
        }
        return finalProgress
    }

    /// What to say when there is no byte left to look at.
    private var finalProgress: Progress {
        switch phase {
        case .complete: .complete
        case .refused(let refusal): .refused(refusal)
        case .start, .emptyLineFeed, .firstByte, .method, .target, .version, .versionEnd, .requestLineFeed, .fields:
            .needMore
        }
    }

    private func refusal(ofFirstByte byte: UInt8) -> RequestRefusal {
        switch byte {
        case Byte.carriageReturn: .extraEmptyLine
        case Byte.lineFeed: .bareLineFeed
        // The first byte of a TLS record that carries a ClientHello.
        case 0x16: .tlsHandshake
        default: .malformedMethod
        }
    }

    private func refusal(ofTargetEndingWith byte: UInt8) -> RequestRefusal {
        switch byte {
        case Byte.space, Byte.carriageReturn, Byte.lineFeed: .malformedRequestLine
        case 0x23: .fragmentInTarget
        case 0x80...0xFF: .nonASCIITarget
        default: .malformedTarget
        }
    }
}
