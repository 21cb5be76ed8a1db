// A body read piece by piece: by the decoder's steps, and by decoding in a buffer.

import EventLoop
import HTTPWire
import MessageIO

/// What reading a body came to.
struct BodyReading: Equatable {
    enum Outcome: Equatable {
        case open
        case finished
        case refused(ChunkedRefusal)
    }

    private(set) var outcome = Outcome.open
    private(set) var content: [UInt8] = []
    /// The trailer field lines that may be forwarded.
    private(set) var trailers: [UInt8] = []
    /// Bytes of the input that belong to the body, once it is finished.
    private(set) var end: Int?

    /// Steps through the input as pieces of it arrive; what was consumed goes away in between.
    init(_ input: [UInt8], pieces: Pieces, by decoder: BodyDecoder) throws(Violation) {
        var decoder = decoder
        var section = FieldSection()
        var waiting: [UInt8] = []
        var dropped = 0
        for piece in pieces.of(input) {
            waiting += piece
            var position = 0
            reading: while outcome == .open {
                let before = position
                let lengthBefore = decoder.remainingLength
                switch decoder.step(waiting.span, at: &position, trailers: &section) {
                case .data(let range):
                    try demand(!range.isEmpty, "data is not empty")
                    try demand(range.lowerBound >= before && range.upperBound == position, "data is what was consumed")
                    content += waiting[range]
                    if let lengthBefore {
                        try demand(decoder.remainingLength == lengthBefore - range.count, "what remains is counted")
                    }
                case .needMore:
                    break reading
                case .finished:
                    outcome = .finished
                    end = dropped + position
                    let lines = section.lines.filter { !$0.isHopByHop }
                    trailers = lines.flatMap { waiting[$0.lineRange] }
                    if decoder.framing == .chunked { try BodyReading.demandTrailers(section, in: waiting) }
                case .refused(let refusal):
                    outcome = .refused(refusal)
                }
                try demand(position >= before && position <= waiting.count, "a decoder goes forward")
            }
            waiting.removeFirst(position)
            dropped += position
        }
        try demand(decoder.isFinished == (outcome == .finished), "a decoder knows when it is finished")
        if outcome != .open {
            var position = 0
            let step = decoder.step(Array("0\r\n\r\n".utf8).span, at: &position, trailers: &section)
            let isLast = outcome == .finished ? step == .finished : step != .finished && step != .needMore
            try demand(position == 0 && isLast, "what was judged stays judged")
        }
    }

    private static func demandTrailers(_ section: FieldSection, in bytes: [UInt8]) throws(Violation) {
        guard let first = section.lines.first?.lineRange.lowerBound else { return }
        guard let naive = NaiveFields(bytes, from: first) else {
            throw Violation("the plain reader can read accepted trailers")
        }
        try section.demandSame(as: naive)
        try section.demandMarks(namesNotInTrailers, of: naive)
    }

    /// Decodes in a buffer as pieces of the input arrive; what was decoded makes room in between.
    init(_ input: [UInt8], pieces: Pieces, in buffer: Buffer, by decoder: BodyDecoder) throws(Violation) {
        var decoder = decoder
        var lines = TrailerLines()
        var dropped = 0
        /// What was not consumed, as it arrived.
        var waiting: ArraySlice<UInt8> = []
        let start = Buffer.chunkHeadroom
        buffer.reset(headroom: start)
        for piece in pieces.of(input) where outcome == .open {
            waiting += piece
            buffer.append(Array(piece))
            let decoded = decoder.decode(in: buffer, from: start, trailers: &lines)
            let (found, rest) = (decoded.content, decoded.rest)
            try demand(found.isEmpty || found.lowerBound >= start, "content lies in the buffer")
            try demand(found.upperBound <= rest.lowerBound || found.isEmpty, "content lies before what is left")
            try demand(rest.upperBound == buffer.end, "what is left reaches to the buffer's end")
            waiting = waiting.suffix(rest.count)
            try demand(waiting.elementsEqual(buffer.elements.suffix(rest.count)), "what is left is left alone")
            if !found.isEmpty {
                content += buffer.elements[(found.lowerBound - start)..<(found.upperBound - start)]
            }
            let isRoomNeeded = decoder.framing == .chunked && !found.isEmpty && !rest.isEmpty
            let room = isRoomNeeded ? rest.lowerBound - found.upperBound : .max
            switch decoded.state {
            case .open:
                try demand(room >= 2, "there is room for a chunk's end")
            case .finished:
                try demand(room >= Buffer.chunkTailroom, "there is room for the end of a body")
                outcome = .finished
                end = dropped + rest.lowerBound - start
                trailers = lines.bytes
            case .refused(let refusal): outcome = .refused(refusal)
            }
            dropped += rest.lowerBound - start
            buffer.moveBytes(from: rest.lowerBound, count: rest.count, to: start)
            buffer.end = start + rest.count
        }
    }
}

/// How an input is handed over: pieces of any length from one on; nothing at all is one piece.
public struct Pieces: Sendable {
    private let seed: UInt64
    private let longest: Int

    /// Everything at once.
    public static let whole = Pieces(seed: 0, longest: .max)
    public static let singleBytes = Pieces(seed: 0, longest: 1)

    /// Pieces of at most that many bytes, the same for the same seed.
    public init(seed: UInt64, longest: Int) {
        self.seed = seed
        self.longest = longest
    }

    public func of(_ input: [UInt8]) -> [ArraySlice<UInt8>] {
        guard longest < .max, !input.isEmpty else { return [input[...]] }
        var pieces: [ArraySlice<UInt8>] = []
        var state = seed
        var rest = input[...]
        while !rest.isEmpty {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let piece = rest.prefix(1 + Int(state >> 33) % longest)
            pieces.append(piece)
            rest = rest[piece.endIndex...]
        }
        return pieces
    }
}

/// Names in lower case that are not forwarded out of a trailer section (RFC 9110 section 6.5.1).
private let namesNotInTrailers: Set<[UInt8]> = Set(
    [
        "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings",
        "proxy-authenticate", "proxy-authorization", "proxy-authentication-info", "host", "content-length", "trailer",
        "via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port",
        "x-real-ip", "x-request-id", "expect", "max-forwards", "authorization", "cookie", "set-cookie",
        "content-type", "content-encoding", "cache-control", "location", "retry-after", "date", "age",
    ].map { [UInt8]($0) }
)
