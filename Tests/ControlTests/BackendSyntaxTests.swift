// Tests of the syntax URL[;key=value…].

import Foundation
import Balancing
import Testing
import Upstream

@testable import Control

@Suite struct BackendSyntaxTests {
    @Test(
        "one backend",
        arguments: [
            ("http://127.0.0.1:3000", "127.0.0.1:3000", Origin(scheme: .http, host: "127.0.0.1", port: 3000)),
            ("http://app", "app:80", Origin(scheme: .http, host: "app", port: 80)),
            ("https://app", "app:443", Origin(scheme: .https, host: "app", port: 443)),
            ("http://app/", "app:80", Origin(scheme: .http, host: "app", port: 80)),
            ("HTTP://App.Example:8080/", "app.example:8080", Origin(scheme: .http, host: "app.example", port: 8080)),
            ("http://[::1]:3000", "[::1]:3000", Origin(scheme: .http, host: "::1", port: 3000)),
            ("http://[2001:DB8:0::1]", "[2001:db8::1]:80", Origin(scheme: .http, host: "2001:db8::1", port: 80)),
            (
                "http+unix:///run/app.sock", "unix:/run/app.sock",
                Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: "/run/app.sock")
            ),
            (
                "http+unix:///run/@app.sock;name=app", "app",
                Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: "/run/@app.sock")
            ),
            ("http://app;name=blue-1.a_b", "blue-1.a_b", Origin(scheme: .http, host: "app", port: 80)),
            ("http://app;", "app:80", Origin(scheme: .http, host: "app", port: 80)),
            (
                "https://10.0.0.1;verify=off;sni=API.example", "10.0.0.1:443",
                Origin(
                    scheme: .https,
                    host: "10.0.0.1",
                    port: 443,
                    verifiesCertificate: false,
                    serverName: "api.example"
                )
            ),
            ("https://app;verify=on", "app:443", Origin(scheme: .https, host: "app", port: 443)),
        ] as [(String, String, Origin)]
    )
    func one(text: String, name: String, origin: Origin) throws {
        let backends = try BackendSetting.parse(entries: [text])
        #expect(backends == [BackendSetting(name: name, origin: origin)])
        #expect(try BackendSetting.parse(entries: backends.map(\.description)) == backends)
    }

    @Test func `weight, backup and max_conns are read and printed`() throws {
        let backends = try BackendSetting.parse(entries: [
            "http://a;weight=5;max_conns=100", "http://b;backup=on", "http://c;weight=1;backup=off;max_conns=0",
            "http://d;weight=0",
        ])
        #expect(backends.map(\.weight) == [5, 1, 1, 0])
        #expect(backends.map(\.isBackup) == [false, true, false, false])
        #expect(backends.map(\.maxConnections) == [100, 0, 0, 0])
        #expect(
            backends.map(\.description) == [
                "http://a:80;weight=5;max_conns=100", "http://b:80;backup=on", "http://c:80", "http://d:80;weight=0",
            ]
        )
    }

    @Test func `health_path and slow_start are read and printed`() throws {
        let backends = try BackendSetting.parse(entries: [
            "http://a;health_path=/up?x=1;slow_start=0", "http://b;health_path=off;slow_start=1.5s", "http://c",
        ])
        #expect(
            backends.map(\.health) == [
                BackendHealth(check: .get("/up?x=1"), slowStart: 0),
                BackendHealth(check: .connect, slowStart: 1_500_000_000), BackendHealth(),
            ]
        )
        #expect(
            backends.map(\.description) == [
                "http://a:80;health_path=/up?x=1;slow_start=0", "http://b:80;health_path=off;slow_start=1.5s",
                "http://c:80",
            ]
        )
    }

    @Test(
        "commas, white space or both separate backends",
        arguments: [
            "http://a,http://b,https://c;name=x", "http://a http://b https://c;name=x",
            "http://a\nhttp://b\nhttps://c;name=x\n", " http://a,\n\thttp://b,,\r\nhttps://c;name=x,",
        ]
    )
    func separated(text: String) throws {
        let settings = try Settings.load(environment: ["LB_BACKENDS": text]).settings
        #expect(settings.backends.map(\.name) == ["a:80", "b:80", "x"])
    }

    @Test func `the same place may be given twice under two names`() throws {
        let backends = try BackendSetting.parse(entries: ["http://a", "http://a;name=again"])
        #expect(backends.map(\.name) == ["a:80", "again"])
        #expect(backends[0].origin == backends[1].origin)
    }

    @Test func `a certificate authority's file is kept and printed`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID()).pem")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let text = "https://a:443;cacert=\(file.path)"
        let backends = try BackendSetting.parse(entries: [text])
        #expect(backends.first?.origin.certificateAuthorityFile == file.path)
        #expect(backends.first?.description == text)

        #expect {
            try BackendSetting.parse(entries: ["\(text);verify=off"])
        } throws: { error in
            (error as? ValueError)?.refusals.map(\.reason) == ["expected cacert only without verify=off"]
        }
    }
}
