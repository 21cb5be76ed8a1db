// Request heads: what is read from them, and what is refused and why.

import HTTPWire
import Testing

struct LegalRequest: Sendable, CustomTestStringConvertible {
    let label: String
    let head: String
    var method = Method.get
    var path = "/"
    var form = TargetForm.origin
    var prefix = PathPrefix.nothing
    var authority: String?
    var host: String? = "a"
    var minorVersion: UInt8 = 1
    var framing = MessageFraming.none
    var isPersistent = true
    var testDescription: String { label }

    static let table: [LegalRequest] = [
        .init(label: "smallest", head: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init(label: "path and query", head: "GET /x/y?z=1&q=%20 HTTP/1.1\r\nHost: a\r\n\r\n", path: "/x/y?z=1&q=%20"),
        .init(
            label: "odd marks in a path",
            head: "GET /{a|b}\"<>^`\\[] HTTP/1.1\r\nHost: a\r\n\r\n",
            path: "/{a|b}\"<>^`\\[]"
        ),
        .init(label: "two slashes first", head: "GET //x HTTP/1.1\r\nHost: a\r\n\r\n", path: "//x"),
        .init(label: "one empty line first", head: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init(label: "HEAD", head: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", method: .head),
        .init(label: "DELETE", head: "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", method: .delete),
        .init(label: "PATCH", head: "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", method: .patch),
        .init(label: "TRACE", head: "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", method: .trace),
        .init(label: "QUERY", head: "QUERY / HTTP/1.1\r\nHost: a\r\n\r\n", method: .query),
        .init(label: "lower-case method is another method", head: "get / HTTP/1.1\r\nHost: a\r\n\r\n", method: .other),
        .init(label: "WebDAV", head: "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", method: .other),
        .init(label: "method of marks", head: "M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n", method: .other),
        .init(
            label: "OPTIONS *",
            head: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            method: .options,
            path: "*",
            form: .asterisk
        ),
        .init(
            label: "OPTIONS with a path",
            head: "OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n",
            method: .options,
            path: "/x"
        ),
        .init(
            label: "absolute target overrides Host",
            head: "GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
            path: "/x?y",
            form: .absolute,
            authority: "b:80"
        ),
        .init(
            label: "absolute target without a path",
            head: "GET HTTP://B HTTP/1.1\r\nHost: a\r\n\r\n",
            path: "",
            form: .absolute,
            prefix: .slash,
            authority: "B"
        ),
        .init(
            label: "absolute target with a query only",
            head: "GET https://b?x HTTP/1.1\r\nHost: a\r\n\r\n",
            path: "?x",
            form: .absolute,
            prefix: .slash,
            authority: "b"
        ),
        .init(
            label: "absolute target of OPTIONS without a path",
            head: "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            method: .options,
            path: "",
            form: .absolute,
            prefix: .asterisk,
            authority: "b"
        ),
        .init(
            label: "absolute target with an IPv6 address",
            head: "GET http://[::1]:8080/ HTTP/1.1\r\nHost: a\r\n\r\n",
            form: .absolute,
            authority: "[::1]:8080"
        ),
        .init(label: "empty Host", head: "GET / HTTP/1.1\r\nHost:\r\n\r\n", host: ""),
        .init(label: "Host with a port", head: "GET / HTTP/1.1\r\nHost: a.b-c_d:65535\r\n\r\n", host: "a.b-c_d:65535"),
        .init(label: "Host with an empty port", head: "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", host: "a:"),
        .init(
            label: "Host IPv6",
            head: "GET / HTTP/1.1\r\nHost: [fe80::1:ffff:1.2.3.4]:1\r\n\r\n",
            host: "[fe80::1:ffff:1.2.3.4]:1"
        ),
        .init(label: "Host percent-encoded", head: "GET / HTTP/1.1\r\nHost: %C3%BC.de\r\n\r\n", host: "%C3%BC.de"),
        .init(label: "white space around a value", head: "GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n"),
        .init(label: "no white space before a value", head: "GET / HTTP/1.1\r\nhOST:a\r\n\r\n"),
        .init(label: "empty value", head: "GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Blank:  \r\n\r\n"),
        .init(
            label: "tab inside a value",
            head: "GET / HTTP/1.1\r\nHost: a\r\nX: long enough a\tb and more text\r\n\r\n"
        ),
        .init(label: "obs-text in a value", head: "GET / HTTP/1.1\r\nHost: a\r\nX: \u{FC}\u{80}\u{FF}\r\n\r\n"),
        .init(label: "colon in a value", head: "GET / HTTP/1.1\r\nHost: a\r\nX: a: b:c\r\n\r\n"),
        .init(label: "name of marks", head: "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~9z: v\r\n\r\n"),
        .init(label: "one-letter names", head: "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB:2\r\n\r\n"),
        .init(label: "repeated field", head: "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"),
        .init(
            label: "HTTP/1.0 without Host",
            head: "GET / HTTP/1.0\r\n\r\n",
            host: nil,
            minorVersion: 0,
            isPersistent: false
        ),
        .init(
            label: "HTTP/1.0 keep-alive",
            head: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            host: nil,
            minorVersion: 0
        ),
        .init(label: "HTTP/1.2 counts as 1.1", head: "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        .init(label: "close", head: "GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n", isPersistent: false),
        .init(
            label: "close wins",
            head: "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: x,, close ,\r\n\r\n",
            isPersistent: false
        ),
        .init(label: "closed is not close", head: "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"),
        .init(
            label: "length",
            head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0042\r\n\r\n",
            method: .post,
            framing: .length(42)
        ),
        .init(
            label: "length zero",
            head: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            method: .put,
            framing: .length(0)
        ),
        .init(
            label: "largest length",
            head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
            method: .post,
            framing: .length(.max)
        ),
        .init(
            label: "GET with a body",
            head: "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
            framing: .length(3)
        ),
        .init(
            label: "chunked",
            head: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
            method: .post,
            framing: .chunked
        ),
        .init(label: "POST without a body", head: "POST / HTTP/1.1\r\nHost: a\r\n\r\n", method: .post),
        .init(
            label: "names that look like framing",
            head:
                "GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nContent-Lengths: x\r\n\r\n"
        ),
    ]
}

struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let label: String
    let head: String
    let reason: RequestRefusal
    var testDescription: String { label }

    init(_ label: String, _ head: String, _ reason: RequestRefusal) {
        self.label = label
        self.head = head
        self.reason = reason
    }

    /// A request with these field lines behind a good request line and Host.
    init(_ label: String, fields: String, _ reason: RequestRefusal) {
        self.init(label, "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", reason)
    }

    /// A request with this request line and a good Host.
    init(_ label: String, line: String, _ reason: RequestRefusal) {
        self.init(label, "\(line)\r\nHost: a\r\n\r\n", reason)
    }

    static let startLines: [RefusedRequest] = [
        .init("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .extraEmptyLine),
        .init("bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
        .init("bare CR first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
        .init("TLS ClientHello", "\u{16}\u{03}\u{01}\u{02}\u{00}", .tlsHandshake),
        .init("space first", line: " GET / HTTP/1.1", .malformedMethod),
        .init("NUL first", "\0", .malformedMethod),
        .init("byte beyond ASCII first", "\u{E9}", .malformedMethod),
        .init("separator in the method", line: "GE(T / HTTP/1.1", .malformedMethod),
        .init("tab behind the method", line: "GET\t/ HTTP/1.1", .malformedMethod),
        .init("method alone", line: "GET", .malformedMethod),
        .init("method too long", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", .methodTooLong),
        .init("two spaces before the target", line: "GET  / HTTP/1.1", .malformedRequestLine),
        .init("two spaces before the version", line: "GET /  HTTP/1.1", .malformedRequestLine),
        .init("HTTP/0.9", line: "GET /", .malformedRequestLine),
        .init("HTTP/0.9 with a bare LF", "GET /\n", .malformedRequestLine),
        .init("tab in the target", line: "GET /\tHTTP/1.1", .malformedTarget),
        .init("space in the target", line: "GET /a b HTTP/1.1", .malformedVersion),
        .init("no version", line: "GET / ", .malformedVersion),
        .init("lower-case version", line: "GET / http/1.1", .malformedVersion),
        .init("space behind the version", line: "GET / HTTP/1.1 ", .malformedVersion),
        .init("long minor version", line: "GET / HTTP/1.10", .malformedVersion),
        .init("version without a minor number", line: "GET / HTTP/1", .malformedVersion),
        .init("letter for a minor version", line: "GET / HTTP/1.x", .malformedVersion),
        .init("another protocol", line: "GET / HTCPCP/1.0", .malformedVersion),
        .init("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        .init("HTTP/3", line: "GET / HTTP/3", .unsupportedVersion),
        .init("HTTP/0.9 said aloud", line: "GET / HTTP/0.9", .unsupportedVersion),
        .init("request line with a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
        .init("request line with a bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
        .init("NUL in the target", line: "GET /\0 HTTP/1.1", .malformedTarget),
        .init("DEL in the target", line: "GET /a-long-enough-path\u{7F} HTTP/1.1", .malformedTarget),
        .init("raw byte in the target", line: "GET /\u{FC} HTTP/1.1", .nonASCIITarget),
        .init("fragment", line: "GET /a#b HTTP/1.1", .fragmentInTarget),
        .init("relative target", line: "GET index.html HTTP/1.1", .malformedTarget),
        .init("query as target", line: "GET ?x HTTP/1.1", .malformedTarget),
        .init("authority-form without CONNECT", line: "GET example.com:80 HTTP/1.1", .malformedTarget),
        .init("asterisk without OPTIONS", line: "GET * HTTP/1.1", .asteriskWithoutOptions),
        .init("two asterisks", line: "OPTIONS ** HTTP/1.1", .malformedTarget),
        .init("CONNECT", line: "CONNECT example.com:443 HTTP/1.1", .connectRefused),
        .init("CONNECT with a path", line: "CONNECT / HTTP/1.1", .connectRefused),
        .init("ftp", line: "GET ftp://a/ HTTP/1.1", .unsupportedScheme),
        .init("file", line: "GET file:///etc/passwd HTTP/1.1", .unsupportedScheme),
        .init("scheme with one slash", line: "GET http:/a HTTP/1.1", .malformedTarget),
        .init("scheme with a digit first", line: "GET 1http://a/ HTTP/1.1", .malformedTarget),
        .init("user name", line: "GET http://u@a/ HTTP/1.1", .userinfoInTarget),
        .init("password", line: "GET http://u:p@a/ HTTP/1.1", .userinfoInTarget),
        .init("empty authority", line: "GET http:///x HTTP/1.1", .malformedAuthority),
        .init("authority with a port only", line: "GET http://:80/x HTTP/1.1", .malformedAuthority),
        .init("authority with a bad port", line: "GET http://a:8o/x HTTP/1.1", .malformedAuthority),
        .init("authority with a backslash", line: "GET http://a\\b/x HTTP/1.1", .malformedAuthority),
        .init("authority with an open bracket", line: "GET http://[::1/x HTTP/1.1", .malformedAuthority),
    ]

    static let fieldLines: [RefusedRequest] = [
        .init("bare LF behind a value", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", .bareLineFeed),
        .init("bare CR in a value", fields: "X: a\rb", .bareCarriageReturn),
        .init("two CR", fields: "X: a\r", .bareCarriageReturn),
        .init("bare LF as the last line", "GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        .init("bare CR as the last line", "GET / HTTP/1.1\r\nHost: a\r\n\rX", .bareCarriageReturn),
        .init("NUL in a value", fields: "X: a\0b", .nulByte),
        .init("NUL in a name", fields: "X\0Y: a", .nulByte),
        .init("vertical tab in a value", fields: "X: a\u{0B}b", .controlByte),
        .init("escape in a value", fields: "X: 12345678\u{1B}", .controlByte),
        .init("DEL in a value", fields: "X: a\u{7F}b", .controlByte),
        .init("control byte in a name", fields: "X\u{01}: a", .controlByte),
        .init("DEL in a name", fields: "X\u{7F}: a", .controlByte),
        .init("space before the colon", fields: "Content-Length : 5", .whitespaceBeforeColon),
        .init("tab before the colon", fields: "Transfer-Encoding\t: chunked", .whitespaceBeforeColon),
        .init("space in a name", fields: "X Y: a", .whitespaceBeforeColon),
        .init("folded line", fields: "X: a\r\n b", .obsoleteFolding),
        .init("folded line with a tab", fields: "X: a\r\n\tb", .obsoleteFolding),
        .init("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteFolding),
        .init("line of a space", fields: "X: a\r\n ", .obsoleteFolding),
        .init("empty name", fields: ": a", .emptyFieldName),
        .init("brackets in a name", fields: "X[0]: a", .malformedFieldName),
        .init("byte beyond ASCII in a name", fields: "X\u{FC}: a", .malformedFieldName),
        .init("slash in a name", fields: "a/b: c", .malformedFieldName),
        .init("no colon", fields: "Host", .missingColon),
        .init("no colon at a bare LF", fields: "Host\nX: y", .missingColon),
    ]

    static let hosts: [RefusedRequest] = [
        .init("no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", .missingHost),
        .init("no field at all", "GET / HTTP/1.1\r\n\r\n", .missingHost),
        .init("no Host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
        .init("two Hosts", fields: "Host: b", .repeatedHost),
        .init("the same Host twice", fields: "hOsT: a", .repeatedHost),
        .init("two Hosts on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
        .init("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .malformedHost),
        .init("Host list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .malformedHost),
        .init("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .malformedHost),
        .init("Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .malformedHost),
        .init("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .malformedHost),
        .init("Host with a large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .malformedHost),
        .init("Host with a port only", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .malformedHost),
        .init("Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", .malformedHost),
        .init("Host IPv6 without brackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", .malformedHost),
        .init("Host with a zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", .malformedHost),
        .init("Host with text behind a bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", .malformedHost),
        .init("Host with half a percent", "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", .malformedHost),
        .init("Host beyond ASCII", "GET / HTTP/1.1\r\nHost: \u{FC}\r\n\r\n", .malformedHost),
    ]

    static let framings: [RefusedRequest] = [
        .init("CL.TE", fields: "Content-Length: 4\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        .init("TE.CL", fields: "Transfer-Encoding: chunked\r\nContent-Length: 4", .lengthAndTransferEncoding),
        .init("TE.CL, unknown coding", fields: "Transfer-Encoding: x\r\nContent-Length: 4", .lengthAndTransferEncoding),
        .init("two lengths", fields: "Content-Length: 4\r\nContent-Length: 5", .conflictingContentLength),
        .init("the same length twice", fields: "Content-Length: 4\r\nContent-Length: 4", .repeatedContentLength),
        .init("list of lengths", fields: "Content-Length: 4, 5", .conflictingContentLength),
        .init("list of the same length", fields: "Content-Length: 4,4", .repeatedContentLength),
        .init("same number, other digits", fields: "Content-Length: 4, 04", .repeatedContentLength),
        .init("list with an empty member", fields: "Content-Length: 4,", .malformedContentLength),
        .init("plus", fields: "Content-Length: +4", .malformedContentLength),
        .init("minus", fields: "Content-Length: -4", .malformedContentLength),
        .init("empty length", fields: "Content-Length:", .malformedContentLength),
        .init("hexadecimal length", fields: "Content-Length: 0x4", .malformedContentLength),
        .init("length with text", fields: "Content-Length: 4abc", .malformedContentLength),
        .init("length with a space", fields: "Content-Length: 4 2", .malformedContentLength),
        .init("length with a point", fields: "Content-Length: 4.0", .malformedContentLength),
        .init("length with a quote", fields: "Content-Length: \"4\"", .malformedContentLength),
        .init("length too large", fields: "Content-Length: 9223372036854775808", .contentLengthTooLarge),
        .init(
            "length of thirty digits",
            fields: "Content-Length: 184467440737095516160000000000",
            .contentLengthTooLarge
        ),
        .init("coding on HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
        .init("unknown coding", fields: "Transfer-Encoding: gzip", .unsupportedTransferCoding),
        .init("identity", fields: "Transfer-Encoding: identity", .unsupportedTransferCoding),
        .init("gzip, chunked", fields: "Transfer-Encoding: gzip, chunked", .unsupportedTransferCoding),
        .init("xchunked", fields: "Transfer-Encoding: xchunked", .unsupportedTransferCoding),
        .init("unknown coding with a parameter", fields: "Transfer-Encoding: x;y=z", .unsupportedTransferCoding),
        .init("chunked, gzip", fields: "Transfer-Encoding: chunked, gzip", .chunkedNotFinal),
        .init(
            "chunked, identity",
            fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            .chunkedNotFinal
        ),
        .init("chunked and a comma", fields: "Transfer-Encoding: chunked,", .chunkedNotFinal),
        .init("chunked twice", fields: "Transfer-Encoding: chunked, chunked", .chunkedRepeated),
        .init(
            "chunked on two lines",
            fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: CHUNKED",
            .chunkedRepeated
        ),
        .init("comma and chunked", fields: "Transfer-Encoding: ,chunked", .malformedTransferEncoding),
        .init("empty coding", fields: "Transfer-Encoding:", .malformedTransferEncoding),
        .init("quoted chunked", fields: "Transfer-Encoding: \"chunked\"", .malformedTransferEncoding),
        .init("chunked with a parameter", fields: "Transfer-Encoding: chunked;q=1", .malformedTransferEncoding),
        .init("two words", fields: "Transfer-Encoding: chunked x", .malformedTransferEncoding),
        .init("vertical tab before chunked", fields: "Transfer-Encoding: \u{0B}chunked", .controlByte),
    ]

    static let table = startLines + fieldLines + hosts + framings
}

@Suite("Request heads", .tags(.wire))
struct RequestParserTests {
    @Test(arguments: LegalRequest.table)
    func `a legal request is read`(_ row: LegalRequest) {
        let message = latin1(row.head)
        let (progress, head) = parseRequest(message, .whole(message))
        #expect(progress == .complete)
        #expect(head.length == message.count)
        #expect(head.method == row.method)
        #expect(head.targetForm == row.form)
        #expect(head.pathPrefix == row.prefix)
        #expect(text(message, head.pathRange) == row.path)
        #expect(head.authorityRange.map { text(message, $0) } == row.authority)
        #expect(head.hostValueRange.map { text(message, $0) } == row.host)
        #expect(head.effectiveAuthorityRange.map { text(message, $0) } == row.authority ?? row.host)
        #expect(head.minorVersion == row.minorVersion)
        #expect(head.framing == row.framing)
        #expect(head.isPersistent == row.isPersistent)
    }

    @Test(arguments: LegalRequest.table)
    func `every prefix of a legal request needs more, and the result does not depend on the cut`(_ row: LegalRequest) {
        let message = latin1(row.head)
        let whole = String(describing: parseRequest(message, .whole(message)).head)
        for length in 0..<message.count {
            let prefix = Array(message[..<length])
            #expect(parseRequest(prefix, .whole(prefix)).progress == .needMore, "prefix of \(length)")
            let cut = parseRequest(message, .cut(message, at: length))
            #expect(cut.progress == .complete, "cut at \(length)")
            #expect(String(describing: cut.head) == whole, "cut at \(length)")
        }
        #expect(String(describing: parseRequest(message, .byteByByte(message)).head) == whole)
    }

    @Test(arguments: LegalRequest.table)
    func `bytes behind the head are not looked at`(_ row: LegalRequest) {
        let message = latin1(row.head)
        let longer = message + [0, 0x0A, 0xFF]
        let (progress, head) = parseRequest(longer, .whole(longer))
        #expect(progress == .complete)
        #expect(head.length == message.count)
    }

    @Test(arguments: RefusedRequest.table)
    func `an illegal request is refused by name, however it arrives`(_ row: RefusedRequest) {
        let message = latin1(row.head)
        #expect(parseRequest(message, .whole(message)).progress == .refused(row.reason))
        #expect(parseRequest(message, .byteByByte(message)).progress == .refused(row.reason))
        for length in 0..<message.count {
            #expect(
                parseRequest(message, .cut(message, at: length)).progress == .refused(row.reason),
                "cut at \(length)"
            )
        }
    }

    @Test(arguments: LegalRequest.table)
    func `a corrupted byte gets the same verdict however it arrives`(_ row: LegalRequest) {
        let original = latin1(row.head)
        for position in original.indices {
            for nasty in nastyBytes {
                var message = original
                message[position] = nasty
                let whole = parseRequest(message, .whole(message))
                let split = parseRequest(message, .byteByByte(message))
                let cut = parseRequest(message, .cut(message, at: position))
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

    @Test func `random bytes never crash and get the same verdict however they arrive`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array(
            "GET / HTTP/1.1\r\n\r\nHost: aContent-Length: 5\r\nTransfer-Encoding: chunked\0\t\u{7F}".utf8
        )
        for _ in 0..<2000 {
            var message = bytes("GET / HTTP/1.1\r\nHost: a\r\n")
            let length = Int.random(in: 0...message.count, using: &generator)
            message.removeLast(message.count - length)
            for _ in 0..<40 { message.append(alphabet.randomElement(using: &generator) ?? 0) }
            let whole = parseRequest(message, .whole(message)).progress
            let cut = parseRequest(message, .random(message, using: &generator)).progress
            #expect(whole == cut, "seed \(seed): \(message)")
        }
    }

    @Test func `one parser and one head read request after request`() {
        var parser = RequestParser()
        var head = RequestHead()
        for row in LegalRequest.table {
            let message = latin1(row.head)
            parser.reset()
            expectEqual(parser.parse(message.span, into: &head), .complete)
            #expect(String(describing: head) == String(describing: parseRequest(message, .whole(message)).head))
        }
    }

    @Test func `a verdict stays until the parser is reset`() {
        var parser = RequestParser()
        var head = RequestHead()
        let good = bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let bad = bytes("GET / HTTP/9.1\r\nHost: a\r\n\r\n")
        expectEqual(parser.parse(bad.span, into: &head), .refused(.unsupportedVersion))
        expectEqual(parser.parse(bad.span, into: &head), .refused(.unsupportedVersion))
        parser.reset()
        expectEqual(parser.parse(good.span, into: &head), .complete)
        expectEqual(parser.parse(good.span, into: &head), .complete)
        #expect(head.fields.count == 1)
    }

    @Test func `a refused request still shows its method and target to the log`() {
        let (progress, head) = parseRequest("CONNECT a:443 HTTP/1.1\r\n")
        #expect(progress == .refused(.connectRefused))
        #expect(head.method == .connect)
        #expect(head.targetForm == .authority)
        #expect(head.targetRange == 8..<13)
    }

    @Test(arguments: RequestRefusal.allCases)
    func `every reason has a status and a sentence`(_ reason: RequestRefusal) {
        #expect([400, 405, 413, 414, 431, 501, 505].contains(reason.status))
        #expect(reason.explanation.hasSuffix("."))
    }
}

@Suite("Limits of heads", .tags(.wire))
struct HeadLimitTests {
    @Test func `a target at the limit passes and one byte more is refused before it ends`() {
        let limits = HeadLimits(maxTargetBytes: 10)
        #expect(parseRequest("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits).0 == .complete)
        #expect(parseRequest("GET /123456789", limits: limits).0 == .needMore)
        #expect(parseRequest("GET /1234567890", limits: limits).0 == .refused(.targetTooLong))
        #expect(parseRequest("GET /1234567890 HTTP/1.1\r\n", limits: limits).0 == .refused(.targetTooLong))
    }

    @Test func `a head at the limit passes and one byte more is refused before it ends`() {
        let message = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(parseRequest(message, limits: HeadLimits(maxHeadBytes: message.utf8.count)).0 == .complete)
        let limits = HeadLimits(maxHeadBytes: message.utf8.count - 1)
        #expect(parseRequest(message, limits: limits).0 == .refused(.headTooLarge))
        #expect(
            parseRequest(String(decoding: message.utf8.dropLast(), as: UTF8.self), limits: limits).0
                == .refused(.headTooLarge)
        )
        #expect(parseRequest("GET / HTTP/1.1\r\nHost: aaaaaaaaaaaaaa", limits: limits).0 == .refused(.headTooLarge))
    }

    @Test func `a target that fills the whole head is too long`() {
        let limits = HeadLimits(maxHeadBytes: 16)
        #expect(parseRequest("GET /345678901234567", limits: limits).0 == .refused(.targetTooLong))
    }

    @Test func `one field line too many is refused`() {
        let limits = HeadLimits(maxFieldCount: 2)
        #expect(parseRequest("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\n\r\n", limits: limits).0 == .complete)
        #expect(
            parseRequest("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n", limits: limits).0 == .refused(.tooManyFields)
        )
    }

    @Test func `a limit is hit at the same byte however the bytes arrive`() {
        let limits = HeadLimits(maxHeadBytes: 40, maxFieldCount: 2, maxTargetBytes: 8)
        for row in LegalRequest.table {
            let message = latin1(row.head)
            let whole = parseRequest(message, .whole(message), limits: limits)
            let split = parseRequest(message, .byteByByte(message), limits: limits)
            #expect(whole.progress == split.progress, "\(row.label)")
        }
    }

    @Test func `sixty-five connection options are too many`() {
        let options = String(repeating: "x,", count: 64)
        #expect(parseRequest("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(options)\r\n\r\n").0 == .complete)
        #expect(
            parseRequest("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(options)\r\nConnection: y\r\n\r\n").0
                == .refused(.tooManyConnectionOptions)
        )
    }
}

@Suite("What a request asks for", .tags(.wire))
struct RequestMeaningTests {
    private func head(_ fields: String, version: String = "HTTP/1.1") -> RequestHead {
        let (progress, head) = parseRequest("GET / \(version)\r\nHost: a\r\n\(fields)\r\n\r\n")
        #expect(progress == .complete)
        return head
    }

    @Test func `100-continue is expected on HTTP 1-1 only`() {
        #expect(head("Expect: 100-Continue").expectsContinue)
        #expect(!head("Expect: 200-ok").expectsContinue)
        #expect(!head("Expect: 100-continue", version: "HTTP/1.0").expectsContinue)
    }

    @Test func `trailers are accepted if TE names them`() {
        #expect(head("TE: trailers").acceptsTrailers)
        #expect(head("TE: gzip;q=0.5, Trailers").acceptsTrailers)
        #expect(head("TE: gzip\r\nTE: trailers").acceptsTrailers)
        #expect(!head("TE: gzip").acceptsTrailers)
        #expect(!head("Trailer: X").acceptsTrailers)
    }

    @Test func `an upgrade needs the field, the option and HTTP 1-1`() {
        #expect(head("Connection: keep-alive, Upgrade\r\nUpgrade: websocket").wantsUpgrade)
        #expect(!head("Upgrade: websocket").wantsUpgrade)
        #expect(!head("Connection: upgrade").wantsUpgrade)
        #expect(!head("Connection: upgrade\r\nUpgrade: websocket", version: "HTTP/1.0").wantsUpgrade)
    }

    @Test func `Max-Forwards is a number or nothing`() {
        #expect(head("Max-Forwards: 10").maxForwards == 10)
        #expect(head("Max-Forwards: -1").maxForwards == nil)
        #expect(head("Max-Forwards: 1x").maxForwards == nil)
        #expect(head("X: 1").maxForwards == nil)
    }

    @Test func `safe methods are idempotent and unknown ones neither`() {
        for method in Method.allCases where method.isSafe { #expect(method.isIdempotent) }
        #expect(Method.allCases.filter(\.isSafe) == [.get, .head, .options, .trace, .query])
        #expect(Method.allCases.filter { !$0.isIdempotent } == [.post, .patch, .connect, .other])
    }

    @Test(arguments: Method.allCases.filter { $0 != .other && $0 != .connect })
    func `every method is recognised as it is spelled`(_ method: Method) {
        #expect(parseRequest("\(method.spelling) / HTTP/1.1\r\nHost: a\r\n\r\n").1.method == method)
        #expect(parseRequest("\(method.spelling)X / HTTP/1.1\r\nHost: a\r\n\r\n").1.method == .other)
    }
}
