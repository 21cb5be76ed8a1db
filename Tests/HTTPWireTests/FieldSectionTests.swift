// Field names, field lines, and which of them are for one connection only.

import HTTPWire
import Testing

@Suite("Field names", .tags(.wire))
struct FieldNameTests {
    private func names(of spellings: [String]) -> [FieldName] {
        let lines = spellings.map { "\($0): 1\r\n" }.joined()
        let message = bytes("HTTP/1.1 200 OK\r\n\(lines)\r\n")
        let (_, head) = parseResponse(message, .whole(message), answering: .get)
        return head.fields.lines.map(\.name)
    }

    @Test(arguments: FieldName.allCases.filter { !$0.spelling.isEmpty && $0 != .transferEncoding })
    func `a name is recognised in any case, and not with a letter changed`(_ name: FieldName) {
        let spelling = name.spelling
        #expect(names(of: [spelling]) == [name])
        #expect(names(of: [spelling.uppercased()]) == [name])
        #expect(names(of: [spelling.lowercased()]) == [name])
        for offset in spelling.indices {
            var other = spelling
            other.replaceSubrange(offset...offset, with: spelling[offset] == "j" ? "k" : "j")
            let isClaim =
                spelling.hasPrefix("X-Forwarded-") && offset >= spelling.index(spelling.startIndex, offsetBy: 12)
            #expect(names(of: [other]) == [isClaim ? .xForwardedOther : .other], "\(other)")
            let isOrigin = spelling.hasPrefix("X-Forwarded-") || name == .xRealIP
            let staysClaim = isClaim || (isOrigin && spelling[offset] == "-")
            other.replaceSubrange(offset...offset, with: "_")
            #expect(names(of: [other]) == [staysClaim ? .xForwardedOther : .other], "\(other)")
            other.remove(at: offset)
            #expect(!names(of: [other]).contains(name), "\(other)")
        }
        #expect(names(of: [spelling + "x"]) != [name])
    }

    @Test(arguments: [
        "X-Forwarded-Prefix", "x-forwarded-server", "X-FORWARDED-SSL", "X-Forwarded-Tls-Client-Cert-Info",
        "X_Forwarded_For",
        "x-forwarded_proto", "X_Real_IP", "X-Real_IP", "X-Forwarded-",
    ])
    func `any other claim about the client's origin is recognised`(_ spelling: String) {
        #expect(names(of: [spelling]) == [.xForwardedOther])
    }

    @Test(arguments: [
        "X-Forwarded", "X-Forwarder-For", "X.Forwarded-For", "Y-Forwarded-For", "X-Real-IQ", "X-Real.IP", "X",
    ])
    func `what only looks like one is not`(_ spelling: String) {
        #expect(names(of: [spelling]) == [.other])
    }

    @Test(arguments: ["X-Forwarded-F\"or", "X_Forwarded_(", "X-Forwarded-Tls-Client-Cert-Info/", "X-Forwarded-\u{E9}"])
    func `a claim is spared no check of its bytes`(_ spelling: String) {
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\n\(spelling): 1\r\n\r\n")
        #expect(parseRequest(message, .whole(message)).progress == .refused(.malformedFieldName))
    }

    @Test func `Transfer-Encoding is recognised in any case`() {
        for spelling in ["Transfer-Encoding", "TRANSFER-ENCODING", "transfer-encoding"] {
            let message = bytes("HTTP/1.1 200 OK\r\n\(spelling): chunked\r\n\r\n")
            #expect(parseResponse(message, .whole(message)).head.fields[0].name == .transferEncoding)
        }
    }

    @Test func `no two names share a spelling and all fit in a word`() {
        let spellings = FieldName.allCases.map { $0.spelling.lowercased() }.filter { !$0.isEmpty }
        #expect(Set(spellings).count == FieldName.allCases.count - 2)
        #expect(FieldName.allCases.count <= 64)
    }
}

@Suite("Field sections", .tags(.wire))
struct FieldSectionTests {
    @Test func `lines keep their order, their duplicates and their bytes`() throws {
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\nCookie:  x=1 \r\nX-Y:\r\ncookie: z\r\n\r\n")
        let head = parseRequest(message, .whole(message)).head
        let fields = head.fields
        #expect(fields.count == 4)
        #expect(fields.lines.map { text(message, $0.nameRange) } == ["Host", "Cookie", "X-Y", "cookie"])
        #expect(fields.lines.map { text(message, $0.valueRange) } == ["a", "x=1", "", "z"])
        #expect(
            fields.lines.map { text(message, $0.lineRange) }.joined()
                == "Host: a\r\nCookie:  x=1 \r\nX-Y:\r\ncookie: z\r\n"
        )
        #expect(fields.first(.cookie) == 1)
        #expect(fields.first(.via) == nil)
        #expect(fields.contains(.cookie) && fields.isRepeated(.cookie) && !fields.isRepeated(.host))
        #expect(try text(message, #require(fields.value(.host))) == "a")
    }

    @Test func `reset forgets the lines and keeps the storage`() {
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\n\r\n")
        var fields = parseRequest(message, .whole(message)).head.fields
        let capacity = fields.lines.capacity
        fields.reset()
        #expect(fields.count == 0 && fields.names == 0 && fields.connectionOptions == [])
        #expect(fields.lines.capacity == capacity)
    }
}

struct HopByHopRow: Sendable, CustomTestStringConvertible {
    let label: String
    let fields: [String]
    /// The indexes of the lines that go no further.
    let dropped: [Int]
    var testDescription: String { label }

    init(_ label: String, _ fields: [String], dropped: [Int]) {
        self.label = label
        self.fields = fields
        self.dropped = dropped
    }

    static let table: [HopByHopRow] = [
        .init("nothing to drop", ["Host: a", "X: 1"], dropped: []),
        .init("close", ["Host: a", "Connection: close", "Close: 1"], dropped: [1]),
        .init("keep-alive", ["Host: a", "Connection: keep-alive", "Keep-Alive: timeout=5"], dropped: [1, 2]),
        .init(
            "always dropped",
            ["Keep-Alive: 1", "Proxy-Connection: x", "TE: trailers", "Upgrade: h2c", "Host: a"],
            dropped: [0, 1, 2, 3]
        ),
        .init("HTTP2-Settings without an option", ["Host: a", "HTTP2-Settings: AAMAAABk"], dropped: [1]),
        .init(
            "proxy authentication",
            ["Host: a", "Proxy-Authorization: x", "Proxy-Authenticate: y", "Proxy-Authentication-Info: z"],
            dropped: [1, 2, 3]
        ),
        .init("Trailer goes on", ["Host: a", "Trailer: X"], dropped: []),
        .init("Trailer named", ["Host: a", "Trailer: X", "Connection: trailer"], dropped: [1, 2]),
        .init(
            "named field",
            ["Host: a", "Connection: X-Foo", "x-foo: 1", "X-Foo-Bar: 2", "X-FOO: 3"],
            dropped: [1, 2, 4]
        ),
        .init(
            "a claim of a kind of its own cannot be dropped",
            ["Host: a", "Connection: x-forwarded-a, X_Forwarded_B", "X-Forwarded-A: 1", "X_Forwarded_B: 2"],
            dropped: [1]
        ),
        .init("named before", ["X-Foo: 1", "Host: a", "Connection: x-fOO"], dropped: [0, 2]),
        .init(
            "named and known",
            ["Host: a", "Connection: set-cookie", "Set-Cookie: 1", "Cookie: 2"],
            dropped: [1, 2]
        ),
        .init("list", ["Host: a", "Connection: ,a ,\tb,, c,", "A: 1", "B: 2", "C: 3", "D: 4"], dropped: [1, 2, 3, 4]),
        .init(
            "two lines",
            ["Host: a", "Connection: a", "A: 1", "Connection: close, b", "B: 2"],
            dropped: [1, 2, 3, 4]
        ),
        .init("Host cannot be dropped", ["Host: a", "Connection: host, x", "X: 1"], dropped: [1, 2]),
        .init(
            "Content-Length cannot be dropped",
            ["Host: a", "Connection: Content-Length", "Content-Length: 0"],
            dropped: [1]
        ),
        .init("empty options", ["Host: a", "Connection:", "X: 1"], dropped: [1]),
        .init("names nothing", ["Host: a", "Connection: nothing", "X: 1"], dropped: [1]),
        .init("letters only are compared without case", ["Host: a", "Connection: x@", "x`: 1"], dropped: [1]),
        .init(
            "who the client is, and how it came, cannot be dropped",
            [
                "Host: a",
                "Connection: X-Forwarded-For, x-forwarded-proto,X-Forwarded-Host, X-Forwarded-Port, X-Real-IP",
                "Connection: forwarded, via, max-forwards, early-data, x-request-id, traceparent, a",
                "X-Forwarded-For: 1",
                "X-Forwarded-Proto: 1", "X-Forwarded-Host: 1", "X-Forwarded-Port: 1", "X-Real-IP: 1", "Forwarded: 1",
                "Via: 1", "Max-Forwards: 1", "Early-Data: 1", "X-Request-Id: 1", "traceparent: 1", "A: 1",
            ],
            dropped: [1, 2, 14]
        ),
        .init(
            "nor can its credentials, or the time",
            ["Host: a", "Connection: Authorization, cookie, date", "Authorization: 1", "Cookie: 1", "Date: 1"],
            dropped: [1]
        ),
    ]
}

@Suite("Hop-by-hop fields", .tags(.wire))
struct HopByHopTests {
    @Test(arguments: HopByHopRow.table)
    func `what is for one connection is marked, and nothing else`(_ row: HopByHopRow) {
        let message = bytes("GET / HTTP/1.1\r\n" + row.fields.joined(separator: "\r\n") + "\r\n\r\n")
        var (progress, head) = parseRequest(message, .whole(message))
        #expect(progress == .complete)
        head.fields.markHopByHop(message.span)
        #expect(head.fields.lines.indices.filter { head.fields[$0].isHopByHop } == row.dropped)
    }

    @Test func `a response is marked by the same rules`() {
        let message = bytes(
            "HTTP/1.1 200 OK\r\nConnection: X-Foo\r\nX-Foo: 1\r\nTransfer-Encoding: chunked\r\nServer: s\r\n\r\n"
        )
        var (_, head) = parseResponse(message, .whole(message))
        head.fields.markHopByHop(message.span)
        #expect(head.fields.lines.map(\.isHopByHop) == [true, true, true, false])
    }
}
