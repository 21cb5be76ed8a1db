// Requests out of one buffer: heads, bodies, trailers, and the buffer's end.

import HTTPWire
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

    init(_ bytes: [UInt8]) {
        let limits = HeadLimits()
        let pool = BufferPool(capacity: RequestReader.bufferCapacity(for: limits), maximumIdle: 0)
        reader = RequestReader(buffer: pool.take(), limits: limits)
        reader.reset()
        coming = bytes[...]
    }

    convenience init(_ text: String) { self.init(Array(text.utf8)) }

    var isOver: Bool { coming.isEmpty }

    /// Reads at most that many bytes of a head.
    func readHead(_ count: Int) { read(min(count, reader.makeRoomForHead())) }

    /// Reads at most that many bytes of a body.
    func readBody(_ count: Int) { read(min(count, reader.makeRoomForBody())) }

    private func read(_ count: Int) {
        precondition(count > 0, "room to read into")
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

    // MARK: The buffer's end

    /// Requests of an exact size: the head of a GET, or of a POST with a length.
    private static func request(_ line: String, _ field: String, size: Int) -> String {
        let start = "\(line) HTTP/1.1\r\nHost: a\r\n\(field)X: "
        return start + String(repeating: "x", count: size - start.utf8.count - 4) + "\r\n\r\n"
    }

    @Test func `a head that comes late in the buffer moves to its start to make room`() {
        let first = Self.request("GET /first", "", size: 65_536)
        let second = Self.request("GET /second", "", size: 65_536)
        let third = Self.request("GET /third", "", size: 65_536)
        let arrival = Arrival(first + second + third)
        let reader = arrival.reader
        for request in [first, second, third] {
            while reader.parseHead() == .needMore { arrival.readHead(.max) }
            #expect(reader.parseHead() == .complete)
            #expect(reader.text(0..<reader.head.length) == request)
            reader.beginBody()
            _ = reader.finishRequest()
        }
        #expect(arrival.isOver)
    }

    @Test(arguments: [300, 20_000, 60_000, 65_534, 65_535])
    func `a body can be read wherever its head ends in the buffer`(size: Int) {
        let first = Self.request("GET /", "", size: 65_536)
        let second = Self.request("POST /", "Content-Length: 5\r\n", size: size)
        let arrival = Arrival(first + second + "hello")
        let reader = arrival.reader
        // The first head lacks its last byte; the second one comes with that, as far back as it can.
        arrival.readHead(first.utf8.count - 1)
        #expect(reader.parseHead() == .needMore)
        arrival.readHead(second.utf8.count + 1)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(reader.finishRequest())
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        #expect(reader.decodeBody().words == "pending")
        arrival.readBody(.max)
        #expect(reader.decodeBody().words == "content, the last")
        #expect(reader.contentText == "hello")
        #expect(reader.text(0..<reader.head.length) == second, "the head has moved as a whole")
    }

    @Test func `the largest head and the largest trailer section leave room to read`() {
        let head = Self.request("POST /", "Transfer-Encoding: chunked\r\n", size: 65_536)
        let section = "A: " + String(repeating: "a", count: 16_384 - 7) + "\r\n\r\n"
        for size in [1, 1000, Int.max] {
            let arrival = Arrival(head + "1\r\nx\r\n0\r\n" + section)
            let reader = arrival.reader
            while reader.parseHead() == .needMore { arrival.readHead(.max) }
            reader.beginBody()
            var content = ""
            while true {
                switch reader.decodeBody() {
                case .content:
                    content += reader.contentText
                    reader.discardContent()
                    continue
                case .pending:
                    arrival.readBody(size)
                    continue
                case .end, .gone, .refused: break
                }
                break
            }
            #expect(reader.decodeBody().words == "end")
            #expect(content == "x")
            #expect(reader.trailerLines == Array(section.utf8.dropLast(2)))
        }
    }

    @Test func `after the protocol was switched every byte is content until its end is said`() {
        let arrival = Arrival("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello\0more")
        let reader = arrival.reader
        arrival.readHead(.max)
        #expect(reader.parseHead() == .complete)
        reader.beginBody()
        reader.beginTunnel()
        #expect(reader.isTunnel)
        #expect(reader.decodeBody().words == "content")
        #expect(reader.contentText == "hello\0more")
        reader.discardContent()
        #expect(reader.decodeBody().words == "pending")
        reader.endTunnel()
        #expect(reader.decodeBody().words == "end")
    }
}
