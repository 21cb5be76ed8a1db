// What must hold for the requests that a client sends one after the other, whatever the pieces in which they arrive.

import EventLoop
import HTTPWire
import WireProperties

@testable import Front

/// The properties of ``RequestReader``: its requests are those of the parsers, in order, each byte once.
enum ReaderProperties {
    /// Checks an input: the bytes of a client's connection.
    static func check(_ input: [UInt8]) throws(Violation) {
        let expected = Conversation(reading: input)
        let number = input.fingerprint
        let some = Pieces(seed: number, longest: 1 + Int(number >> 58))
        for pieces in [.whole, .singleBytes, some] {
            let conversation = try Conversation(arriving: pieces.of(input), inAll: input.count, choices: number)
            try demand(conversation.requests == expected.requests, "the requests are the same, and in order")
            try demand(
                conversation.ending == expected.ending,
                "the input ends \(expected.ending), not \(conversation.ending)"
            )
            try demand(
                expected.unfinished.starts(with: conversation.unfinished),
                "content that was handed out is that of the last request"
            )
            guard case .inBody = expected.ending else { continue }
            try demand(conversation.unfinished == expected.unfinished, "content is handed out as it comes")
        }
    }
}

/// The requests in a client's input, and how it ends.
private struct Conversation {
    struct Request: Equatable {
        var head: [UInt8]
        var content: [UInt8] = []
        var trailers: [UInt8] = []
    }

    enum Ending: Equatable {
        case inHead
        case inBody
        case refusedHead(RequestRefusal)
        case refusedBody(ChunkedRefusal)
    }

    private(set) var requests: [Request] = []
    /// The content of a request that is not complete.
    private(set) var unfinished: [UInt8] = []
    private(set) var ending = Ending.inHead

    // MARK: By the parsers alone

    init(reading input: [UInt8]) {
        var start = 0
        while start < input.count, let end = readRequest(Array(input[start...])) { start += end }
    }

    /// Reads one request; its length, or nil when it is not complete.
    private mutating func readRequest(_ input: [UInt8]) -> Int? {
        var parser = RequestParser()
        var head = RequestHead()
        switch parser.parse(input.span, into: &head) {
        case .needMore: return nil
        case .refused(let refusal):
            ending = .refusedHead(refusal)
            return nil
        case .complete: break
        }
        var request = Request(head: Array(input[..<head.length]))
        var decoder = BodyDecoder(head.framing)
        var trailers = FieldSection()
        var position = head.length
        while true {
            switch decoder.step(input.span, at: &position, trailers: &trailers) {
            case .data(let range): request.content += input[range]
            case .needMore:
                unfinished = request.content
                ending = .inBody
                return nil
            case .finished:
                let lines = trailers.lines.filter { !$0.isHopByHop }
                request.trailers = lines.flatMap { input[$0.lineRange] }
                requests.append(request)
                return position
            case .refused(let refusal):
                unfinished = request.content
                ending = .refusedBody(refusal)
                return nil
            }
        }
    }

    // MARK: By a reader

    /// Does what a client connection does, without a socket.
    ///
    /// - Parameter choices: decides how content is taken: in one piece or in two, as it is or framed as a chunk.
    init(arriving pieces: [ArraySlice<UInt8>], inAll count: Int, choices: UInt64) throws(Violation) {
        // Much smaller than a connection's, so that bytes have to move: inside the buffer, and for half of the inputs into another.
        let pool = BufferPool(capacity: 2 * count + 128, maximumIdle: 0)
        let growing = choices & 1 == 0
        let reader = RequestReader(
            buffer: growing ? Buffer(capacity: RequestReader.tailroom + 1 + Int(choices >> 57)) : pool.take(),
            limits: HeadLimits(),
            largeBuffers: growing ? pool : nil
        )
        var client = Client(pieces: pieces[...], choices: choices)
        try converse(with: reader, &client)
        guard growing else { return }
        reader.reset()
        try demand(pool.inUse == 0, "a large buffer is given back")
    }

    private mutating func converse(with reader: RequestReader, _ client: inout Client) throws(Violation) {
        repeat {
            guard try readHead(reader, &client) else { return }
            requests.append(Request(head: Array(reader.headBytes(0..<reader.head.length))))
            reader.beginBody()
            guard try readBody(reader, &client) else {
                unfinished = requests.removeLast().content
                return
            }
            try demand(reader.bodyBytes == UInt64(requests.last?.content.count ?? 0), "content is counted")
        } while reader.finishRequest() || client.isSending
    }

    private mutating func readHead(_ reader: RequestReader, _ client: inout Client) throws(Violation) -> Bool {
        while true {
            switch reader.parseHead() {
            case .complete: return true
            case .refused(let refusal):
                ending = .refusedHead(refusal)
                return false
            case .needMore:
                guard client.isSending else {
                    ending = .inHead
                    return false
                }
                try client.send(to: reader, room: reader.makeRoomForHead())
            }
        }
    }

    private mutating func readBody(_ reader: RequestReader, _ client: inout Client) throws(Violation) -> Bool {
        var request = requests.removeLast()
        defer { requests.append(request) }
        var mayFrame = false
        while true {
            switch reader.decodeBody() {
            case .content(let isEnd):
                if mayFrame, client.chooses() {
                    request.content += try Conversation.frame(reader, isEnd: isEnd)
                } else {
                    let count = client.chooses() ? reader.content.count : (reader.content.count + 1) / 2
                    request.content += reader.content.prefix(count)
                    reader.consume(count)
                }
            case .end:
                request.trailers = reader.trailerLines
                return true
            case .pending:
                guard client.isSending else {
                    ending = .inBody
                    return false
                }
                try client.send(to: reader, room: reader.makeRoomForBody())
                try demand(
                    request.head.elementsEqual(reader.headBytes(0..<reader.head.length)),
                    "the head stays while its body comes"
                )
                // Behind a chunk is room for its end; behind a length may stand the next request.
                mayFrame = reader.head.framing == .chunked
            case .gone: throw Violation("a reader does not know that its client has left")
            case .refused(let refusal):
                ending = .refusedBody(refusal)
                return false
            }
        }
    }

    /// Takes all content as a chunk made in place, and gives back what is in it.
    private static func frame(_ reader: RequestReader, isEnd: Bool) throws(Violation) -> [UInt8] {
        let content = Array(reader.content)
        reader.frameContentAsChunk()
        let expected =
            Array("\(String(content.count, radix: 16))\r\n".utf8) + content + "\r\n".utf8
            + (isEnd ? "0\r\n".utf8 + reader.trailerLines + "\r\n".utf8 : [])
        try demand(reader.content.elementsEqual(expected), "content is framed where it stands")
        reader.discardContent()
        return content
    }
}

/// What a client has still to send, and the choices of the one who reads it.
private struct Client {
    var pieces: ArraySlice<ArraySlice<UInt8>>
    var choices: UInt64

    var isSending: Bool { pieces.contains { !$0.isEmpty } }

    mutating func send(to reader: RequestReader, room: Int) throws(Violation) {
        guard let piece = pieces.popFirst() else { return }
        try demand(room > 0, "there is room to read")
        reader.buffer.append(Array(piece.prefix(room)))
        let rest = piece.dropFirst(room)
        if !rest.isEmpty { pieces = [rest] + pieces }
    }

    /// The next choice; the same for the same input.
    mutating func chooses() -> Bool {
        choices = choices << 1 | choices >> 63
        return choices & 1 != 0
    }
}
