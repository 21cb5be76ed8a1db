// Bodies: the chunked coding, and the other framings.

import HTTPWire
import Testing

struct LegalChunks: Sendable, CustomTestStringConvertible {
    let label: String
    let input: String
    var data = ""
    var trailers: [String] = []
    var testDescription: String { label }

    static let table: [LegalChunks] = [
        .init(label: "empty", input: "0\r\n\r\n"),
        .init(label: "one chunk", input: "5\r\nhello\r\n0\r\n\r\n", data: "hello"),
        .init(label: "two chunks", input: "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", data: "hello world"),
        .init(
            label: "upper and lower hex",
            input: "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
            data: "01234567890123456789a"
        ),
        .init(label: "leading zeros", input: "0000000000000005\r\nhello\r\n0000\r\n\r\n", data: "hello"),
        .init(label: "line ends in the data", input: "7\r\na\r\n0\r\n\r\r\n0\r\n\r\n", data: "a\r\n0\r\n\r"),
        .init(label: "extension", input: "5;a=b\r\nhello\r\n0;last\r\n\r\n", data: "hello"),
        .init(label: "quoted extension", input: "5;a=\"x;y z\t\u{FC}\"\r\nhello\r\n0\r\n\r\n", data: "hello"),
        .init(label: "white space in an extension", input: "5; a = b \r\nhello\r\n0\r\n\r\n", data: "hello"),
        .init(label: "empty extension", input: "5;\r\nhello\r\n0;\r\n\r\n", data: "hello"),
        .init(
            label: "trailers",
            input: "1\r\nx\r\n0\r\nA: b\r\nGrpc-Status:  0 \r\n\r\n",
            data: "x",
            trailers: ["A=b", "Grpc-Status=0"]
        ),
        .init(
            label: "trailers that must not be forwarded",
            input: "0\r\nContent-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n",
            trailers: ["Content-Length=5!", "X=y", "Transfer-Encoding=chunked!", "Host=b!"]
        ),
    ]
}

struct RefusedChunks: Sendable, CustomTestStringConvertible {
    let label: String
    let input: String
    let reason: ChunkedRefusal
    var testDescription: String { label }

    init(_ label: String, _ input: String, _ reason: ChunkedRefusal) {
        self.label = label
        self.input = input
        self.reason = reason
    }

    static let table: [RefusedChunks] = [
        .init("empty line for a size", "\r\n", .missingChunkSize),
        .init("extension without a size", ";a\r\n", .missingChunkSize),
        .init("text for a size", "x\r\n", .malformedChunkSize),
        .init("0x", "0x5\r\nhello\r\n", .malformedChunkSize),
        .init("minus", "-5\r\nhello\r\n", .malformedChunkSize),
        .init("plus", "+5\r\nhello\r\n", .malformedChunkSize),
        .init("underscore", "1_0\r\n", .malformedChunkSize),
        .init("letter behind a digit", "5g\r\n", .malformedChunkSize),
        .init("comma", "5,5\r\n", .malformedChunkSize),
        .init("NUL in a size", "5\0\r\n", .malformedChunkSize),
        .init("space before a size", " 5\r\nhello\r\n", .whitespaceInChunkSize),
        .init("space behind a size", "5 \r\nhello\r\n", .whitespaceInChunkSize),
        .init("tab behind a size", "5\t\r\nhello\r\n", .whitespaceInChunkSize),
        .init("space before an extension", "5 ;a\r\nhello\r\n", .whitespaceInChunkSize),
        .init("larger than Int", "8000000000000000\r\n", .chunkTooLarge),
        .init("largest word", "FFFFFFFFFFFFFFFF\r\n", .chunkTooLarge),
        .init("seventeen digits that overflow", "10000000000000005\r\n", .chunkTooLarge),
        .init("seventeen digits", "00000000000000005\r\nhello\r\n", .chunkTooLarge),
        .init("bare LF behind a size", "5\nhello\r\n", .bareLineFeed),
        .init("bare LF for a size", "\n", .bareLineFeed),
        .init("bare CR behind a size", "5\rhello\r\n", .bareCarriageReturn),
        .init("bare LF behind an extension", "5;a\nhello\r\n", .bareLineFeed),
        .init("bare CR in an extension", "5;a\rb\r\nhello\r\n", .bareCarriageReturn),
        .init("NUL in an extension", "5;a\0\r\nhello\r\n", .controlByteInChunkExtension),
        .init("control byte in an extension", "5;12345678\u{0B}\r\nhello\r\n", .controlByteInChunkExtension),
        .init("data too long", "5\r\nhelloo\r\n", .missingChunkEnd),
        .init("data without a line end", "5\r\nhello0\r\n\r\n", .missingChunkEnd),
        .init("data with a bare LF", "5\r\nhello\n0\r\n\r\n", .bareLineFeed),
        .init("data with a bare CR", "5\r\nhello\r0\r\n\r\n", .bareCarriageReturn),
        .init("extension too long", "5;" + String(repeating: "a", count: 4096), .chunkExtensionTooLong),
        .init(
            "extensions out of proportion",
            String(repeating: "1;" + String(repeating: "a", count: 999) + "\r\nx\r\n", count: 17),
            .excessiveChunkExtensions
        ),
        .init("bare LF for the end", "0\r\n\n", .bareLineFeed),
        .init("bare CR for the end", "0\r\n\rX", .bareCarriageReturn),
        .init("NUL in a trailer", "0\r\nA: \0\r\n\r\n", .nulByte),
        .init("control byte in a trailer", "0\r\nA: \u{02}\r\n\r\n", .controlByte),
        .init("folded trailer", "0\r\nA: b\r\n c\r\n\r\n", .obsoleteFolding),
        .init("space before the colon of a trailer", "0\r\nA : b\r\n\r\n", .whitespaceBeforeColon),
        .init("empty name of a trailer", "0\r\n: b\r\n\r\n", .emptyFieldName),
        .init("bad name of a trailer", "0\r\nA(: b\r\n\r\n", .malformedFieldName),
        .init("request for a trailer", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .whitespaceBeforeColon),
        .init("trailer without a colon", "0\r\nA\r\n\r\n", .missingColon),
        .init("trailer too large", "0\r\nA: " + String(repeating: "a", count: 16_384), .trailerTooLarge),
        .init("too many trailers", "0\r\n" + String(repeating: "A: b\r\n", count: 65), .tooManyTrailerFields),
    ]
}

@Suite("Chunked bodies", .tags(.wire))
struct ChunkedDecoderTests {
    @Test(arguments: LegalChunks.table)
    func `a legal body is decoded, however it arrives`(_ row: LegalChunks) {
        let input = latin1(row.input)
        let expected = DecodedBody(
            data: bytes(row.data),
            trailers: row.trailers,
            end: .finished,
            consumed: input.count
        )
        let longer = input + bytes("GET / HTTP/1.1\r\n")
        let decoder = BodyDecoder(.chunked)
        #expect(decode(longer, .whole(longer), with: decoder) == expected)
        #expect(decode(input, .byteByByte(input), with: decoder) == expected)
        for length in 0..<input.count {
            #expect(decode(input, .cut(input, at: length), with: decoder) == expected, "cut at \(length)")
            let prefix = Array(input[..<length])
            #expect(decode(prefix, .whole(prefix), with: decoder).end == .needMore, "prefix of \(length)")
        }
    }

    @Test(arguments: RefusedChunks.table)
    func `an illegal body is refused by name, however it arrives`(_ row: RefusedChunks) {
        let input = latin1(row.input)
        let decoder = BodyDecoder(.chunked)
        let whole = decode(input, .whole(input), with: decoder)
        #expect(whole.end == .refused(row.reason))
        let stride = max(1, input.count / 300)
        for length in Swift.stride(from: 0, to: input.count, by: stride) {
            let cut = decode(input, .cut(input, at: length), with: decoder)
            #expect(cut.end == .refused(row.reason), "cut at \(length)")
            #expect(cut.data == whole.data, "cut at \(length)")
        }
        #expect(decode(input, .byteByByte(input), with: decoder) == whole)
    }

    @Test(arguments: LegalChunks.table)
    func `a corrupted byte gets the same verdict however it arrives`(_ row: LegalChunks) {
        let original = latin1(row.input)
        for position in original.indices {
            for nasty in nastyBytes {
                var input = original
                input[position] = nasty
                let whole = decode(input, .whole(input), with: BodyDecoder(.chunked))
                let split = decode(input, .byteByByte(input), with: BodyDecoder(.chunked))
                let cut = decode(input, .cut(input, at: position), with: BodyDecoder(.chunked))
                #expect(whole == cut, "byte \(nasty) at \(position)")
                #expect(whole.data == split.data, "byte \(nasty) at \(position)")
                #expect(whole.end == split.end, "byte \(nasty) at \(position)")
                #expect(whole.trailers == split.trailers, "byte \(nasty) at \(position)")
            }
        }
    }

    @Test func `random bodies decode to what was encoded, however they are cut`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var data: [UInt8] = []
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let chunk = (0..<Int.random(in: 1...70, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                let size = String(chunk.count, radix: 16, uppercase: Bool.random(using: &generator))
                let ending = Bool.random(using: &generator) ? ";x=\"y\"" : ""
                data += chunk
                input += bytes("\(size)\(ending)\r\n") + chunk + bytes("\r\n")
            }
            let hasTrailer = Bool.random(using: &generator)
            input += bytes(hasTrailer ? "0\r\nA: b\r\n\r\n" : "0\r\n\r\n")
            let expected = DecodedBody(
                data: data,
                trailers: hasTrailer ? ["A=b"] : [],
                end: .finished,
                consumed: input.count
            )
            #expect(decode(input, .whole(input), with: BodyDecoder(.chunked)) == expected, "seed \(seed)")
            for _ in 0..<5 {
                let feeding = Feeding.random(input, using: &generator)
                #expect(decode(input, feeding, with: BodyDecoder(.chunked)) == expected, "seed \(seed), \(feeding)")
            }
            input[Int.random(in: 0..<input.count, using: &generator)] = nastyBytes.randomElement(using: &generator) ?? 0
            let whole = decode(input, .whole(input), with: BodyDecoder(.chunked))
            let cut = decode(input, .random(input, using: &generator), with: BodyDecoder(.chunked))
            #expect(whole.data == cut.data && whole.end == cut.end && whole.trailers == cut.trailers, "seed \(seed)")
        }
    }

    @Test func `signed uploads with an extension on every chunk pass`() {
        let signature = ";chunk-signature=" + String(repeating: "a", count: 64)
        let chunk = "400\(signature)\r\n" + String(repeating: "x", count: 1024) + "\r\n"
        let input = bytes(String(repeating: chunk, count: 2000) + "0\(signature)\r\n\r\n")
        let body = decode(input, .whole(input), with: BodyDecoder(.chunked))
        #expect(body.end == .finished)
        #expect(body.data.count == 2_048_000)
    }

    @Test func `the largest chunk is announced without overflow`() {
        let input = bytes("7FFFFFFFFFFFFFFF\r\nabc")
        let body = decode(input, .whole(input), with: BodyDecoder(.chunked))
        #expect(body == DecodedBody(data: bytes("abc"), end: .needMore, consumed: input.count))
    }

    @Test func `an incomplete trailer section stays in the buffer, all else is consumed`() {
        let input = bytes("1;a\r\nx\r\n0\r\nA: b\r\n\r")
        let body = decode(input, .whole(input), with: BodyDecoder(.chunked))
        #expect(body == DecodedBody(data: bytes("x"), end: .needMore, consumed: 11))
    }

    @Test func `a refusal and an end stay`() {
        var decoder = ChunkedDecoder()
        var trailers = FieldSection()
        var position = 0
        let bad = bytes("x")
        let empty: [UInt8] = []
        expectEqual(decoder.step(bad.span, at: &position, trailers: &trailers), .refused(.malformedChunkSize))
        expectEqual(decoder.step(empty.span, at: &position, trailers: &trailers), .refused(.malformedChunkSize))
        decoder = ChunkedDecoder()
        let end = bytes("0\r\n\r\nGET")
        expectEqual(decoder.step(end.span, at: &position, trailers: &trailers), .finished)
        expectEqual(decoder.step(end.span, at: &position, trailers: &trailers), .finished)
        #expect(position == 5)
        #expect(decoder.isFinished)
    }

    @Test(arguments: ChunkedRefusal.allCases)
    func `every reason has a status and a sentence`(_ reason: ChunkedRefusal) {
        #expect([400, 413, 431].contains(reason.status))
        #expect(reason.explanation.hasSuffix("."))
    }
}

@Suite("Bodies of other framings", .tags(.wire))
struct BodyDecoderTests {
    @Test func `no body is finished at once and touches nothing`() {
        var decoder = BodyDecoder(.none)
        let next = bytes("GET")
        #expect(decoder.isFinished && decoder.remainingLength == 0)
        #expect(decode(next, .whole(next), with: decoder) == DecodedBody(end: .finished))
        expectEqual(decoder.endOfInput(), true)
    }

    @Test func `a body of a length ends there, however it arrives`() {
        let input = bytes("helloGET /")
        let expected = DecodedBody(data: bytes("hello"), end: .finished, consumed: 5)
        #expect(decode(input, .whole(input), with: BodyDecoder(.length(5))) == expected)
        #expect(decode(input, .byteByByte(input), with: BodyDecoder(.length(5))) == expected)
        for length in input.indices {
            #expect(
                decode(input, .cut(input, at: length), with: BodyDecoder(.length(5))) == expected,
                "cut at \(length)"
            )
        }
        #expect(decode(input, .whole(input), with: BodyDecoder(.length(0))) == DecodedBody(end: .finished))
    }

    @Test func `a body cut short is told from a complete one`() {
        var trailers = FieldSection()
        var position = 0
        let input = bytes("hel")
        var decoder = BodyDecoder(.length(5))
        expectEqual(decoder.step(input.span, at: &position, trailers: &trailers), .data(0..<3))
        #expect(decoder.remainingLength == 2)
        expectEqual(decoder.step(input.span, at: &position, trailers: &trailers), .needMore)
        expectEqual(decoder.endOfInput(), false)

        position = 0
        let chunks = bytes("0\r\n")
        decoder = BodyDecoder(.chunked)
        expectEqual(decoder.step(chunks.span, at: &position, trailers: &trailers), .needMore)
        #expect(decoder.remainingLength == nil)
        expectEqual(decoder.endOfInput(), false)
    }

    @Test func `a body until close is complete when the input ends`() {
        var trailers = FieldSection()
        var position = 0
        let input = bytes("hello")
        var decoder = BodyDecoder(.untilClose)
        expectEqual(decoder.step(input.span, at: &position, trailers: &trailers), .data(0..<5))
        expectEqual(decoder.step(input.span, at: &position, trailers: &trailers), .needMore)
        #expect(!decoder.isFinished && decoder.remainingLength == nil)
        expectEqual(decoder.endOfInput(), true)
        #expect(decoder.isFinished && decoder.remainingLength == 0)
        expectEqual(decoder.step(input.span, at: &position, trailers: &trailers), .finished)
    }

    @Test func `trailers of an earlier body do not survive a body without any`() {
        var trailers = FieldSection()
        var position = 0
        let chunks = bytes("0\r\nA: b\r\n\r\n")
        var decoder = BodyDecoder(.chunked)
        expectEqual(decoder.step(chunks.span, at: &position, trailers: &trailers), .finished)
        #expect(trailers.count == 1)
        decoder = BodyDecoder(.none)
        expectEqual(decoder.step(chunks.span, at: &position, trailers: &trailers), .finished)
        #expect(trailers.count == 0)
    }
}
