// What a collector's answers mean, by the rules of OTLP.

import Testing
import Upstream

@testable import Control

@Suite struct CollectorAnswerTests {
    /// 28 November 2026, 10:00:00 UTC.
    private static let now = 1_795_860_000

    private func meaning(_ status: Int, retryAfter: String? = nil, body: String = "") -> CollectorAnswer {
        var answer = ProbeAnswer(status: status)
        if let retryAfter { answer.fields = [("retry-after", retryAfter)] }
        answer.body = Array(body.utf8)
        return CollectorAnswer(.answered(answer), now: Self.now)
    }

    @Test(
        "2xx takes them, but for those that it says",
        arguments: [
            ("", 0, ""), ("{}", 0, ""), ("nonsense", 0, ""), (#"{"partialSuccess":{}}"#, 0, ""),
            (#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too\nold"}}"#, 3, #"too\nold"#),
            (#"{"partialSuccess":{"rejectedSpans":3}}"#, 3, ""), (#"{"partialSuccess":{"rejectedSpans":"x"}}"#, 0, ""),
        ]
    )
    func taken(body: String, rejected: UInt64, text: String) {
        #expect(meaning(200, body: body) == .taken(rejected: rejected, text))
    }

    @Test("these statuses mean later", arguments: [429, 502, 503, 504])
    func busy(status: Int) { #expect(meaning(status) == .busy("it answers \(status)", retryAfter: nil)) }

    @Test("all others mean never", arguments: [301, 400, 401, 403, 404, 413, 500, 501])
    func refused(status: Int) { #expect(meaning(status, retryAfter: "1") == .refused("it answers \(status)")) }

    @Test(
        "when later is",
        arguments: [
            ("7", 7), ("0", 0), ("99999999", 3600), ("Sat, 28 Nov 2026 10:00:30 GMT", 30),
            ("Sat, 28 Nov 2026 09:00:00 GMT", 0), ("Sat, 28 Nov 2027 10:00:00 GMT", 3600), ("soon", nil), ("-1", nil),
            ("1.5", nil),
        ] as [(String, UInt64?)]
    )
    func retryAfter(value: String, seconds: UInt64?) {
        let wait = seconds.map { $0 * 1_000_000_000 }
        #expect(meaning(503, retryAfter: value) == .busy("it answers 503", retryAfter: wait))
    }

    @Test func `who cannot be reached may be later`() {
        #expect(CollectorAnswer(.failed("no route")) == .busy("no route", retryAfter: nil))
    }
}

@Suite struct TraceSettingTests {
    @Test(
        "where a collector is asked, and how that is printed",
        arguments: [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318", "/v1/traces"),
            ("http://collector", "http://collector:80", "/v1/traces"),
            ("https://Collector/", "https://collector:443", "/v1/traces"),
            ("HTTP://[::1]:4318/v1/traces", "http://[::1]:4318", "/v1/traces"),
            ("https://c/otlp", "https://c:443/otlp", "/otlp/v1/traces"),
            ("https://c/a/b//", "https://c:443/a/b", "/a/b/v1/traces"),
        ]
    )
    func endpoint(text: String, printed: String, path: String) throws {
        let kind = SettingKind<TraceEndpoint?>.traceEndpoint
        let endpoint = try kind.parse(text)
        #expect(endpoint?.path == path)
        #expect(kind.print(endpoint) == printed)
        #expect(try kind.parse(printed) == endpoint)
    }

    @Test(
        "field lines for a collector",
        arguments: [
            ("a=b", ["a: b"]), (" api-key = x=y , B=c%2Cd%20e,", ["api-key: x=y", "B: c,d e"]),
            ("Authorization=Basic dXNlcjpwYXNz==", ["Authorization: Basic dXNlcjpwYXNz=="]),
        ]
    )
    func headers(text: String, lines: [String]) throws {
        let kind = SettingKind<TraceHeaders?>.traceHeaders
        let headers = try kind.parse(text)
        #expect(headers?.lines == lines)
        #expect(kind.print(headers) == "***")
    }

    @Test("what is none", arguments: ["a", "a=", "=b", "a b=c", "a=%", "a=%0", "a=%0a", "a=b\u{7}", "a=%FF", ","])
    func noHeaders(text: String) {
        #expect(throws: ValueError.self) { try SettingKind<TraceHeaders?>.traceHeaders.parse(text) }
    }

    @Test func `a collector switches tracing on, unless it is switched off`() throws {
        func follows(_ environment: [String: String]) throws -> Bool {
            try Settings.load(environment: environment, arguments: ["http://a"]).settings.followsTraces
        }
        let endpoint = ["LB_OTLP_ENDPOINT": "http://c:4318"]
        #expect(try !follows([:]))
        #expect(try follows(endpoint))
        #expect(try !follows(endpoint.merging(["LB_TRACE": "off"]) { $1 }))
        #expect(try follows(["LB_TRACE": "on"]))
    }
}
