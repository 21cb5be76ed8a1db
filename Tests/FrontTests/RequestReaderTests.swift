// Requests out of one buffer, however the bytes arrive: pipelined, cut anywhere, framed anew in place.

import HTTPWire
import TestSupport
import Testing

@testable import EventLoop
@testable import Front

extension RequestReader {
    func text(_ range: Range<Int>) -> String { String(decoding: headBytes(range), as: UTF8.self) }

    var contentText: String { String(decoding: content, as: UTF8.self) }
}

extension BodyRead {
    /// The outcome as words, for comparing.
    var words: String {
        switch self {
        case .content(let isEnd): isEnd ? "content, the last" : "content"
        case .end: "end"
        case .pending: "pending"
        case .gone: "gone"
        case .refused(let refusal): refusal.rawValue
        }
    }
}

/// A reader, and the bytes that will arrive for it: what a client connection does, without a socket.
final class Arrival {
    let reader: RequestReader
    private var coming: ArraySlice<UInt8>

    init(_ bytes: [UInt8], capacity: Int = 65_536) {
        reader = RequestReader(buffer: Buffer(capacity: capacity), limits: HeadLimits())
        reader.reset()
        coming = bytes[...]
    }

    convenience init(_ text: String) { self.init(Array(text.utf8)) }

    var isOver: Bool { coming.isEmpty }

    /// Reads at most that many bytes of a head.
    func readHead(_ count: Int) {
        reader.makeRoomForHead()
        read(min(count, reader.buffer.room - RequestReader.tailroom))
    }

    /// Reads at most that many bytes of a body.
    func readBody(_ count: Int) { read(min(count, reader.makeRoomForBody())) }

    private func read(_ count: Int) {
        let bytes = Array(coming.prefix(count))
        coming = coming.dropFirst(bytes.count)
        reader.buffer.append(bytes)
    }
}

@Suite("Request reader")
struct RequestReaderTests {
    @Test func `a request without a body is complete with its head`() {
        let arrival = Arrival("GET /a HTTP/1.1\r\nHost: b\r\n\r\n")
        let reader = arrival.reader
        #expect(!reader.hasInput)
        arrival.readHead(.max)
        #expect(reader.hasInput)
        #expect(reader.parseHead() == .complete)
        #expect(reader.text(reader.head.methodRange) == "GET")
        #expect(reader.text(reader.head.targetRange) == "/a")
        reader.beginBody()
        #expect(reader.isBodyComplete)
        #expect(reader.decodeBody().words == "end")
        #expect(!reader.hasUnreadInput)
        #expect(!reader.finishRequest())
        #expect(!reader.hasInput)
    }

    @Test func `content is there until it is consumed, in pieces or as a whole`() {
        let arrival = Arrival("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello")
        let reader = arrival.reader
        arrival.readHead(.max)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(!reader.isBodyComplete)
        #expect(reader.decodeBody().words == "content, the last")
        #expect(reader.isBodyComplete)
        reader.consume(2)
        #expect(reader.contentText == "llo")
        #expect(reader.decodeBody().words == "content, the last")
        #expect(reader.hasUnreadInput)
        reader.discardContent()
        #expect(reader.decodeBody().words == "end")
        #expect(reader.bodyBytes == 5)
        #expect(!reader.finishRequest())
    }

    @Test func `a body that has not arrived is pending, and its bytes are counted without framing`() {
        let arrival = Arrival(
            "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n"
        )
        let reader = arrival.reader
        arrival.readHead("POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r".utf8.count)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(reader.decodeBody().words == "pending")
        arrival.readBody(4)
        #expect(reader.decodeBody().words == "content")
        #expect(reader.contentText == "hel")
        reader.consume(3)
        arrival.readBody(.max)
        #expect(reader.decodeBody().words == "content, the last")
        #expect(reader.contentText == "loyou")
        #expect(reader.bodyBytes == 8)
    }

    @Test func `broken framing is refused, and stays refused`() {
        let arrival = Arrival("POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n")
        let reader = arrival.reader
        arrival.readHead(.max)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(reader.decodeBody().words == "malformed_chunk_size")
        #expect(reader.content.isEmpty, "what came before the break goes nowhere")
        #expect(reader.decodeBody().words == "malformed_chunk_size")
        #expect(!reader.isBodyComplete)
    }

    @Test func `a refused head keeps its bytes for the log`() {
        let arrival = Arrival("GET /a HTTP/1.1\r\nHost b\r\n\r\n")
        arrival.readHead(.max)
        #expect(arrival.reader.parseHead() == .refused(.whitespaceBeforeColon))
        #expect(String(decoding: arrival.reader.received, as: UTF8.self) == "GET /a HTTP/1.1\r\nHost b\r\n\r\n")
        #expect(arrival.reader.text(arrival.reader.head.targetRange) == "/a")
    }

    @Test func `a reader forgets everything for another connection`() {
        let arrival = Arrival("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhel")
        let reader = arrival.reader
        arrival.readHead(.max)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        _ = reader.decodeBody()
        reader.reset()
        #expect(!reader.hasInput)
        #expect(!reader.hasUnreadInput)
        #expect(reader.bodyBytes == 0)
        reader.buffer.append("GET /b HTTP/1.0\r\n\r\n")
        #expect(reader.parseHead() == .complete)
        #expect(reader.text(reader.head.targetRange) == "/b")
    }

    @Test func `a head that comes late in the buffer moves to its start to make room`() {
        let first = "GET /first HTTP/1.1\r\nHost: \(String(repeating: "a", count: 4000))\r\n\r\n"
        let second = "GET /second HTTP/1.1\r\nHost: \(String(repeating: "b", count: 5000))\r\n\r\n"
        let arrival = Arrival(Array((first + second).utf8), capacity: 8192)
        let reader = arrival.reader
        arrival.readHead(.max)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(reader.finishRequest())
        #expect(reader.parseHead() == .needMore)
        arrival.readHead(.max)
        #expect(arrival.isOver)
        #expect(reader.parseHead() == .complete)
        #expect(reader.text(0..<reader.head.length) == second)
    }

    // MARK: Random requests, split at random

    private struct Request {
        let head: String
        var body: [UInt8] = []
        var wire: [UInt8]

        init(_ number: Int, using generator: inout SeededGenerator) {
            let padding = String(repeating: "p", count: generator.number(in: 0...60))
            let kind = generator.number(in: 0...2)
            let framing = ["", "Content-Length: %\r\n", "Transfer-Encoding: chunked\r\n"][kind]
            if kind > 0 { body = generator.bytes(generator.number(in: 0...(generator.once(in: 3) ? 2000 : 30))) }
            head =
                "POST /\(number) HTTP/1.1\r\nHost: a\r\nX-Padding: \(padding)\r\n"
                + framing.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "\(body.count)")
                + "\r\n"
            wire = Array(head.utf8)
            guard kind == 2 else {
                wire += body
                return
            }
            var position = 0
            while position < body.count {
                let count = min(generator.number(in: 1...200), body.count - position)
                wire += Array("\(String(count, radix: 16))\r\n".utf8) + body[position..<(position + count)] + [13, 10]
                position += count
            }
            wire += Array(generator.once(in: 2) ? "0\r\n\r\n".utf8 : "0\r\nA-Trailer: with a value\r\n\r\n".utf8)
        }
    }

    /// Takes a chunk's framing, written in lower case and without extensions, from around its content.
    private func unframed(_ bytes: [UInt8]) -> (content: [UInt8], isLast: Bool) {
        var decoder = BodyDecoder(.chunked)
        var trailers = FieldSection()
        var content: [UInt8] = []
        var position = 0
        while true {
            switch decoder.step(bytes.span, at: &position, trailers: &trailers) {
            case .data(let range): content += bytes[range]
            case .needMore: return (content, false)
            case .finished:
                #expect(position == bytes.count)
                return (content, true)
            case .refused(let refusal):
                Issue.record("framed wrongly: \(refusal)")
                return (content, false)
            }
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `pipelined requests come out whole, however they arrive, also when their content is framed in place`(
        seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let requests = (0..<generator.number(in: 1...8)).map { Request($0, using: &generator) }
            let arrival = Arrival(requests.flatMap(\.wire))
            let reader = arrival.reader
            let reads = [1...3, 1...100, 1...5000][generator.number(in: 0...2)]
            for (index, request) in requests.enumerated() {
                while true {
                    let progress = reader.parseHead()
                    if progress == .complete { break }
                    guard progress == .needMore, !arrival.isOver else {
                        Issue.record("\(progress) for \(request.head)")
                        return
                    }
                    arrival.readHead(generator.number(in: reads))
                }
                reader.beginBody()
                var body: [UInt8] = []
                var isWithHead = true
                reading: while true {
                    switch reader.decodeBody() {
                    case .content(let isEnd):
                        // Content that came with the head is copied; what comes later may be framed where it stands.
                        if reader.head.framing == .chunked, !isWithHead {
                            reader.frameContentAsChunk()
                            let framed = unframed(Array(reader.content))
                            body += framed.content
                            #expect(framed.isLast == isEnd)
                            reader.consume(reader.content.count)
                        } else {
                            let count = generator.number(in: 1...reader.content.count)
                            body += reader.content.prefix(count)
                            reader.consume(count)
                        }
                    case .end: break reading
                    case .pending:
                        isWithHead = false
                        guard !arrival.isOver else {
                            Issue.record("the body of \(request.head) has no end")
                            return
                        }
                        arrival.readBody(generator.number(in: reads))
                    case .gone, .refused:
                        Issue.record("the body of \(request.head) is refused")
                        return
                    }
                }
                #expect(reader.text(0..<reader.head.length) == request.head, "the head stays while the body is read")
                #expect(body == request.body)
                #expect(reader.bodyBytes == request.body.count)
                #expect(reader.isBodyComplete)
                let hasMore = reader.finishRequest()
                #expect(!hasMore || index < requests.count - 1)
            }
            #expect(arrival.isOver)
            #expect(!reader.hasInput)
        }
    }
}
