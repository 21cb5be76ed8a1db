// Client addresses: from the kernel's form to text.

import Glibc
import Testing

@testable import Front

extension PeerAddress {
    /// An address as `accept` gives it.
    static func ipv4(_ text: String, port: UInt16) -> PeerAddress {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            #expect(inet_pton(AF_INET, text, &address.sin_addr) == 1)
            bytes.storeBytes(of: address, as: sockaddr_in.self)
        }
        return PeerAddress(storage)
    }

    static func ipv6(_ text: String, port: UInt16) -> PeerAddress {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            #expect(inet_pton(AF_INET6, text, &address.sin6_addr) == 1)
            bytes.storeBytes(of: address, as: sockaddr_in6.self)
        }
        return PeerAddress(storage)
    }

    private func text(_ write: (UnsafeMutableRawBufferPointer) -> Int) -> String {
        withUnsafeTemporaryAllocation(byteCount: PeerAddress.maximumTextLength, alignment: 1) { target in
            let length = write(target)
            return String(decoding: target[..<length], as: UTF8.self)
        }
    }

    var hostText: String { text { writeHost(to: $0) } }
    var fullText: String { text { write(to: $0) } }
}

@Suite("Peer address")
struct PeerAddressTests {
    @Test(
        arguments: [
            ("0.0.0.0", 0, "0.0.0.0"), ("1.2.3.4", 9, "1.2.3.4:9"), ("10.0.0.99", 10, "10.0.0.99:10"),
            ("192.0.2.100", 999, "192.0.2.100:999"), ("255.255.255.255", 65_535, "255.255.255.255:65535"),
            ("127.0.0.1", 8080, "127.0.0.1:8080"),
        ] as [(String, UInt16, String)]
    )
    func `IPv4`(host: String, port: UInt16, full: String) {
        let peer = PeerAddress.ipv4(host, port: port)
        #expect(peer.family == .ipv4)
        #expect(peer.port == port)
        #expect(peer.hostText == host)
        #expect(peer.fullText == full)
    }

    @Test func `each octet is written in its digits`() {
        for octet in 0...255 {
            let host = "\(octet).\(255 - octet).\(octet).\(octet / 3)"
            #expect(PeerAddress.ipv4(host, port: 0).hostText == host)
        }
    }

    @Test(
        arguments: [
            ("::", 1, "[::]:1"), ("::1", 80, "[::1]:80"), ("2001:db8::17", 443, "[2001:db8::17]:443"),
            (
                "1111:2222:3333:4444:5555:6666:7777:8888", 65_535, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535"
            ),
            ("fe80::1:0:0:1", 1, "[fe80::1:0:0:1]:1"),
        ] as [(String, UInt16, String)]
    )
    func `IPv6`(host: String, port: UInt16, full: String) {
        let peer = PeerAddress.ipv6(host, port: port)
        #expect(peer.family == .ipv6)
        #expect(peer.port == port)
        #expect(peer.hostText == host)
        #expect(peer.fullText == full)
        #expect(full.utf8.count <= PeerAddress.maximumTextLength)
    }

    @Test func `an IPv4 client of an IPv6 listener counts as IPv4`() {
        let peer = PeerAddress.ipv6("::ffff:192.0.2.7", port: 4711)
        #expect(peer.family == .ipv4)
        #expect(peer.fullText == "192.0.2.7:4711")
        #expect(peer == PeerAddress.ipv4("192.0.2.7", port: 4711))
    }

    @Test func `addresses that look nearly mapped stay IPv6`() {
        for host in ["::fffe:c000:207", "::ffff:0:c000:207", "1::ffff:c000:207"] {
            #expect(PeerAddress.ipv6(host, port: 1).family == .ipv6)
        }
    }

    @Test func `a Unix-domain peer has no address`() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        let peer = PeerAddress(storage)
        #expect(peer.family == .unix)
        #expect(peer.hostText == "unix")
        #expect(peer.fullText == "unix")
    }
}
