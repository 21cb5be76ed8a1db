// The decoder of the chunked transfer coding (RFC 9112 section 7.1).

/// What a body decoder has found; offsets are those of the span that was passed.
@frozen
public enum BodyStep: Sendable, Equatable {
    /// Bytes of the body, to be used before the span goes away.
    case data(Range<Int>)
    /// Nothing more can be told until more bytes come.
    case needMore
    /// The body is complete and the position is behind its last byte.
    case finished
    /// The body will not be read on.
    case refused(ChunkedRefusal)
}

/// How much beside its data a chunked body may have.
@frozen
public struct ChunkedLimits: Sendable, Equatable {
    /// The most bytes of the extensions of one chunk, 4 KiB by default.
    public var maxExtensionBytes: Int
    /// The most bytes of extensions that the data does not make up for, 16 KiB by default.
    ///
    /// Each chunk makes up for 16 bytes, and each byte of data for two. So signed uploads of any length pass, and a body
    /// of extensions does not.
    public var maxExcessBytes: Int
    /// The most bytes of the trailer section with its empty line, 16 KiB by default; it is held in the buffer.
    public var maxTrailerBytes: Int
    /// The most trailer field lines, 64 by default.
    public var maxTrailerCount: Int

    public init(
        maxExtensionBytes: Int = 4096,
        maxExcessBytes: Int = 16_384,
        maxTrailerBytes: Int = 16_384,
        maxTrailerCount: Int = 64
    ) {
        precondition((2...Int(Int32.max)).contains(maxTrailerBytes), "offsets in a trailer section have 32 bits")
        self.maxExtensionBytes = maxExtensionBytes
        self.maxExcessBytes = maxExcessBytes
        self.maxTrailerBytes = maxTrailerBytes
        self.maxTrailerCount = maxTrailerCount
    }
}

/// Takes a chunked body apart, step by step, however the bytes arrive.
///
/// Everything up to the trailer section is consumed as it comes and can be dropped from the buffer. Strict: lines end with
/// CRLF; no white space stands around a chunk size, though RFC 9112 section 7.1.1 lets a recipient take some before an
/// extension; an extension holds text and no control byte but HTAB, and is ignored.
public struct ChunkedDecoder: Sendable {
    public typealias Step = BodyStep

    private enum Phase: UInt8 {
        /// In front of a chunk size. Next: `.size`.
        case sizeStart
        /// Next: `.chunkExtension`, `.sizeLineFeed`.
        case size
        /// Next: `.sizeLineFeed`.
        case chunkExtension
        /// Behind the CR of a chunk size. Next: `.data`, `.trailers`.
        case sizeLineFeed
        /// Next: `.dataCarriageReturn`.
        case data
        /// Behind the data of a chunk. Next: `.dataLineFeed`.
        case dataCarriageReturn
        /// Next: `.sizeStart`.
        case dataLineFeed
        /// Next: `.finished`.
        case trailers
        case finished
        case refused
    }

    /// How much beside its data the body may have.
    public let limits: ChunkedLimits
    private var phase = Phase.sizeStart
    private var refusal = ChunkedRefusal.missingChunkSize
    private var digitCount: UInt8 = 0
    /// What is left of the chunk; while its size is read, the size so far.
    private var chunkRemainder = 0
    private var extensionBytes = 0
    private var excessBytes = 0
    /// Offsets count from the start of the trailer section.
    private var trailerParser = FieldSectionParser(at: 0)

    public init(limits: ChunkedLimits = ChunkedLimits()) {
        self.limits = limits
    }

    /// Whether the whole body has been read.
    public var isFinished: Bool { phase == .finished }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - bytes: The bytes not consumed yet. Between calls, what is in front of `position` may be dropped.
    ///   - position: Where to read on; moved behind what was consumed. It stays at the start of the trailer section until
    ///     that is complete.
    ///   - trailers: Where the trailer fields go, the same at each call; complete with ``BodyStep/finished``, offsets being
    ///     those of the span of that call. Fields that must not stand in a trailer section (RFC 9110 section 6.5.1) are
    ///     marked hop-by-hop, so that they are not forwarded.
    public mutating func step(
        _ bytes: Span<UInt8>,
        at position: inout Int,
        trailers: inout FieldSection
    ) -> BodyStep {
        while position < bytes.count {
            switch phase {
            case .sizeStart:
                let byte = bytes[position]
                guard let digit = byte.hexDigitValue else { return refuseSize(startingWith: byte) }
                position &+= 1
                chunkRemainder = Int(digit)
                digitCount = 1
                extensionBytes = 0
                phase = .size
            case .size:
                let byte = bytes[position]
                if let digit = byte.hexDigitValue {
                    guard digitCount < 16, chunkRemainder <= Int.max >> 4 else { return refuse(.chunkTooLarge) }
                    position &+= 1
                    chunkRemainder = chunkRemainder &<< 4 | Int(digit)
                    digitCount &+= 1
                } else if byte == Byte.carriageReturn {
                    position &+= 1
                    phase = .sizeLineFeed
                } else if byte == Byte.semicolon {
                    phase = .chunkExtension
                } else {
                    return refuseSize(endingWith: byte)
                }
            case .chunkExtension:
                if let refusal = readExtension(bytes, at: &position) { return refuse(refusal) }
            case .sizeLineFeed:
                guard bytes[position] == Byte.lineFeed else { return refuse(.bareCarriageReturn) }
                position &+= 1
                guard settleExtension() else { return refuse(.excessiveChunkExtensions) }
                if chunkRemainder > 0 {
                    phase = .data
                } else {
                    phase = .trailers
                    trailerParser = FieldSectionParser(at: 0)
                    trailers.reset()
                }
            case .data:
                let end = position &+ Swift.min(chunkRemainder, bytes.count &- position)
                let range = position..<end
                chunkRemainder &-= range.count
                if chunkRemainder == 0 { phase = .dataCarriageReturn }
                position = end
                return .data(range)
            case .dataCarriageReturn:
                guard bytes[position] == Byte.carriageReturn else {
                    return refuse(bytes[position] == Byte.lineFeed ? .bareLineFeed : .missingChunkEnd)
                }
                position &+= 1
                phase = .dataLineFeed
            case .dataLineFeed:
                guard bytes[position] == Byte.lineFeed else { return refuse(.bareCarriageReturn) }
                position &+= 1
                phase = .sizeStart
            case .trailers:
                return stepTrailers(bytes, at: &position, trailers: &trailers)
            case .finished:
                return .finished
            case .refused:
                return .refused(refusal)
            }
        }
        switch phase {
        case .finished: return .finished
        case .refused: return .refused(refusal)
        case .sizeStart, .size, .chunkExtension, .sizeLineFeed, .data, .dataCarriageReturn, .dataLineFeed, .trailers:
            return .needMore
        }
    }

    private mutating func refuse(_ refusal: ChunkedRefusal) -> BodyStep {
        self.refusal = refusal
        phase = .refused
        return .refused(refusal)
    }

    private mutating func refuseSize(startingWith byte: UInt8) -> BodyStep {
        if byte == Byte.carriageReturn || byte == Byte.semicolon { return refuse(.missingChunkSize) }
        return refuseSize(endingWith: byte)
    }

    private mutating func refuseSize(endingWith byte: UInt8) -> BodyStep {
        if byte.isBlank { return refuse(.whitespaceInChunkSize) }
        return refuse(byte == Byte.lineFeed ? .bareLineFeed : .malformedChunkSize)
    }

    /// Skips the extension, semicolon included, and the CR behind it.
    private mutating func readExtension(_ bytes: Span<UInt8>, at position: inout Int) -> ChunkedRefusal? {
        let start = position
        let longest = bytes.extracting(first: start + limits.maxExtensionBytes - extensionBytes + 1)
        position = longest.endOfText(from: start)
        extensionBytes += position - start
        guard extensionBytes <= limits.maxExtensionBytes else { return .chunkExtensionTooLong }
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case Byte.carriageReturn: break
        case Byte.lineFeed: return .bareLineFeed
        default: return .controlByteInChunkExtension
        }
        position &+= 1
        phase = .sizeLineFeed
        return nil
    }

    /// Sets the extension of this chunk against its data.
    private mutating func settleExtension() -> Bool {
        let allowance = 16 + 2 * Swift.min(chunkRemainder, limits.maxExcessBytes + limits.maxExtensionBytes)
        excessBytes = Swift.max(0, excessBytes + extensionBytes - allowance)
        return excessBytes <= limits.maxExcessBytes
    }

    private mutating func stepTrailers(
        _ bytes: Span<UInt8>,
        at position: inout Int,
        trailers: inout FieldSection
    ) -> BodyStep {
        let section = bytes.extracting(droppingFirst: position).extracting(first: limits.maxTrailerBytes)
        switch trailerParser.parse(section, maxFieldCount: limits.maxTrailerCount, into: &trailers) {
        case .needMore:
            return section.count < limits.maxTrailerBytes ? .needMore : refuse(.trailerTooLarge)
        case .refused(let refusal):
            return refuse(ChunkedRefusal(refusal))
        case .complete:
            trailers.becomeTrailers(shiftedBy: UInt32(position))
            position += trailerParser.position
            phase = .finished
            return .finished
        }
    }
}

extension FieldSection {
    /// Names that change how a message is framed, routed, authenticated or decoded: too late in a trailer section.
    private static var namesBarredFromTrailers: UInt64 {
        FieldName.host.bit | FieldName.contentLength.bit | FieldName.trailer.bit | FieldName.via.bit
            | FieldName.forwarded.bit | FieldName.xForwardedFor.bit | FieldName.xForwardedProto.bit
            | FieldName.xForwardedHost.bit | FieldName.xForwardedPort.bit | FieldName.xRealIP.bit
            | FieldName.xRequestID.bit | FieldName.expect.bit | FieldName.maxForwards.bit
            | FieldName.authorization.bit | FieldName.cookie.bit | FieldName.setCookie.bit
            | FieldName.contentType.bit | FieldName.contentEncoding.bit | FieldName.cacheControl.bit
            | FieldName.location.bit | FieldName.retryAfter.bit | FieldName.date.bit | FieldName.age.bit
    }

    fileprivate mutating func becomeTrailers(shiftedBy offset: UInt32) {
        for index in 0..<lines.count {
            lines[index].shift(by: offset)
            if lines[index].name.bit & FieldSection.namesBarredFromTrailers != 0 { lines[index].isHopByHop = true }
        }
    }
}
