// The head that a client gets, from the head that a backend sent.

import HTTPWire
import Testing

@testable import EventLoop
@testable import Forwarding

@Suite("Client response heads")
struct ClientResponseTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: HTTPWire.Method
        let minorVersion: UInt8
        let acceptsTrailers: Bool
        let keepAlive: Bool
        let response: String
        let framing: ClientFraming
        let expected: String

        init(
            _ label: String,
            answering method: HTTPWire.Method = .get,
            minorVersion: UInt8 = 1,
            acceptsTrailers: Bool = false,
            keepAlive: Bool = true,
            _ response: String,
            _ framing: ClientFraming,
            _ expected: String
        ) {
            testDescription = label
            self.method = method
            self.minorVersion = minorVersion
            self.acceptsTrailers = acceptsTrailers
            self.keepAlive = keepAlive
            self.response = response
            self.framing = framing
            self.expected = expected
        }
    }

    static let table: [Row] = [
        Row(
            "a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\nServer: y\r\n\r\n",
            .length,
            "HTTP/1.1 200 OK\r\nDate: x\r\nServer: y\r\nContent-Length: 5\r\n\r\n"
        ),
        Row(
            "the same length twice becomes one",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nContent-Length: 5, 5\r\n\r\n",
            .length,
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n"
        ),
        Row(
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
            .chunked,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        Row(
            "chunks for a client of HTTP/1.0",
            minorVersion: 0,
            keepAlive: false,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            .untilClose,
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        ),
        Row(
            "a length for a client of HTTP/1.0 that keeps its connection",
            minorVersion: 0,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            .length,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"
        ),
        Row(
            "until the backend closes becomes chunks",
            "HTTP/1.0 200 OK\r\nConnection: close\r\nA: b\r\n\r\n",
            .chunked,
            "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        Row(
            "until the backend closes, for a client of HTTP/1.0",
            minorVersion: 0,
            keepAlive: false,
            "HTTP/1.0 200 OK\r\nA: b\r\n\r\n",
            .untilClose,
            "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n"
        ),
        Row(
            "HEAD tells the length that GET would have",
            answering: .head,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            .none,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        ),
        Row(
            "HEAD of what would be chunked",
            answering: .head,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            .none,
            "HTTP/1.1 200 OK\r\n\r\n"
        ),
        Row(
            "304 tells the length that 200 would have",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
            .none,
            "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n"
        ),
        Row(
            "trailers are announced to a client that takes them",
            acceptsTrailers: true,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
            .chunked,
            "HTTP/1.1 200 OK\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        Row(
            "trailers are not announced where no chunks carry them",
            minorVersion: 0,
            acceptsTrailers: true,
            keepAlive: false,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
            .untilClose,
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        ),
        Row(
            "a 204 with a length loses it",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nA: b\r\n\r\n",
            .none,
            "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"
        ),
        Row("204", "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", .none, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"),
        Row(
            "an empty body",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            .length,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ),
        Row(
            "hop-by-hop fields stay behind, Set-Cookie lines stay apart",
            """
            HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nKeep-Alive: timeout=5\r\nX-Mine: 1\r\nUpgrade: h2c\r\n\
            Proxy-Authenticate: Basic\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 1\r\n\r\n
            """,
            .length,
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 1\r\n\r\n"
        ),
        Row(
            "a connection that will close says so",
            keepAlive: false,
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
            .length,
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
        ),
        Row(
            "no reason, an odd status, bytes beyond ASCII",
            "HTTP/1.1 799 \r\nContent-Length: 0\r\nA: \u{E9} \t b \r\n\r\n",
            .length,
            "HTTP/1.1 799 \r\nA: \u{E9} \t b \r\nContent-Length: 0\r\n\r\n"
        ),
        Row(
            "a reason of its own",
            "HTTP/1.1 200 All is w\u{E9}ll\r\nContent-Length: 0\r\n\r\n",
            .length,
            "HTTP/1.1 200 All is w\u{E9}ll\r\nContent-Length: 0\r\n\r\n"
        ),
    ]

    private func written(_ row: Row) throws -> String {
        let received = try ReceivedResponse(row.response, answering: row.method)
        let framing = ClientResponse.framing(of: received.head, clientMinorVersion: row.minorVersion)
        #expect(framing == row.framing)
        let buffer = Buffer(capacity: 1 << 17)
        ClientResponse.write(
            received.head,
            from: received.buffer.bytesStart,
            framing: framing,
            clientMinorVersion: row.minorVersion,
            acceptsTrailers: row.acceptsTrailers,
            keepAlive: row.keepAlive,
            date: nil,
            to: buffer
        )
        return buffer.text
    }

    @Test(arguments: table)
    func `a head goes on as its row says`(_ row: Row) throws {
        #expect(try written(row) == row.expected)
    }

    @Test(arguments: table)
    func `what is written is a response with the framing that was decided`(_ row: Row) throws {
        let head = try ReceivedResponse(try written(row), answering: row.method).head
        switch row.framing {
        case .none, .tunnel: #expect(head.framing == .none)
        case .length: #expect(head.framing == head.declaredLength.map { .length($0) })
        case .chunked: #expect(head.framing == .chunked)
        case .untilClose: #expect(head.framing == .untilClose)
        }
        #expect(head.isPersistent == row.keepAlive)
    }

    @Test func `a switch of protocols goes on with Upgrade and nothing about a body`() throws {
        let row = Row(
            "101",
            keepAlive: false,
            """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade, x-mine\r\nX-Mine: 1\r\n\
            Sec-WebSocket-Accept: x\r\n\r\n
            """,
            .tunnel,
            """
            HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\n\r\n
            """
        )
        #expect(try written(row) == row.expected)
    }

    @Test(arguments: [
        (true, 1, "Connection: Upgrade\r\n"), (false, 1, "Connection: Upgrade, close\r\n"),
        (true, 0, "Connection: Upgrade, keep-alive\r\n"),
    ])
    func `a 426 says which protocol is asked for`(keepAlive: Bool, minorVersion: UInt8, connection: String) throws {
        let row = Row(
            "426",
            minorVersion: minorVersion,
            keepAlive: keepAlive,
            "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.0\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n",
            .length,
            "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nUpgrade: TLS/1.0\r\n\(connection)\r\n"
        )
        #expect(try written(row) == row.expected)
    }

    @Test func `the addition is no larger than it says`() throws {
        for row in Self.table {
            let addition = try written(row).utf8.count - row.response.utf8.count
            #expect(addition < ClientResponse.maximumAddition)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
        (
            """
            HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-mine\r\nX-Mine: 1\r\nContent-Length: 5\r\n\
            Trailer: A\r\n\r\n
            """,
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        ),
    ])
    func `an interim head goes on without what is not for it`(response: String, expected: String) throws {
        let received = try ReceivedResponse(response)
        #expect(received.head.isInterim)
        let buffer = Buffer(capacity: 4096)
        ClientResponse.writeInterim(received.head, from: received.buffer.bytesStart, to: buffer)
        #expect(buffer.text == expected)
    }
}
