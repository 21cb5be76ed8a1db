// Who the client is behind trusted proxies, whatever it says itself.

import Testing

@testable import Forwarding
@testable import Front

extension PeerAddress {
    /// A trusted proxy's or a client's address.
    static func host(_ text: String) -> PeerAddress {
        guard let address = PeerAddress(host: text) else { preconditionFailure("no address: \(text)") }
        return address
    }
}

extension TrustedPeers {
    /// 10.0.0.0/8, 2001:db8::/32 and Unix-domain peers.
    static let tests: TrustedPeers = {
        let prefixes = [("10.0.0.0", 8), ("2001:db8::", 32)].compactMap { AddressPrefix(.host($0), length: $1) }
        precondition(prefixes.count == 2)
        return TrustedPeers(prefixes, includesUnix: true)
    }()
}

@Suite("Clients behind proxies")
struct ForwardedForTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let lines: [String]
        let client: String
        let isTrusted: Bool

        init(_ label: String, _ lines: [String], _ client: String, isTrusted: Bool = false) {
            testDescription = label
            self.lines = lines
            self.client = client
            self.isTrusted = isTrusted
        }

        init(_ label: String, _ value: String, _ client: String, isTrusted: Bool = false) {
            self.init(label, ["X-Forwarded-For: \(value)"], client, isTrusted: isTrusted)
        }
    }

    /// What the peer 10.9.9.9 says, and who is then taken for the client.
    static let table: [Row] = [
        Row("nothing", [], "10.9.9.9", isTrusted: true),
        Row("one client", "192.0.2.1", "192.0.2.1"),
        Row("a client's invention on the left", "1.1.1.1, 192.0.2.1", "192.0.2.1"),
        Row("an invention that looks like a proxy of ours", "10.0.0.1, 192.0.2.1", "192.0.2.1"),
        Row("loopback as an invention", "127.0.0.1, 192.0.2.1", "192.0.2.1"),
        Row("a row of proxies", "192.0.2.1, 10.0.0.1, 10.0.0.2", "192.0.2.1"),
        Row("an invention before a row of proxies", "8.8.8.8, 192.0.2.1, 10.0.0.1, 10.0.0.2", "192.0.2.1"),
        Row("proxies alone", "10.0.0.1, 10.0.0.2", "10.0.0.1", isTrusted: true),
        Row(
            "several lines",
            ["X-Forwarded-For: 8.8.8.8, 192.0.2.1", "A: b", "x-forwarded-for: 10.0.0.1"],
            "192.0.2.1"
        ),
        Row(
            "a line that a client may have sent, and the proxy's",
            ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 192.0.2.1"],
            "192.0.2.1"
        ),
        Row("no white space", "192.0.2.1,10.0.0.1", "192.0.2.1"),
        Row("much white space", "192.0.2.1\t ,  10.0.0.1 ", "192.0.2.1"),
        Row("empty elements", ",, 192.0.2.1 ,, ,10.0.0.1,", "192.0.2.1"),
        Row("nothing but commas", " , ,,", "10.9.9.9", isTrusted: true),
        Row("an empty value", "", "10.9.9.9", isTrusted: true),
        Row("a port", "192.0.2.1:4711, 10.0.0.1:80", "192.0.2.1:4711"),
        Row("IPv6", "2001:db9::1, 2001:db8::1", "2001:db9::1"),
        Row("IPv6 in brackets, with a port", "[2001:db9::1]:80, [2001:db8::1]:443", "[2001:db9::1]:80"),
        Row("IPv4 in the form of IPv6", "192.0.2.1, ::ffff:10.0.0.1", "192.0.2.1"),
        Row("an element that is no address", "192.0.2.1, unknown", "10.9.9.9"),
        Row("one behind a trusted proxy", "192.0.2.1, unknown, 10.0.0.1", "10.0.0.1"),
        Row("one that nobody gets to see", "unknown, 192.0.2.1", "192.0.2.1"),
        Row("a zone", "fe80::1%eth0", "10.9.9.9"),
        Row("numbers in another base", "0x0a000001", "10.9.9.9"),
        Row("quotes", "\"192.0.2.1\"", "10.9.9.9"),
        Row("the form of Forwarded", "for=192.0.2.1;proto=https", "10.9.9.9"),
        Row("semicolons for commas", "192.0.2.1; 10.0.0.1", "10.9.9.9"),
        Row("bytes beyond ASCII", "192.0.2.1, \u{E9}", "10.9.9.9"),
        Row(
            "what a client would name away",
            ["Connection: X-Forwarded-For", "X-Forwarded-For: 192.0.2.1"],
            "192.0.2.1"
        ),
        Row("another spelling", ["X_Forwarded_For: 192.0.2.1"], "10.9.9.9", isTrusted: true),
        Row("another field", ["Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"], "10.9.9.9", isTrusted: true),
        Row("an endless row", String(repeating: "10.0.0.1, ", count: 5000) + "10.0.0.2", "10.0.0.1"),
        Row("64 proxies", "192.0.2.1" + String(repeating: ", 10.0.0.1", count: 63), "192.0.2.1"),
        Row("65 proxies", "192.0.2.1" + String(repeating: ", 10.0.0.1", count: 64), "10.0.0.1"),
        Row("a long word", String(repeating: "1", count: 60000), "10.9.9.9"),
    ]

    @Test(arguments: table)
    func `the nearest address that is not trusted is the client's`(row: Row) throws {
        let lines = row.lines.map { "\($0)\r\n" }.joined()
        let reader = try reader(of: "GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n")
        let client = reader.client(behind: .host("10.9.9.9"), trusting: .tests)
        #expect(text(client.address) == row.client)
        #expect(client.isTrusted == row.isTrusted)
    }

    @Test func `a proxy at a Unix-domain socket is as any other`() throws {
        let reader = try reader(of: "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        #expect(text(reader.client(behind: .unix, trusting: .tests).address) == "192.0.2.1")
    }

    private func text(_ address: PeerAddress) -> String {
        withUnsafeTemporaryAllocation(byteCount: PeerAddress.maximumTextLength, alignment: 1) { text in
            String(decoding: text[..<address.write(to: text)], as: UTF8.self)
        }
    }
}
