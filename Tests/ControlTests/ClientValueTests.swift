// Tests of good values of what is said about clients: what each text becomes, and that it is printed as it was given.

import Foundation
import Front
import Testing

@testable import Control

@Suite struct ClientValueTests {
    @Test(arguments: [
        "off", "cookie", "cookie:sid", "cookie;lifetime=90s", "cookie:sid;lifetime=1h", "cookie;secure=on",
        "cookie;secure=off",
        "cookie;samesite=strict", "cookie:__Host-lb;secure=on;samesite=none", "cookie:x;lifetime=9600h;secure=off",
    ])
    func `what binds clients is printed as it was given`(text: String) throws {
        let kind = SettingsTable.sticky.kind
        #expect(kind.print(try kind.parse(text)) == text)
    }

    @Test func `what was given says more than it needs is printed without it`() throws {
        let kind = SettingsTable.sticky.kind
        #expect(try kind.print(kind.parse("cookie:lb_backend;samesite=lax;lifetime=3600s")) == "cookie;lifetime=1h")
    }

    @Test(
        arguments: [
            ("", ""), ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1/32", "192.0.2.1"), ("unix", "unix"),
            ("unix,::1 2001:DB8:0::/32", "::1,2001:db8::/32,unix"), ("0.0.0.0/0 ::/0", "0.0.0.0/0,::/0"),
            ("::ffff:0:0/16 10.0.0.0/8", nil),
        ] as [(String, String?)]
    )
    func `who is trusted is printed in its shortest form`(text: String, expected: String?) {
        let kind = SettingsTable.trusted.kind
        #expect((try? kind.print(kind.parse(text))) == expected)
    }

    @Test func `a secret is taken from where it is, and never shown`() throws {
        let kind = SettingsTable.stickySecret.kind
        let given = try kind.parse("0123456789abcdef")
        #expect(given?.bytes == Array("0123456789abcdef".utf8))
        #expect(kind.print(given) == "***")
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("curl-lb-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        for content in ["from a file, with spaces", "from a file, with spaces\n", "from a file, with spaces\r\n"] {
            try content.write(toFile: path, atomically: true, encoding: .utf8)
            let read = try kind.parse("file:\(path)")
            #expect(read?.bytes == Array("from a file, with spaces".utf8))
            #expect(kind.print(read) == "file:\(path)")
        }
        try Data(repeating: 0x61, count: StickySecret.longest + 1).write(to: URL(fileURLWithPath: path))
        #expect(throws: ValueError.self) { try kind.parse("file:\(path)") }
    }
}
