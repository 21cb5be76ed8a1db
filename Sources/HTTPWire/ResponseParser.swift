// The parser of response heads.

/// Reads one response head, each byte once, however the bytes arrive.
///
/// As strict as ``RequestParser``, with one licence: the space behind the status may be missing if there is no reason
/// phrase, as some servers leave it out. No empty line is skipped. Interim responses are heads of their own: ``reset()``
/// after each.
public struct ResponseParser: Sendable {
    /// What is known after the bytes so far.
    @frozen
    public enum Progress: Sendable, Equatable {
        /// The head goes on.
        case needMore
        /// The head is complete; ``ResponseHead/length`` says where it ends.
        case complete
        /// The head will not be read.
        case refused(ResponseRefusal)
    }

    private enum Phase: Sendable {
        /// Before the first byte. Next: `.version`.
        case start
        /// Next: `.statusSpace`.
        case version
        /// Behind the version. Next: `.status`.
        case statusSpace
        /// Next: `.statusEnd`.
        case status
        /// Behind the status. Next: `.reason`, `.statusLineFeed`.
        case statusEnd
        /// Next: `.statusLineFeed`.
        case reason
        /// Behind the CR of the status line. Next: `.fields`.
        case statusLineFeed
        /// Next: `.complete`.
        case fields
        case complete
        case refused(ResponseRefusal)
    }

    /// How large the head may be.
    public var limits: HeadLimits
    /// The method of the request that is answered: it decides whether there is a body.
    public private(set) var requestMethod: Method
    private var phase = Phase.start
    /// Where the current element of the status line starts.
    private var elementStart = 0
    /// The first offset not looked at yet.
    private var position = 0
    private var fieldParser = FieldSectionParser(at: 0)

    public init(requestMethod: Method, limits: HeadLimits = HeadLimits()) {
        self.limits = limits
        self.requestMethod = requestMethod
    }

    /// Makes ready for the next head that answers the same request.
    public mutating func reset() {
        phase = .start
        elementStart = 0
        position = 0
    }

    /// Makes ready for the answer to another request.
    public mutating func reset(requestMethod: Method) {
        self.requestMethod = requestMethod
        reset()
    }

    /// Goes on with the head.
    ///
    /// - Parameters:
    ///   - bytes: All bytes from the start of the head; at each call the same start and at least as many. What follows the
    ///     head is not looked at.
    ///   - head: The same at each call; it is reset at the first.
    public mutating func parse(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> Progress {
        let readable = bytes.extracting(first: limits.maxHeadBytes)
        let progress = parseReadable(readable, into: &head)
        switch progress {
        case .needMore:
            return readable.count >= limits.maxHeadBytes ? refuse(.headTooLarge) : .needMore
        case .complete:
            return .complete
        case .refused(let refusal):
            return refuse(refusal)
        }
    }

    private mutating func refuse(_ refusal: ResponseRefusal) -> Progress {
        phase = .refused(refusal)
        return .refused(refusal)
    }

    private mutating func parseReadable(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> Progress {
        while position < bytes.count {
            switch phase {
            case .start:
                head.reset()
                phase = .version
                fallthrough
            case .version:
                switch HTTPVersion.read(bytes, from: 0, at: &position) {
                case .needMore: continue
                case .minor(let minor): head.minorVersion = minor
                case .malformed: return .refused(.notHTTP)
                case .unsupported: return .refused(.unsupportedVersion)
                }
                phase = .statusSpace
                guard position < bytes.count else { break }
                fallthrough
            case .statusSpace:
                guard bytes[position] == Byte.space else { return .refused(.malformedStatusLine) }
                position &+= 1
                elementStart = position
                phase = .status
                guard position < bytes.count else { break }
                fallthrough
            case .status:
                while position < bytes.count, position < elementStart + 3 {
                    let byte = bytes[position]
                    guard byte.isDigit, position > elementStart || byte != 0x30 else {
                        return .refused(.malformedStatus)
                    }
                    head.status = head.status &* 10 &+ Int(byte & 0x0F)
                    position &+= 1
                }
                guard position < bytes.count else {
                    if position == elementStart + 3 { phase = .statusEnd }
                    break
                }
                phase = .statusEnd
                fallthrough
            case .statusEnd:
                let byte = bytes[position]
                head.reasonRange = position..<position
                position &+= 1
                if byte == Byte.carriageReturn {
                    phase = .statusLineFeed
                    continue
                }
                guard byte == Byte.space else { return .refused(refusal(ofStatusEndingWith: byte)) }
                elementStart = position
                phase = .reason
                fallthrough
            case .reason:
                position = bytes.endOfText(from: position)
                guard position < bytes.count else { break }
                let byte = bytes[position]
                guard byte == Byte.carriageReturn else { return .refused(refusal(ofReasonEndingWith: byte)) }
                head.reasonRange = elementStart..<position
                position &+= 1
                phase = .statusLineFeed
                guard position < bytes.count else { break }
                fallthrough
            case .statusLineFeed:
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
                case .refused(let refusal): return .refused(ResponseRefusal(refusal))
                case .complete: break
                }
                head.length = position
                if let refusal = head.readFields(bytes, answering: requestMethod) { return .refused(refusal) }
                phase = .complete
                return .complete
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
        case .start, .version, .statusSpace, .status, .statusEnd, .reason, .statusLineFeed, .fields: .needMore
        }
    }

    private func refusal(ofStatusEndingWith byte: UInt8) -> ResponseRefusal {
        if byte.isDigit { return .malformedStatus }
        return byte == Byte.lineFeed ? .bareLineFeed : .malformedStatusLine
    }

    private func refusal(ofReasonEndingWith byte: UInt8) -> ResponseRefusal {
        if byte == Byte.lineFeed { return .bareLineFeed }
        return byte == 0 ? .nulByte : .controlByte
    }
}
