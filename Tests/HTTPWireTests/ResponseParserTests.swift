// Response heads: what is read from them, and what is refused and why.

import HTTPWire
import Testing

struct LegalResponse: Sendable, CustomTestStringConvertible {
    let label: String
    let head: String
    var method = Method.get
    var status = 200
    var reason = "OK"
    var minorVersion: UInt8 = 1
    var framing = MessageFraming.untilClose
    var declaredLength: Int?
    var isPersistent = false
    var testDescription: String { label }

    static let table: [LegalResponse] = [
        .init(label: "until close", head: "HTTP/1.1 200 OK\r\n\r\n"),
        .init(
            label: "length",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            framing: .length(5),
            declaredLength: 5,
            isPersistent: true
        ),
        .init(
            label: "length zero",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            framing: .length(0),
            declaredLength: 0,
            isPersistent: true
        ),
        .init(
            label: "the same length in a list and on another line",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 05\r\n\r\n",
            framing: .length(5),
            declaredLength: 5,
            isPersistent: true
        ),
        .init(
            label: "chunked",
            head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            framing: .chunked,
            isPersistent: true
        ),
        .init(
            label: "close",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
            framing: .length(5),
            declaredLength: 5
        ),
        .init(label: "until close, keep-alive said", head: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"),
        .init(
            label: "HTTP/1.0",
            head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
            minorVersion: 0,
            framing: .length(5),
            declaredLength: 5
        ),
        .init(
            label: "HTTP/1.0 keep-alive",
            head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
            minorVersion: 0,
            framing: .length(5),
            declaredLength: 5,
            isPersistent: true
        ),
        .init(
            label: "HEAD with a length",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            method: .head,
            framing: .none,
            declaredLength: 5,
            isPersistent: true
        ),
        .init(
            label: "HEAD chunked",
            head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            method: .head,
            framing: .none,
            isPersistent: true
        ),
        .init(
            label: "304 with a length",
            head: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            status: 304,
            reason: "Not Modified",
            framing: .none,
            declaredLength: 5,
            isPersistent: true
        ),
        .init(
            label: "204",
            head: "HTTP/1.1 204 No Content\r\n\r\n",
            status: 204,
            reason: "No Content",
            framing: .none,
            isPersistent: true
        ),
        .init(
            label: "204 with length zero",
            head: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            status: 204,
            reason: "No Content",
            framing: .none,
            declaredLength: 0,
            isPersistent: true
        ),
        .init(
            label: "204 that announces a body is not trusted with another request",
            head: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            status: 204,
            reason: "No Content",
            framing: .none,
            declaredLength: 5
        ),
        .init(
            label: "100",
            head: "HTTP/1.1 100 Continue\r\n\r\n",
            status: 100,
            reason: "Continue",
            framing: .none,
            isPersistent: true
        ),
        .init(
            label: "103",
            head: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
            status: 103,
            reason: "Early Hints",
            framing: .none,
            isPersistent: true
        ),
        .init(
            label: "101",
            head: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            status: 101,
            reason: "Switching Protocols",
            framing: .none
        ),
        .init(
            label: "200 to CONNECT",
            head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            method: .connect,
            framing: .none,
            declaredLength: 5
        ),
        .init(
            label: "204 to CONNECT",
            head: "HTTP/1.1 204 No Content\r\n\r\n",
            method: .connect,
            status: 204,
            reason: "No Content",
            framing: .none
        ),
        .init(
            label: "404 to CONNECT",
            head: "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n",
            method: .connect,
            status: 404,
            reason: "Not Found",
            framing: .length(5),
            declaredLength: 5,
            isPersistent: true
        ),
        .init(label: "empty reason", head: "HTTP/1.1 200 \r\n\r\n", reason: ""),
        .init(label: "no reason and no space", head: "HTTP/1.1 200\r\n\r\n", reason: ""),
        .init(label: "reason with a space first", head: "HTTP/1.1 200  OK\r\n\r\n", reason: " OK"),
        .init(label: "reason with a tab", head: "HTTP/1.1 200 O\tK\r\n\r\n", reason: "O\tK"),
        .init(label: "status 999", head: "HTTP/1.1 999 Odd\r\n\r\n", status: 999, reason: "Odd"),
        .init(label: "HTTP/1.3 counts as 1.1", head: "HTTP/1.3 200 OK\r\n\r\n"),
        .init(label: "no line but odd ones", head: "HTTP/1.1 200 OK\r\nP3P:\r\nx: \r\n\r\n"),
    ]
}

struct RefusedResponse: Sendable, CustomTestStringConvertible {
    let label: String
    let head: String
    let reason: ResponseRefusal
    var testDescription: String { label }

    init(_ label: String, _ head: String, _ reason: ResponseRefusal) {
        self.label = label
        self.head = head
        self.reason = reason
    }

    init(_ label: String, fields: String, _ reason: ResponseRefusal) {
        self.init(label, "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n", reason)
    }

    static let table: [RefusedResponse] = [
        .init("HTTP/0.9", "<html>", .notHTTP),
        .init("ICY", "ICY 200 OK\r\n\r\n", .notHTTP),
        .init("lower case", "http/1.1 200 OK\r\n\r\n", .notHTTP),
        .init("empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", .notHTTP),
        .init("space first", " HTTP/1.1 200 OK\r\n\r\n", .notHTTP),
        .init("TLS alert", "\u{15}\u{03}\u{03}", .notHTTP),
        .init("no minor version", "HTTP/1 200 OK\r\n\r\n", .notHTTP),
        .init("HTTP/2 text", "HTTP/2 200 OK\r\n\r\n", .unsupportedVersion),
        .init("HTTP/2.0 text", "HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
        .init("HTTP/0.9 said aloud", "HTTP/0.9 200 OK\r\n\r\n", .unsupportedVersion),
        .init("tab behind the version", "HTTP/1.1\t200 OK\r\n\r\n", .malformedStatusLine),
        .init("long minor version", "HTTP/1.10 200 OK\r\n\r\n", .malformedStatusLine),
        .init("tab behind the status", "HTTP/1.1 200\tOK\r\n\r\n", .malformedStatusLine),
        .init("text behind the status", "HTTP/1.1 200OK\r\n\r\n", .malformedStatusLine),
        .init("two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", .malformedStatus),
        .init("status of two digits", "HTTP/1.1 99 OK\r\n\r\n", .malformedStatus),
        .init("status of four digits", "HTTP/1.1 1000 OK\r\n\r\n", .malformedStatus),
        .init("status below 100", "HTTP/1.1 099 OK\r\n\r\n", .malformedStatus),
        .init("signed status", "HTTP/1.1 +20 OK\r\n\r\n", .malformedStatus),
        .init("no status", "HTTP/1.1 \r\n\r\n", .malformedStatus),
        .init("NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", .nulByte),
        .init("control byte in the reason", "HTTP/1.1 200 O\u{08}K\r\n\r\n", .controlByte),
        .init("bare LF behind the reason", "HTTP/1.1 200 OK\nX: y\r\n\r\n", .bareLineFeed),
        .init("bare LF behind the status", "HTTP/1.1 200\nX: y\r\n\r\n", .bareLineFeed),
        .init("bare CR behind the reason", "HTTP/1.1 200 OK\rX", .bareCarriageReturn),
        .init("bare LF behind a value", fields: "X: a\nY: b", .bareLineFeed),
        .init("bare CR in a value", fields: "X: a\rY: b", .bareCarriageReturn),
        .init("NUL in a value", fields: "X: \0", .nulByte),
        .init("control byte in a value", fields: "X: \u{1F}", .controlByte),
        .init("space before the colon", fields: "Content-Length : 2", .whitespaceBeforeColon),
        .init("folded line", fields: "X: a\r\n b", .obsoleteFolding),
        .init("empty name", fields: ":", .emptyFieldName),
        .init("bad name", fields: "a(b: c", .malformedFieldName),
        .init("no colon", fields: "garbage", .missingColon),
        .init(
            "coding and length",
            fields: "Transfer-Encoding: chunked\r\nContent-Length: 3",
            .lengthAndTransferEncoding
        ),
        .init("two lengths", fields: "Content-Length: 3\r\nContent-Length: 4", .conflictingContentLength),
        .init("list of two lengths", fields: "Content-Length: 3, 4", .conflictingContentLength),
        .init("empty member of a length", fields: "Content-Length: 3,,3", .malformedContentLength),
        .init("plus", fields: "Content-Length: +5", .malformedContentLength),
        .init("text behind a length", fields: "Content-Length: 5abc", .malformedContentLength),
        .init("minus", fields: "Content-Length: -5", .malformedContentLength),
        .init("length too large", fields: "Content-Length: 99999999999999999999", .contentLengthTooLarge),
        .init("gzip, chunked", fields: "Transfer-Encoding: gzip, chunked", .unsupportedTransferCoding),
        .init("identity", fields: "Transfer-Encoding: identity", .unsupportedTransferCoding),
        .init("chunked not last", fields: "Transfer-Encoding: chunked, gzip", .chunkedNotFinal),
        .init("chunked twice", fields: "Transfer-Encoding: chunked, chunked", .chunkedRepeated),
        .init("empty coding", fields: "Transfer-Encoding: ", .malformedTransferEncoding),
        .init("coding on HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
        .init(
            "too many options",
            fields: "Connection: " + String(repeating: "a,", count: 65),
            .tooManyConnectionOptions
        ),
    ]
}

@Suite("Response heads", .tags(.wire))
struct ResponseParserTests {
    @Test(arguments: LegalResponse.table)
    func `a legal response is read`(_ row: LegalResponse) {
        let message = bytes(row.head)
        let (progress, head) = parseResponse(message, .whole(message), answering: row.method)
        #expect(progress == .complete)
        #expect(head.length == message.count)
        #expect(head.status == row.status)
        #expect(text(message, head.reasonRange) == row.reason)
        #expect(head.minorVersion == row.minorVersion)
        #expect(head.framing == row.framing)
        #expect(head.declaredLength == row.declaredLength)
        #expect(head.isPersistent == row.isPersistent)
        #expect(head.isInterim == [100, 103].contains(row.status))
        #expect(head.switchesProtocols == (row.status == 101))
    }

    @Test(arguments: LegalResponse.table)
    func `every prefix of a legal response needs more, and the result does not depend on the cut`(_ row: LegalResponse)
    {
        let message = bytes(row.head)
        let whole = String(describing: parseResponse(message, .whole(message), answering: row.method).head)
        for length in 0..<message.count {
            let prefix = Array(message[..<length])
            #expect(parseResponse(prefix, .whole(prefix)).progress == .needMore, "prefix of \(length)")
            let cut = parseResponse(message, .cut(message, at: length), answering: row.method)
            #expect(cut.progress == .complete, "cut at \(length)")
            #expect(String(describing: cut.head) == whole, "cut at \(length)")
        }
        let split = parseResponse(message, .byteByByte(message), answering: row.method)
        #expect(String(describing: split.head) == whole)
    }

    @Test(arguments: RefusedResponse.table)
    func `an illegal response is refused by name, however it arrives`(_ row: RefusedResponse) {
        let message = bytes(row.head)
        #expect(parseResponse(message, .whole(message)).progress == .refused(row.reason))
        #expect(parseResponse(message, .byteByByte(message)).progress == .refused(row.reason))
        for length in 0..<message.count {
            #expect(
                parseResponse(message, .cut(message, at: length)).progress == .refused(row.reason),
                "cut at \(length)"
            )
        }
    }

    @Test(arguments: LegalResponse.table)
    func `a corrupted byte gets the same verdict however it arrives`(_ row: LegalResponse) {
        let original = bytes(row.head)
        for position in original.indices {
            for nasty in nastyBytes {
                var message = original
                message[position] = nasty
                let whole = parseResponse(message, .whole(message))
                let split = parseResponse(message, .byteByByte(message))
                let cut = parseResponse(message, .cut(message, at: position))
                #expect(whole.progress == split.progress, "byte \(nasty) at \(position)")
                #expect(whole.progress == cut.progress, "byte \(nasty) at \(position)")
                guard whole.progress == .complete else { continue }
                #expect(
                    String(describing: whole.head) == String(describing: split.head),
                    "byte \(nasty) at \(position)"
                )
            }
        }
    }

    @Test func `interim responses are read one after the other before the final one`() {
        let message = bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        var parser = ResponseParser(requestMethod: .post)
        var head = ResponseHead()
        var start = 0
        var statuses: [Int] = []
        repeat {
            parser.reset()
            expectEqual(parser.parse(message.span.extracting(droppingFirst: start), into: &head), .complete)
            statuses.append(head.status)
            start += head.length
        } while head.isInterim
        #expect(statuses == [100, 103, 200])
        #expect(start == message.count)
        #expect(head.fields.count == 0)
    }

    @Test func `the parser is reset for another method`() {
        let message = bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        var parser = ResponseParser(requestMethod: .head)
        var head = ResponseHead()
        expectEqual(parser.parse(message.span, into: &head), .complete)
        #expect(head.framing == .none)
        parser.reset(requestMethod: .get)
        expectEqual(parser.parse(message.span, into: &head), .complete)
        #expect(head.framing == .length(3))
    }

    @Test func `a head larger than the limit is refused before it ends`() {
        let message = bytes("HTTP/1.1 200 OK\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        let limits = HeadLimits(maxHeadBytes: 32)
        #expect(parseResponse(message, .whole(message), limits: limits).progress == .refused(.headTooLarge))
        #expect(parseResponse(message, .byteByByte(message), limits: limits).progress == .refused(.headTooLarge))
    }

    @Test(arguments: ResponseRefusal.allCases)
    func `every reason has a sentence`(_ reason: ResponseRefusal) {
        #expect(reason.explanation.hasSuffix("."))
    }
}
