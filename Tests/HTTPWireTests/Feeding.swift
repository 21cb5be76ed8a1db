// How the tests hand bytes to the parsers: at once, cut in two, byte by byte, at random.

import HTTPWire
import Testing

extension Tag {
    @Tag static var wire: Self
}

/// Bytes that parsers have been seen to trip over.
let nastyBytes: [UInt8] = [0x00, 0x09, 0x0A, 0x0D, 0x20, 0x23, 0x2C, 0x3A, 0x41, 0x7F, 0x80, 0xFF]

/// A small reproducible generator (SplitMix64); print its seed with every failure.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The lengths after which a message is handed over; the last is always all of it.
struct Feeding {
    let lengths: [Int]

    static func whole(_ bytes: [UInt8]) -> Feeding { Feeding(lengths: [bytes.count]) }

    static func cut(_ bytes: [UInt8], at length: Int) -> Feeding { Feeding(lengths: [length, bytes.count]) }

    static func byteByByte(_ bytes: [UInt8]) -> Feeding { Feeding(lengths: Array(0...bytes.count)) }

    static func random(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> Feeding {
        let cuts = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
            Int.random(in: 0...bytes.count, using: &generator)
        }
        return Feeding(lengths: cuts.sorted() + [bytes.count])
    }
}

/// What `#expect` cannot say: that a call which changes its receiver, or takes a span, yields a value.
func expectEqual<Value: Equatable>(
    _ value: Value,
    _ expected: Value,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, sourceLocation: sourceLocation)
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A message with bytes that are not text: one code point from 0 to 255 per byte.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

func text(_ bytes: [UInt8], _ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

/// Parses a request; a verdict ends the feeding.
func parseRequest(
    _ bytes: [UInt8],
    _ feeding: Feeding,
    limits: HeadLimits = HeadLimits()
) -> (progress: RequestParser.Progress, head: RequestHead) {
    var parser = RequestParser(limits: limits)
    var head = RequestHead()
    for length in feeding.lengths {
        let progress = parser.parse(bytes.span.extracting(first: length), into: &head)
        if progress != .needMore { return (progress, head) }
    }
    return (.needMore, head)
}

func parseRequest(_ text: String, limits: HeadLimits = HeadLimits()) -> (RequestParser.Progress, RequestHead) {
    let message = bytes(text)
    return parseRequest(message, .whole(message), limits: limits)
}

/// Parses a response; a verdict ends the feeding.
func parseResponse(
    _ bytes: [UInt8],
    _ feeding: Feeding,
    answering method: Method = .get,
    limits: HeadLimits = HeadLimits()
) -> (progress: ResponseParser.Progress, head: ResponseHead) {
    var parser = ResponseParser(requestMethod: method, limits: limits)
    var head = ResponseHead()
    for length in feeding.lengths {
        let progress = parser.parse(bytes.span.extracting(first: length), into: &head)
        if progress != .needMore { return (progress, head) }
    }
    return (.needMore, head)
}

func parseResponse(_ text: String, answering method: Method = .get) -> (ResponseParser.Progress, ResponseHead) {
    let message = bytes(text)
    return parseResponse(message, .whole(message), answering: method)
}

/// What a body decoder made of its input.
struct DecodedBody: Equatable {
    var data: [UInt8] = []
    var trailers: [String] = []
    var end: BodyStep = .needMore
    /// How much of the input it consumed.
    var consumed = 0
}

/// Decodes a body that arrives in pieces; consumed bytes are dropped from the buffer before the next piece.
func decode(_ input: [UInt8], _ feeding: Feeding, with decoder: BodyDecoder) -> DecodedBody {
    var decoder = decoder
    var trailers = FieldSection()
    var body = DecodedBody()
    for length in feeding.lengths {
        let buffer = Array(input[body.consumed..<max(length, body.consumed)])
        var position = 0
        reading: while true {
            let step = decoder.step(buffer.span, at: &position, trailers: &trailers)
            switch step {
            case .data(let range):
                body.data += buffer[range]
            case .needMore:
                break reading
            case .finished, .refused:
                body.end = step
                body.consumed += position
                if step == .finished {
                    body.trailers = trailers.lines.map {
                        "\(text(buffer, $0.nameRange))=\(text(buffer, $0.valueRange))\($0.isHopByHop ? "!" : "")"
                    }
                }
                return body
            }
        }
        body.consumed += position
    }
    return body
}
