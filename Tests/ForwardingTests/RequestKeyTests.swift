// What of a request is hashed, and when there is nothing to hash.

import Balancing
import Glibc
import Testing

@testable import Forwarding
@testable import Front

extension PeerAddress {
    /// A client's address for tests.
    static func ipv4(_ text: String, port: UInt16 = 1) -> PeerAddress {
        var storage = sockaddr_storage()
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                address.pointee.sin_family = sa_family_t(AF_INET)
                address.pointee.sin_port = port.bigEndian
                inet_pton(AF_INET, text, &address.pointee.sin_addr)
            }
        }
        return PeerAddress(storage)
    }

    /// The peer of a Unix-domain socket.
    static var unix: PeerAddress {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        return PeerAddress(storage)
    }
}

@Suite("Request key")
struct RequestKeyTests {
    private func hash(
        _ key: HashKey,
        _ lines: String,
        target: String = "/",
        peer: PeerAddress = .unix
    ) throws -> UInt64? {
        try reader(of: "GET \(target) HTTP/1.1\r\nHost: x\r\n\(lines)\r\n").hash(of: key, peer: peer)
    }

    private func hash(of text: String) -> UInt64 {
        let bytes = Array(text.utf8)
        return KeyHash.of(bytes.span)
    }

    @Test func `a client's address counts without its port`() throws {
        let key = HashKey.clientAddress
        #expect(try hash(key, "", peer: .ipv4("203.0.113.7", port: 1)) == hash(of: "203.0.113.7"))
        #expect(try hash(key, "", peer: .ipv4("203.0.113.7", port: 2)) == hash(of: "203.0.113.7"))
        #expect(try hash(key, "", peer: .unix) == nil)
    }

    @Test(arguments: [("/a?b=c", "/a?b=c"), ("http://x/a?b", "/a?b"), ("/", "/")])
    func `path and query count, whatever the target's form`(target: String, expected: String) throws {
        #expect(try hash(.uri, "", target: target) == hash(of: expected))
    }

    @Test(
        arguments: [
            ("X-User: joe\r\n", "joe"), ("x-uSER:  joe \r\n", "joe"), ("X-User: joe\r\nX-User: ann\r\n", "joe"),
            ("X-User:\r\n", ""), ("X-Users: ann\r\n", nil), ("", nil),
        ] as [(String, String?)]
    )
    func `the first field of the name counts, whatever its case`(lines: String, expected: String?) throws {
        #expect(try hash(.header("X-User"), lines) == expected.map(hash(of:)))
    }

    @Test(
        arguments: [
            ("Cookie: sid=1\r\n", "1"), ("Cookie: a=b; sid=1; c=d\r\n", "1"), ("Cookie: a=b;sid=1\r\n", "1"),
            ("Cookie: a=b\r\nCookie: sid=1\r\n", "1"), ("Cookie: sid=1; sid=2\r\n", "1"), ("Cookie: sid=\r\n", ""),
            ("Cookie: sid=a=b\r\n", "a=b"), ("Cookie: ;; sid=1;\r\n", "1"), ("Cookie: xsid=1; sid2=1; SID=1\r\n", nil),
            ("Cookie: sid\r\n", nil), ("Cookie:\r\n", nil), ("X: sid=1\r\n", nil),
        ] as [(String, String?)]
    )
    func `the first cookie of the name counts`(lines: String, expected: String?) throws {
        #expect(try hash(.cookie("sid"), lines) == expected.map(hash(of:)))
    }
}
