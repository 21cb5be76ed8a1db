// Who is trusted: addresses as text, prefixes, and the list that is looked up.

import Glibc
import TestSupport
import Testing

@testable import Front

extension PeerAddress {
    /// An address as `X-Forwarded-For` has it.
    static func text(_ text: String) -> PeerAddress? {
        Array(text.utf8).withUnsafeBytes { PeerAddress(text: $0) }
    }
}

@Suite("Addresses as text")
struct AddressTextTests {
    @Test(
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:80", "192.0.2.1:80"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255:65535", "255.255.255.255:65535"), ("2001:db8::1", "2001:db8::1"), ("::", "::"),
            ("2001:DB8:0:0::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"), ("[::ffff:192.0.2.1]:8", "192.0.2.1:8"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
            ("1111:2222:3333:4444:5555:6666:123.123.123.123", "1111:2222:3333:4444:5555:6666:7b7b:7b7b"),
        ] as [(String, String)]
    )
    func `an address is read, with a port and without`(text: String, expected: String) {
        #expect(PeerAddress.text(text)?.fullText == expected)
    }

    @Test(arguments: [
        "", " ", "a", "unknown", "_hidden", "localhost", "192.0.2", "192.0.2.1.1", "192.0.2.256", "192.0.2.-1",
        "192.0.2.1 ",
        " 192.0.2.1", "192.0.2.01", "0xC0000201", "3221225985", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:999999",
        "192.0.2.1:80a", "192.0.2.1:+8", ":80", "192.0.2.1:80:80", "[192.0.2.1]", "[192.0.2.1]:80", "[::1", "::1]",
        "[]",
        "[::1]80", "[::1]:", "[::1]:x", "[[::1]]", "fe80::1%eth0", "[fe80::1%25eth0]", ":::", "1::2::3", "12345::",
        "::g",
        "\"192.0.2.1\"", "for=192.0.2.1", "192.0.2.1/8", "192.0.2.1\u{0}", "192.0.2.1\u{0}.5", "::1\u{0}",
        "\u{FF11}92.0.2.1",
        String(repeating: "1", count: 46), String(repeating: ":", count: 64 * 1024),
        String(repeating: "[", count: 1000),
    ])
    func `what is no address is none`(text: String) {
        #expect(PeerAddress.text(text) == nil)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `an address that is written is read back`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let low = UInt128(generator.next())
            let isLong = generator.once(in: 2)
            // With few bits set, so that there are runs of zeros to be left out.
            let number =
                isLong ? UInt128(generator.next() & generator.next() & generator.next()) << 64 | low : low & 0xFFFF_FFFF
            let address = PeerAddress(family: isLong ? .ipv6 : .ipv4, number: number)
            #expect(address.number == number, "seed \(seed)")
            #expect(PeerAddress.text(address.hostText) == address, "seed \(seed): \(address.hostText)")
            #expect(PeerAddress(host: address.host) == address, "seed \(seed): \(address.host)")
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `no bytes do any harm`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789abcdefF.:[]%/,- \u{0}x".utf8)
        for _ in 0..<5000 {
            let bytes = (0..<generator.number(in: 0...48)).map { _ in
                alphabet[generator.number(in: 0...alphabet.count - 1)]
            }
            guard let address = bytes.withUnsafeBytes({ PeerAddress(text: $0) }) else { continue }
            #expect(PeerAddress.text(address.fullText) == address, "seed \(seed): \(bytes)")
        }
    }
}

@Suite("Trusted peers")
struct TrustedPeersTests {
    private func prefix(_ text: String) throws -> AddressPrefix {
        let parts = text.split(separator: "/").map(String.init)
        let address = try #require(PeerAddress(host: parts[0]))
        let length = parts.count == 2 ? Int(parts[1]) : AddressPrefix.bits(of: address.family)
        return try #require(AddressPrefix(address, length: length ?? -1))
    }

    private func peers(_ prefixes: String..., unix: Bool = false) throws -> TrustedPeers {
        TrustedPeers(try prefixes.map(prefix), includesUnix: unix)
    }

    @Test(
        arguments: [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:0", "a00::"]),
            ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8", "0.0.0.0", "255.255.255.255"]),
            ("192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "127.0.0.1"], ["::", "::1"]),
            ("128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255"]),
            (
                "2001:db8::/32", ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
                ["2001:db7:ffff::", "2001:db9::"]
            ),
            ("2001:db8::8000:0:0:0/65", ["2001:db8::8000:0:0:0"], ["2001:db8::7fff:ffff:ffff:ffff", "2001:db8:0:1::"]),
            ("::1", ["::1"], ["::", "::2", "127.0.0.1", "0.0.0.1"]),
            ("::/0", ["::", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], ["0.0.0.0", "127.0.0.1"]),
        ] as [(String, [String], [String])]
    )
    func `a prefix ends where it ends`(prefix: String, inside: [String], outside: [String]) throws {
        let peers = try peers(prefix)
        for text in inside { #expect(peers.contains(try #require(PeerAddress(host: text))), "\(text)") }
        for text in outside { #expect(!peers.contains(try #require(PeerAddress(host: text))), "\(text)") }
        #expect(!peers.isEmpty && !peers.contains(PeerAddress(family: .unix, number: 0)))
    }

    @Test func `an IPv4 client of an IPv6 listener is found among IPv4 prefixes`() throws {
        #expect(try peers("192.0.2.0/24").contains(.ipv6("::ffff:192.0.2.7", port: 1)))
        #expect(try !peers("::/0").contains(.ipv6("::ffff:192.0.2.7", port: 1)))
    }

    @Test func `the port says nothing`() throws {
        #expect(try peers("192.0.2.7").contains(.ipv4("192.0.2.7", port: 4711)))
    }

    @Test func `a Unix-domain peer is trusted by its word alone`() throws {
        let unix = PeerAddress(family: .unix, number: 0)
        #expect(try peers(unix: true).contains(unix))
        #expect(try !peers(unix: true).isEmpty)
        #expect(try !peers("0.0.0.0/0", "::/0").contains(unix))
        #expect(TrustedPeers().isEmpty && !TrustedPeers().contains(unix))
    }

    @Test func `a length that is none for its family makes no prefix`() throws {
        let short = try #require(PeerAddress(host: "192.0.2.7"))
        let long = try #require(PeerAddress(host: "::1"))
        for length in [-1, 33, 128] { #expect(AddressPrefix(short, length: length) == nil) }
        for length in [-1, 129] { #expect(AddressPrefix(long, length: length) == nil) }
        #expect(AddressPrefix(PeerAddress(family: .unix, number: 0), length: 0) == nil)
        #expect(AddressPrefix(short, length: 8)?.description == "192.0.0.0/8")
        #expect(AddressPrefix(short, length: 32)?.description == "192.0.2.7")
        #expect(AddressPrefix(long, length: 0)?.description == "::/0")
    }

    @Test(arguments: SeededGenerator.seeds)
    func `many prefixes, one within the other, hold what each of them holds`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        // Few different addresses, so that prefixes meet.
        func address() -> PeerAddress {
            PeerAddress(family: .ipv4, number: UInt128(generator.next() & 0x0303_0303))
        }
        for _ in 0..<50 {
            let prefixes = (0..<generator.number(in: 0...12)).compactMap { _ in
                AddressPrefix(address(), length: generator.number(in: 4...32))
            }
            let peers = TrustedPeers(prefixes)
            for _ in 0..<100 {
                let peer = address()
                let isHeld = prefixes.contains { prefix in
                    let shift = UInt128(32 - prefix.length)
                    return peer.number >> shift == prefix.address.number >> shift
                }
                #expect(peers.contains(peer) == isHeld, "seed \(seed): \(peer.host) in \(prefixes)")
            }
        }
    }
}
