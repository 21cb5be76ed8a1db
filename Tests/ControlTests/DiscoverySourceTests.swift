// Tests of sources of discovery: their syntax, and what is made of what they give.

import Foundation
import Testing
import Upstream

@testable import Control

@Suite("Discovery source") struct DiscoverySourceTests {
    private func source(_ text: String) throws -> DiscoverySource {
        guard case .source(let source)? = try BackendEntry.parse(entries: [text]).first else {
            throw ValueError(text, "no source")
        }
        return source
    }

    @Test(
        "a source, and what it is known by",
        arguments: [
            ("dns://app", "dns://app:80", .dns(.http, host: "app", port: 80)),
            (
                "DNS://App.Example.:3000/;weight=2", "dns://app.example.:3000",
                .dns(.http, host: "app.example.", port: 3000)
            ),
            ("dns+https://app", "dns+https://app:443", .dns(.https, host: "app", port: 443)),
            ("file:/tmp/list", "file:/tmp/list", .file(path: "/tmp/list")),
            ("file:///tmp/li@st;max_conns=3", "file:/tmp/li@st", .file(path: "/tmp/li@st")),
            ("exec:/bin/sh", "exec:/bin/sh", .exec(path: "/bin/sh")),
        ] as [(String, String, DiscoverySource.Kind)]
    )
    func syntax(text: String, identity: String, kind: DiscoverySource.Kind) throws {
        let source = try source(text)
        #expect(source.identity == identity)
        #expect(source.kind == kind)
        #expect(source.description == text)
    }

    @Test func `sources stand beside backends, in order`() throws {
        let settings = try Settings.load(environment: ["LB_BACKENDS": "http://a,dns://b,file:/tmp/c http://d"]).settings
        #expect(settings.backends.map(\.name) == ["a:80", "dns://b:80", "file:/tmp/c", "d:80"])
    }

    // MARK: Names

    private func found(_ text: String, _ addresses: [String]) throws -> [BackendSetting] {
        let source = try source(text)
        guard case .dns(let scheme, let host, let port) = source.kind else { return [] }
        return DiscoverySource.backends(
            at: addresses,
            scheme: scheme,
            host: host,
            port: port,
            options: source.options
        )
    }

    @Test func `each address of a name is a backend with the source's options`() throws {
        let backends = try found("dns://app:3000;weight=2;max_conns=5;backup=on", ["10.0.0.1", "::1"])
        #expect(backends.map(\.name) == ["app:3000/10.0.0.1", "app:3000/::1"])
        #expect(backends.map(\.origin.description) == ["http://10.0.0.1:3000", "http://[::1]:3000"])
        #expect(backends.allSatisfy { $0.weight == 2 && $0.maxConnections == 5 && $0.isBackup })
        #expect(backends.allSatisfy { $0.origin.hostField == nil })
    }

    @Test func `certificate and Host are those of the name, unless options say otherwise`() throws {
        let backend = try found("dns+https://app;host=backend;name=blue", ["10.0.0.1"])[0]
        #expect(backend.name == "blue/10.0.0.1")
        #expect(backend.origin.name == "app")
        #expect(backend.origin.serverName == nil)
        #expect(backend.origin.hostField == "app")
        let other = try found("dns+https://app:444;host=backend;sni=b", ["10.0.0.1"])[0]
        #expect(other.origin.serverName == "b")
        #expect(other.origin.hostField == "app:444")
    }

    // MARK: Lists

    private func listed(_ text: String, options: String = "") throws -> [String] {
        let source = try source("file:/tmp/list\(options)")
        return try DiscoverySource.backends(in: text, options: source.options).map(\.description)
    }

    @Test func `a list has the syntax of LB_BACKENDS, and comments`() throws {
        #expect(
            try listed("# all\nhttp://a;weight=2  # the first\r\n\n  http://b , http://c;name=x,\n#http://d") == [
                "http://a:80;weight=2", "http://b:80", "http://c:80;name=x",
            ]
        )
    }

    @Test func `options of the source hold for all, unless a line says otherwise`() throws {
        #expect(
            try listed(
                "http://a\nhttp://b;weight=1;proxy=off;host=preserve\nhttps://c;verify=on http+unix:///run/d",
                options: ";weight=5;host=shop.example;verify=off;proxy=socks5://10.0.0.1:1080"
            ) == [
                "http://a:80;weight=5;host=shop.example;proxy=socks5://10.0.0.1:1080", "http://b:80",
                "https://c:443;weight=5;host=shop.example;proxy=socks5://10.0.0.1:1080",
                "http+unix:///run/d;weight=5;host=shop.example",
            ]
        )
        #expect(try listed("https://a", options: ";verify=off") == ["https://a:443;verify=off"])
    }

    @Test func `a list without a backend has to say so`() throws {
        #expect(try listed("# none for now\nnone\n") == [])
    }

    @Test(
        "what is wrong with a list, line by line",
        arguments: [
            ("", ["expected a backend, or the word none if there is none"]),
            ("# nothing\n\n", ["expected a backend, or the word none if there is none"]),
            ("none http://a", ["expected none to stand alone"]),
            (
                "http://a\n\nftp://b http://c;weight=x\nhttp://a",
                [
                    #"line 3: "ftp://b": expected http://, https:// or http+unix:///, not ftp://"#,
                    #"line 3: "http://c;weight=x": expected a whole number between 0 and 65535 after weight=, not "x""#,
                    #"line 4: "http://a": expected a name of its own, a:80 is taken; give one with ;name="#,
                ]
            ),
            ("dns://a", [#"line 1: "dns://a": expected a backend, not another source"#]),
            (
                "http://joe:secret@a",
                [#"line 1: "http://***@a": expected no user name and no password in a backend's URL"#]
            ),
        ]
    )
    func mistakes(text: String, mistakes: [String]) {
        #expect(throws: ListError(mistakes: mistakes)) { try listed(text) }
    }
}
