// Rows of random requests in one connection's bytes, split at random.

import HTTPWire
import TestSupport
import Testing

@testable import EventLoop
@testable import Front

@Suite("Request pipelining")
struct RequestPipeliningTests {
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
