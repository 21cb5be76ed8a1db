// Tests of the options that say how a backend is reached: host, proxy, cert and key.

import Foundation
import Testing
import Upstream

@testable import Control

@Suite("Backend options") struct BackendOptionsTests {
    private func one(_ text: String) throws -> BackendSetting {
        try #require(try BackendSetting.parse(entries: [text]).first)
    }

    @Test(
        "the Host field that a backend gets, and how it is printed",
        arguments: [
            ("http://a", nil, ""), ("http://a;host=preserve", nil, ""),
            ("http://a;host=backend", "a", ";host=backend"), ("http://a:81;host=backend", "a:81", ";host=backend"),
            ("https://a;host=backend", "a", ";host=backend"), ("https://a:80;host=backend", "a:80", ";host=backend"),
            ("http://[::1]:80;host=backend", "[::1]", ";host=backend"),
            ("http+unix:///run/a;host=backend", "localhost", ";host=backend"),
            ("http://a;host=Shop.example", "shop.example", ";host=shop.example"),
            ("http://a;host=shop.example:8080", "shop.example:8080", ";host=shop.example:8080"),
            ("http://a;host=[::1]:1", "[::1]:1", ";host=[::1]:1"),
        ] as [(String, String?, String)]
    )
    func host(text: String, field: String?, printed: String) throws {
        let backend = try one(text)
        #expect(backend.origin.hostField == field)
        #expect(backend.description.hasSuffix(printed))
        #expect(try one(backend.description) == backend)
    }

    @Test(
        "a proxy",
        arguments: [
            ("socks5://10.0.0.1:1080", ProxyServer(kind: .socks5, host: "10.0.0.1", port: 1080)),
            ("socks5h://proxy:1", ProxyServer(kind: .socks5h, host: "proxy", port: 1)),
            ("HTTP://Proxy:3128/", ProxyServer(kind: .http, host: "proxy", port: 3128)),
            ("http://[::1]:3128", ProxyServer(kind: .http, host: "::1", port: 3128)),
        ]
    )
    func proxy(text: String, server: ProxyServer) throws {
        let backend = try one("http://a;proxy=\(text)")
        #expect(backend.origin.proxy == server)
        #expect(try one(backend.description) == backend)
    }

    @Test func `a proxy's user name and password are decoded, not repeated, and stars are not taken for them`() throws {
        let backend = try one("https://a;proxy=socks5://joe%40x:p%3Aa%3Bs~s@10.0.0.1:1080;weight=2")
        #expect(backend.origin.proxy?.credentials == .init(user: "joe@x", password: "p:a;s~s"))
        #expect(backend.description == "https://a:443;weight=2;proxy=socks5://***@10.0.0.1:1080")
        #expect(throws: ValueError.self) { try one(backend.description) }
        #expect(try one("https://a;proxy=http://joe:@b:1").origin.proxy?.credentials?.password == "")
    }

    @Test(arguments: ["a:b%", "a:b%4", "a:b%zz", "a:b%00", "a:b%ff", "a", ":b", "a:b:c", "a b:c"])
    func `credentials that are no such thing are refused`(text: String) {
        #expect(throws: ValueError.self) { try one("http://a;proxy=http://\(text)@b:1") }
    }

    // MARK: Certificates

    /// A folder with files of these contents.
    private func withFiles(_ files: [String: String], _ test: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "options-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        try test(folder.path)
    }

    private static let files = [
        "cert.pem": "Bag Attributes\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "key.pem": "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
        "both.pem": "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\r\n-----BEGIN PRIVATE KEY-----\r\nA\r\n",
        "locked.pem": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "old.pem": "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,1\n\nA\n",
    ]

    @Test func `a client certificate and its key are kept and printed`() throws {
        try withFiles(Self.files) { folder in
            for text in [
                "https://a:443;cert=\(folder)/cert.pem;key=\(folder)/key.pem", "https://a:443;cert=\(folder)/both.pem",
            ] {
                let backend = try one(text)
                #expect(backend.description == text)
                #expect(try one(text) == backend)
            }
        }
    }

    @Test(
        "what cannot be of use is refused before the start",
        arguments: [
            ("cert=F/cert.pem", #"expected key beside cert, or a private key without a passphrase in "F/cert.pem""#),
            ("key=F/key.pem", "expected cert beside key"),
            ("cert=F/key.pem;key=F/key.pem", #"expected a file with a PEM certificate after cert=, not "F/key.pem""#),
            ("cert=F/cert.pem;key=F/cert.pem", #"expected a file with a PEM private key after key=, not "F/cert.pem""#),
            (
                "cert=F/cert.pem;key=F/locked.pem",
                #"expected a private key without a passphrase after key=, not "F/locked.pem""#
            ),
            (
                "cert=F/cert.pem;key=F/old.pem",
                #"expected a private key without a passphrase after key=, not "F/old.pem""#
            ),
        ]
    )
    func refused(options: String, reason: String) throws {
        try withFiles(Self.files) { folder in
            #expect {
                try one("https://a;\(options.replacingOccurrences(of: "F", with: folder))")
            } throws: { error in
                (error as? ValueError)?.refusals.last?.reason == reason.replacingOccurrences(of: "F", with: folder)
            }
        }
    }
}
