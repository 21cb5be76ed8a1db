// The head that goes upstream, from the head that came.

import Front
import Glibc
import HTTPWire
import Telemetry
import TestSupport
import Testing

@testable import EventLoop
@testable import Forwarding
@testable import Front

@Suite("Upstream request heads")
struct UpstreamRequestTests {
    static let peer: PeerAddress = {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0xC000_0207).bigEndian
            bytes.storeBytes(of: address, as: sockaddr_in.self)
        }
        return PeerAddress(storage)
    }()

    private func written(
        _ request: String,
        newID: String? = nil,
        isUpgradeAsked: Bool = false,
        hostField: String? = nil,
        peer: PeerAddress = peer,
        isPeerTrusted: Bool = false,
        addsForwarded: Bool = false,
        traceContext: TraceContext? = nil,
        beginsTrace: Bool = false
    ) throws -> String {
        let reader = try reader(of: request)
        let buffer = Buffer(capacity: 1 << 18)
        Array((newID ?? "").utf8).withUnsafeBytes { requestID in
            UpstreamRequest(
                reader: reader,
                peer: peer,
                isPeerTrusted: isPeerTrusted,
                addsForwarded: addsForwarded,
                requestID: requestID,
                isRequestIDNew: newID != nil,
                isUpgradeAsked: isUpgradeAsked,
                proxyName: "lb-1",
                defaultHost: "default.example",
                hostField: hostField,
                traceContext: traceContext,
                beginsTrace: beginsTrace
            ).write(to: buffer)
        }
        return buffer.text
    }

    @Test func `a trace goes on as it came, is continued, or begins anew without the state of another`() throws {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let request = "GET / HTTP/1.1\r\nHost: x\r\nTraceParent: \(trace)\r\ntracestate: a=b\r\nTRACESTATE: c=d\r\n\r\n"
        let added = Self.added("x")
        #expect(
            try written(request)
                == "GET / HTTP/1.1\r\nHost: x\r\nTraceParent: \(trace)\r\ntracestate: a=b\r\nTRACESTATE: c=d\r\n\(added)\r\n"
        )
        let context = TraceContext(traceHigh: 1, traceLow: 2, parent: 3, flags: 0)
        let other = "00-00000000000000010000000000000002-0000000000000003-00"
        #expect(
            try written(request, traceContext: context)
                == "GET / HTTP/1.1\r\nHost: x\r\ntracestate: a=b\r\nTRACESTATE: c=d\r\n\(added)traceparent: \(other)\r\n\r\n"
        )
        #expect(
            try written(request, traceContext: context, beginsTrace: true)
                == "GET / HTTP/1.1\r\nHost: x\r\n\(added)traceparent: \(other)\r\n\r\n"
        )
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let expected: String

        init(_ label: String, _ request: String, _ expected: String) {
            testDescription = label
            self.request = request
            self.expected = expected
        }
    }

    /// What is added to every request for a host.
    private static func added(_ host: String?, minorVersion: Int = 1) -> String {
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
            + (host.map { "X-Forwarded-Host: \($0)\r\n" } ?? "") + "Via: 1.\(minorVersion) lb-1\r\n"
    }

    static let table: [Row] = [
        Row(
            "nothing to change",
            "GET /a?b=c HTTP/1.1\r\nHost: x:81\r\nAccept: */*\r\nX-Same: 1\r\nX-Same: 2\r\n\r\n",
            "GET /a?b=c HTTP/1.1\r\nHost: x:81\r\nAccept: */*\r\nX-Same: 1\r\nX-Same: 2\r\n\(added("x:81"))\r\n"
        ),
        Row(
            "hop-by-hop fields stay behind",
            """
            GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade, x-mine\r\nKeep-Alive: timeout=5\r\n\
            Upgrade: h2c\r\nX-Mine: 1\r\nTE: gzip\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\n\
            HTTP2-Settings: x\r\nX-Yours: 2\r\n\r\n
            """,
            "GET / HTTP/1.1\r\nHost: x\r\nX-Yours: 2\r\n\(added("x"))\r\n"
        ),
        Row(
            "a client that takes trailers gets them, by a TE of our own",
            "GET / HTTP/1.1\r\nHost: x\r\nTE: gzip;q=0.5, trailers\r\nConnection: te\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\(added("x"))Connection: TE\r\nTE: trailers\r\n\r\n"
        ),
        Row(
            "Host and our own fields cannot be named away",
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: host, via, x-forwarded-for, x-forwarded-proto\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\(added("x"))\r\n"
        ),
        Row(
            "what the client claims about its way is not believed",
            """
            GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: x\r\nx-forwarded-proto: https\r\n\
            X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /a\r\nX_Forwarded_For: 3.3.3.3\r\nForwarded: for=1.1.1.1\r\nX-FORWARDED-FOR: 2.2.2.2\r\n\r\n
            """,
            "GET / HTTP/1.1\r\nHost: x\r\n\(added("x"))\r\n"
        ),
        Row(
            "Via is added behind that of other proxies",
            "GET / HTTP/1.1\r\nHost: x\r\nVia: 1.0 before\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nVia: 1.0 before\r\n\(added("x"))\r\n"
        ),
        Row(
            "a length is said anew",
            "POST / HTTP/1.1\r\nContent-Length: 0042\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\n\(added("x"))Content-Length: 42\r\n\r\n"
        ),
        Row(
            "a length of nothing is said too",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\n\(added("x"))Content-Length: 0\r\n\r\n"
        ),
        Row(
            "a length cannot be named away",
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\nContent-Length: 42\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\n\(added("x"))Content-Length: 42\r\n\r\n"
        ),
        Row(
            "chunks are said anew",
            """
            POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: ChunKed\r\nTrailer: A\r\n\
            Connection: transfer-encoding\r\n\r\n
            """,
            "POST / HTTP/1.1\r\nHost: x\r\nTrailer: A\r\n\(added("x"))Transfer-Encoding: chunked\r\n\r\n"
        ),
        Row(
            "an absolute target's authority takes the place of Host",
            "GET http://real:81/p?q HTTP/1.1\r\nA: b\r\nHost: other\r\n\r\n",
            "GET /p?q HTTP/1.1\r\nHost: real:81\r\nA: b\r\n\(added("real:81"))\r\n"
        ),
        Row(
            "an absolute target without a path",
            "GET http://real HTTP/1.1\r\nHost: real\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: real\r\n\(added("real"))\r\n"
        ),
        Row(
            "an absolute target with nothing but a query",
            "GET http://real?q=1 HTTP/1.1\r\nHost: real\r\n\r\n",
            "GET /?q=1 HTTP/1.1\r\nHost: real\r\n\(added("real"))\r\n"
        ),
        Row(
            "an absolute target of OPTIONS without a path is the asterisk",
            "OPTIONS http://real HTTP/1.1\r\nHost: real\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: real\r\n\(added("real"))\r\n"
        ),
        Row(
            "the asterisk",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\(added("x"))\r\n"
        ),
        Row(
            "HTTP/1.0 without Host",
            "GET / HTTP/1.0\r\nA: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: default.example\r\nA: b\r\n\(added(nil, minorVersion: 0))\r\n"
        ),
        Row(
            "HTTP/1.0 with Host",
            "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\(added("x", minorVersion: 0))\r\n"
        ),
        Row(
            "an empty Host",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\(added(nil))\r\n"
        ),
        Row(
            "Expect: 100-continue goes on",
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\(added("x"))Content-Length: 1\r\n\r\n"
        ),
        Row(
            "any other expectation does too",
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\(added("x"))Content-Length: 1\r\n\r\n"
        ),
        Row(
            "an expectation of HTTP/1.0 does not",
            "POST / HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\n\(added("x", minorVersion: 0))Content-Length: 1\r\n\r\n"
        ),
        Row(
            "a method of its own, behind an empty line",
            "\r\nPURGE /a HTTP/1.1\r\nHost: x\r\n\r\n",
            "PURGE /a HTTP/1.1\r\nHost: x\r\n\(added("x"))\r\n"
        ),
        Row(
            "white space and bytes beyond ASCII go on as they are",
            "GET / HTTP/1.1\r\nHost:x\r\nA: \t b  c \r\nB: \u{E9}\r\nC:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:x\r\nA: \t b  c \r\nB: \u{E9}\r\nC:\r\n\(added("x"))\r\n"
        ),
        Row(
            "the client's identifier, credentials and cookies go on",
            "GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: abc\r\nAuthorization: Basic x\r\nCookie: a=b\r\n\r\n",
            """
            GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: abc\r\nAuthorization: Basic x\r\nCookie: a=b\r\n\
            \(added("x"))\r\n
            """
        ),
    ]

    @Test(arguments: table)
    func `a head goes on as its row says`(_ row: Row) throws {
        #expect(try written(row.request) == row.expected)
    }

    @Test func `an upgrade goes on if it is asked for, with nothing else that Connection named`() throws {
        let request = """
            GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, x-mine\r\nUpgrade: websocket\r\nX-Mine: 1\r\n\
            Sec-WebSocket-Key: k\r\n\r\n
            """
        let start = "GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: k\r\n\(Self.added("x"))"
        #expect(try written(request) == start + "\r\n")
        let sent = try reader(of: try written(request, isUpgradeAsked: true))
        #expect(sent.head.wantsUpgrade)
        #expect(sent.head.fields.lines.map { sent.text($0.nameRange) }.sorted() == Self.upgradeNames)
    }

    private static let upgradeNames = [
        "Connection", "Host", "Sec-WebSocket-Key", "Upgrade", "Via", "X-Forwarded-For", "X-Forwarded-Host",
        "X-Forwarded-Proto",
    ]

    @Test func `a new identifier takes the place of one that cannot be used`() throws {
        let request = "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: not plain\r\nX-Request-Id: twice\r\n\r\n"
        let sent = try reader(of: try written(request, newID: "0123"))
        let values = sent.head.fields.lines.filter { $0.name == .xRequestID }.map { sent.text($0.valueRange) }
        #expect(values == ["0123"])
    }

    @Test func `a new identifier is added`() throws {
        #expect(
            try written("GET / HTTP/1.1\r\nHost: x\r\n\r\n", newID: "0123") == """
                GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n\
                X-Forwarded-Host: x\r\nX-Request-Id: 0123\r\nVia: 1.1 lb-1\r\n\r\n
                """
        )
    }

    @Test(arguments: table)
    func `what is written is a request of the same meaning that a strict parser takes`(_ row: Row) throws {
        let received = try reader(of: row.request)
        let sent = try reader(of: try written(row.request))
        #expect(sent.head.method == received.head.method)
        #expect(sent.head.framing == received.head.framing)
        #expect(sent.head.minorVersion == 1)
        #expect(sent.head.length == sent.received.count)
        #expect(sent.head.acceptsTrailers == received.head.acceptsTrailers)
        let own: [FieldName] = [.transferEncoding, .connection, .te]
        #expect(!sent.head.fields.lines.contains { $0.isHopByHop && !own.contains($0.name) })
    }

    @Test(arguments: SeededGenerator.seeds)
    func `of random fields each goes on or stays, and none changes`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let forgotten = [
            "Keep-Alive: 5", "Proxy-Connection: x", "TE: gzip", "Upgrade: x", "X-Forwarded-For: 9", "X-Real-IP: 9",
            "Forwarded: for=9", "X_Real_IP: 9", "Connection: close", "X-Forwarded-Port: 9", "Proxy-Authorization: x",
        ]
        for _ in 0..<100 {
            var lines: [(text: String, goesOn: Bool)] = []
            for number in 0..<generator.number(in: 0...30) {
                if generator.once(in: 2) {
                    lines.append(("X-\(number): \(generator.number(in: 0...99_999))\r\n", true))
                } else {
                    lines.append(("\(forgotten[generator.number(in: 0...(forgotten.count - 1))])\r\n", false))
                }
            }
            let request = "GET / HTTP/1.1\r\nHost: x\r\n\(lines.map(\.text).joined())\r\n"
            let kept = lines.filter(\.goesOn).map(\.text).joined()
            #expect(try written(request) == "GET / HTTP/1.1\r\nHost: x\r\n\(kept)\(Self.added("x"))\r\n")
        }
    }

    @Test(
        "a backend's own Host, whatever the client has sent; who it asked for stands in X-Forwarded-Host",
        arguments: [
            (
                "GET / HTTP/1.1\r\nA: b\r\nHost: x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: own:81\r\nA: b\r\n\(added("x"))\r\n"
            ),
            ("GET http://y/z HTTP/1.1\r\nHost: x\r\n\r\n", "GET /z HTTP/1.1\r\nHost: own:81\r\n\(added("y"))\r\n"),
            (
                "GET / HTTP/1.0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: own:81\r\n\(added(nil, minorVersion: 0))\r\n"
            ),
        ]
    )
    func ownHost(request: String, expected: String) throws {
        #expect(try written(request, hostField: "own:81") == expected)
    }

    // MARK: Behind a proxy that is trusted

    /// Field lines that a proxy sends, and those that go on.
    static let trustedTable: [(sent: [String], goesOn: [String])] = [
        ([], ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: x"]),
        (
            ["X-Forwarded-For: 1.1.1.1"],
            ["X-Forwarded-For: 1.1.1.1, 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: x"]
        ),
        (
            ["X-Forwarded-For: 1.1.1.1,2.2.2.2", "A: b", "x-forwarded-for:  3.3.3.3 ", "X-Forwarded-For:"],
            [
                "A: b", "X-Forwarded-For: 1.1.1.1,2.2.2.2, 3.3.3.3, 192.0.2.7", "X-Forwarded-Proto: http",
                "X-Forwarded-Host: x",
            ]
        ),
        (
            ["X-Forwarded-Proto: https", "X-Forwarded-Host: www", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /a"],
            [
                "X-Forwarded-Proto: https", "X-Forwarded-Host: www", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /a",
                "X-Forwarded-For: 192.0.2.7",
            ]
        ),
        // What the proxy may have let through from its client.
        (
            [
                "X_Forwarded_For: 3.3.3.3", "X-Forwarded_Proto: https", "X_Forwarded-Prefix: /", "X-Real-IP: 3.3.3.3",
                "X_Real_IP: 3.3.3.3", "Forwarded: for=3.3.3.3",
            ],
            ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: x"]
        ),
        (
            [
                "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Prefix", "X-Forwarded-For: 1.1.1.1",
                "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /a",
            ],
            [
                "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /a", "X-Forwarded-For: 1.1.1.1, 192.0.2.7",
                "X-Forwarded-Host: x",
            ]
        ),
        (
            ["X-Forwarded-For: what, is, this"],
            ["X-Forwarded-For: what, is, this, 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: x"]
        ),
    ]

    @Test(arguments: trustedTable.indices)
    func `what a trusted proxy says goes on, with its address behind`(index: Int) throws {
        let row = Self.trustedTable[index]
        let request = (["GET / HTTP/1.1", "Host: x"] + row.sent).joined(separator: "\r\n") + "\r\n\r\n"
        let expected = (["GET / HTTP/1.1", "Host: x"] + row.goesOn + ["Via: 1.1 lb-1"]).joined(separator: "\r\n")
        #expect(try written(request, isPeerTrusted: true) == "\(expected)\r\n\r\n")
    }

    @Test func `a proxy at a Unix-domain socket has no address to add`() throws {
        let request = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n"
        #expect(try written(request, peer: .unix, isPeerTrusted: true).contains("\r\nX-Forwarded-For: 1.1.1.1\r\n"))
        #expect(try written(request, peer: .unix).contains("\r\nX-Forwarded-For: unix\r\n"))
        let bare = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        #expect(try written(bare, peer: .unix, isPeerTrusted: true).contains("\r\nX-Forwarded-For: unix\r\n"))
    }

    @Test(
        arguments: [
            ("Host: x", .peer, false, "for=192.0.2.7;host=\"x\";proto=http"),
            ("Host: x:81", .ipv6, false, "for=\"[2001:db8::1]\";host=\"x:81\";proto=http"),
            ("Host:", .unix, false, "for=unknown;proto=http"),
            ("Host: x\r\nForwarded: for=1.1.1.1", .peer, false, "for=192.0.2.7;host=\"x\";proto=http"),
            (
                "Host: x\r\nForwarded: for=1.1.1.1\r\nForwarded: for=_a;by=b", .peer, true,
                "for=1.1.1.1, for=_a;by=b, for=192.0.2.7;host=\"x\";proto=http"
            ),
            (
                "Host: \(String(repeating: "a", count: 262))", .peer, false, "for=192.0.2.7;proto=http"
            ),
        ] as [(String, Peer, Bool, String)]
    )
    func `Forwarded says the same in one field`(lines: String, peer: Peer, isTrusted: Bool, expected: String) throws {
        let address: PeerAddress =
            switch peer {
            case .peer: Self.peer
            case .ipv6: .host("2001:db8::1")
            case .unix: .unix
            }
        let request = "GET / HTTP/1.1\r\n\(lines)\r\n\r\n"
        let written = try written(request, peer: address, isPeerTrusted: isTrusted, addsForwarded: true)
        let sent = try reader(of: written)
        let values = sent.head.fields.lines.filter { $0.name == .forwarded }.map { sent.text($0.valueRange) }
        #expect(values == [expected])
    }

    enum Peer: Sendable { case peer, ipv6, unix }

    @Test func `the addition is no larger than it says`() throws {
        let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        let context = TraceContext(traceHigh: 1, traceLow: 2, parent: 3, flags: 0)
        let longest = try written(
            request,
            newID: String(repeating: "i", count: 128),
            addsForwarded: true,
            traceContext: context
        )
        let addition = longest.utf8.count - request.utf8.count
        let limit = UpstreamRequest.maximumAddition - UpstreamRequest.maximumHost
        #expect(addition < limit / 2, "with room for a name of our own")
        let host = String(repeating: "h", count: 253) + ":65535"
        let other = try written(request, newID: String(repeating: "i", count: 128), hostField: host).utf8.count
        #expect(other - request.utf8.count < addition + UpstreamRequest.maximumHost)
    }
}
