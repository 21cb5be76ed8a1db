// Access log lines in both forms, with good bytes and with hostile ones.

import Foundation
import TestSupport
import Testing

@testable import Telemetry

/// The facts of an exchange with bytes of their own, from which a record borrows them.
private struct Facts {
    var client = Array("192.0.2.7:4711".utf8)
    var method = Array("GET".utf8)
    var target = Array("/index?x=1".utf8)
    var host = Array("example.com".utf8)
    var requestID = Array("0123abcd".utf8)
    var requestNumber: (UInt64, UInt64) = (0, 0)
    var referer: [UInt8] = []
    var userAgent = Array("curl/8".utf8)
    var traceID: [UInt8] = []
    var minorVersion: UInt8 = 1
    var sample = 1
    var queued: UInt64?
    var notes: AccessLogNotes = []
    /// DNS, connect, TLS, wait and body.
    var phases: (UInt64?, UInt64?, UInt64?, UInt64?, UInt64?)
    var status = 200
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 1234
    var duration: UInt64 = 12_345_678
    var timeToFirstByte: UInt64? = 2_000_999
    var backend: String? = "127.0.0.1:9001"
    var attempts = 1
    var failedAttempts: [AccessLogAttempt] = []
    var reason: String?

    func line(_ format: AccessLogFormat, _ fields: [AccessLogField]? = nil, isForTerminal: Bool = false) -> [UInt8] {
        let items = fields.map { AccessLogFields($0.map { .field($0) }) } ?? AccessLogFields()
        let style = AccessLogStyle(format: format, fields: items, isForTerminal: isForTerminal)
        var line = LineBuffer()
        borrow([client, method, target, host, requestID, referer, userAgent, traceID, Array((backend ?? "").utf8)]) {
            bytes in
            let record = AccessLogRecord()
            var facts = AccessLogFacts()
            facts.client = bytes[0]
            facts.method = bytes[1]
            facts.target = bytes[2]
            facts.host = bytes[3]
            facts.requestID = bytes[4]
            facts.requestNumber = requestNumber
            facts.referer = bytes[5]
            facts.userAgent = bytes[6]
            facts.traceID = bytes[7]
            facts.minorVersion = minorVersion
            facts.status = UInt64(status)
            facts.bytesIn = bytesIn
            facts.bytesOut = bytesOut
            facts.duration = LoggedDuration(duration)
            facts.timeToFirstByte = LoggedDuration(timeToFirstByte)
            facts.dns = LoggedDuration(phases.0)
            facts.connect = LoggedDuration(phases.1)
            facts.tls = LoggedDuration(phases.2)
            facts.wait = LoggedDuration(phases.3)
            facts.body = LoggedDuration(phases.4)
            facts.backend = bytes[8]
            facts.attempts = UInt64(attempts)
            record.failedAttempts = failedAttempts
            facts.queued = LoggedDuration(queued)
            record.notes = notes
            record.reason = reason
            facts.sample = UInt64(sample)
            record.append(&facts, to: &line, style, clock: WallClock())
        }
        return Array(line.bytes)
    }

    /// Calls with all arrays' bytes at once.
    private func borrow(_ arrays: [[UInt8]], _ use: ([UnsafeRawBufferPointer]) -> Void) {
        func next(_ pointers: [UnsafeRawBufferPointer]) {
            guard pointers.count < arrays.count else {
                use(pointers)
                return
            }
            arrays[pointers.count].withUnsafeBytes { next(pointers + [$0]) }
        }
        next([])
    }

    /// The line as text behind its timestamp.
    var textBehindTime: Substring {
        let text = String(decoding: line(.text), as: UTF8.self)
        return text.dropFirst("2026-01-31T23:59:59.123Z".count)
    }

    func object() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(line(.json)))
        return try #require(object as? [String: Any])
    }

    static var plain: Facts { Facts() }

    /// Failed twice, then served.
    static var retried: Facts {
        var facts = Facts()
        facts.attempts = 3
        facts.backend = "c"
        facts.failedAttempts = [
            AccessLogAttempt(
                backend: "a",
                reason: "connection_refused",
                code: 7,
                text: "Failed to connect to \"a\" port 80",
                nanoseconds: 1_500_000
            ),
            AccessLogAttempt(backend: "b", reason: "dns_error", text: "no such\nhost", nanoseconds: 999),
        ]
        return facts
    }

    /// Refused before a request line could be read.
    static var refused: Facts {
        var facts = Facts()
        facts.method = []
        facts.target = []
        facts.host = []
        facts.status = 400
        facts.timeToFirstByte = nil
        facts.backend = nil
        facts.attempts = 0
        facts.reason = "malformed_method"
        return facts
    }
}

extension [UInt8] {
    fileprivate var latin1: String { String(String.UnicodeScalarView(map { UnicodeScalar($0) })) }
}

@Suite("Access log lines")
struct AccessLogRecordTests {
    @Test func `text: an exchange that went well`() {
        #expect(
            Facts.plain.textBehindTime == """
                 192.0.2.7:4711 "GET /index?x=1" 200 in=0 out=1234 ms=12.345 ttfb=2.000 \
                backend=127.0.0.1:9001 attempts=1 id=0123abcd\n
                """
        )
    }

    @Test func `text: attempts stand in order with reason, libcurl's number and words, and time`() {
        #expect(
            Facts.retried.textBehindTime == """
                 192.0.2.7:4711 "GET /index?x=1" 200 in=0 out=1234 ms=12.345 ttfb=2.000 backend=c \
                attempts=3 failed=[a connection_refused 7 "Failed to connect to \\"a\\" port 80" 1.500ms, \
                b dns_error - "no such\\x0ahost" 0.000ms] id=0123abcd\n
                """
        )
    }

    @Test func `text: what is not known is a dash`() {
        #expect(
            Facts.refused.textBehindTime == """
                 192.0.2.7:4711 "-" 400 in=0 out=1234 ms=12.345 ttfb=- backend=- attempts=0 \
                reason=malformed_method id=0123abcd\n
                """
        )
    }

    @Test func `json: an exchange that went well`() throws {
        var object = try Facts.plain.object()
        let time = try #require(object.removeValue(forKey: "time") as? String)
        #expect(time.count == "2026-01-31T23:59:59.123Z".count)
        let expected: [String: Any] = [
            "client": "192.0.2.7:4711", "method": "GET", "target": "/index?x=1", "host": "example.com", "status": 200,
            "bytes_in": 0, "bytes_out": 1234, "duration_ms": 12.345, "ttfb_ms": 2.0, "backend": "127.0.0.1:9001",
            "attempts": 1, "id": "0123abcd",
        ]
        #expect(NSDictionary(dictionary: object) == NSDictionary(dictionary: expected))
    }

    @Test func `an identifier of ours stands in full, zeros in front, unless the client had a word for the request`()
        throws
    {
        var facts = Facts.plain
        facts.requestNumber = (0x0123_4567_89AB_CDEF, 10)
        #expect(try facts.object()["id"] as? String == "0123abcd")
        facts.requestID = []
        #expect(try facts.object()["id"] as? String == "0123456789abcdef000000000000000a")
        #expect(facts.textBehindTime.hasSuffix(" id=0123456789abcdef000000000000000a\n"))
        facts.requestNumber = (0, 0)
        #expect(try facts.object()["id"] as? String == "")
        #expect(facts.textBehindTime.hasSuffix(" id=-\n"))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 999, 1000, 999_999, 1_000_000, UInt64.max])
    func `numbers are written with all their digits, and no others`(number: UInt64) throws {
        var facts = Facts.plain
        facts.bytesIn = number
        #expect(facts.textBehindTime.contains(" in=\(number) out="))
        #expect(try #require(facts.object()["bytes_in"] as? UInt64) == number)
    }

    @Test func `json: failed attempts are an array of objects`() throws {
        let object = try Facts.retried.object()
        let attempts = try #require(object["failed_attempts"] as? [[String: Any]])
        let expected: [[String: Any]] = [
            [
                "backend": "a", "reason": "connection_refused", "code": 7, "text": "Failed to connect to \"a\" port 80",
                "ms": 1.5,
            ],
            ["backend": "b", "reason": "dns_error", "text": "no such\nhost", "ms": 0.0],
        ]
        #expect(NSArray(array: attempts) == NSArray(array: expected))
    }

    @Test func `json: what is not known is left out`() throws {
        let object = try Facts.refused.object()
        #expect(object["ttfb_ms"] == nil && object["backend"] == nil && object["failed_attempts"] == nil)
        #expect(object["reason"] as? String == "malformed_method")
        #expect(object["method"] as? String == "")
    }

    @Test func `json: keys stand in one order, on one line`() {
        let line = String(decoding: Facts.retried.line(.json), as: UTF8.self)
        let keys = [
            "time", "client", "method", "target", "host", "status", "bytes_in", "bytes_out", "duration_ms", "ttfb_ms",
            "backend", "attempts", "failed_attempts", "id",
        ]
        let places = keys.map { line.range(of: "\"\($0)\":")?.lowerBound }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
        #expect(line.hasSuffix("}\n"))
    }

    @Test func `the largest numbers are written in full`() throws {
        var facts = Facts()
        facts.bytesIn = .max
        facts.bytesOut = .max
        facts.duration = .max - 1
        facts.timeToFirstByte = 0
        #expect(facts.textBehindTime.contains(" in=18446744073709551615 out=18446744073709551615 "))
        #expect(facts.textBehindTime.contains(" ms=18446744073709.551 ttfb=0.000 "))
        _ = try facts.object()
    }

    // MARK: Fields

    /// With all that can be known.
    private var full: Facts {
        var facts = Facts.retried
        facts.phases = (1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000)
        facts.referer = Array("http://x/\"".utf8)
        facts.traceID = Array("4bf92f3577b34da6a3ce929d0e0e4736".utf8)
        facts.reason = "client_gone"
        facts.minorVersion = 0
        facts.sample = 100
        facts.queued = 6_000_000
        facts.notes = .retryBudgetExhausted
        return facts
    }

    @Test func `text: the fields that were asked for, in their order`() {
        let fields: [AccessLogField] = [
            .status, .id, .dns, .connect, .tls, .wait, .body, .protocol, .host, .referer, .userAgent, .method, .target,
            .sample, .traceID, .notes, .reason, .failedAttempts, .queue,
        ]
        #expect(
            String(decoding: full.line(.text, fields), as: UTF8.self) == """
                200 id=0123abcd dns_ms=1.000 connect_ms=2.000 tls_ms=3.000 wait_ms=4.000 body_ms=5.000 protocol=HTTP/1.0 \
                host="example.com" referer="http://x/\\"" user_agent="curl/8" method="GET" target="/index?x=1" sample=100 \
                trace_id=4bf92f3577b34da6a3ce929d0e0e4736 notes=retry_budget_exhausted reason=client_gone \
                failed=[a connection_refused 7 "Failed to connect to \\"a\\" port 80" 1.500ms, \
                b dns_error - "no such\\x0ahost" 0.000ms] queue_ms=6.000\n
                """
        )
        #expect(String(decoding: Facts.plain.line(.text, [.dns, .status, .tls]), as: UTF8.self) == "200\n")
    }

    @Test func `json: every field under its name, with the value that text has`() throws {
        let line = full.line(.json, AccessLogField.allCases)
        var object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect(Set(object.keys) == Set(AccessLogField.allCases.map(\.rawValue)))
        for key in ["time", "failed_attempts", "client", "backend", "attempts", "status"] { object[key] = nil }
        let expected: [String: Any] = [
            "request": "GET /index?x=1", "method": "GET", "target": "/index?x=1", "protocol": "HTTP/1.0",
            "host": "example.com", "referer": "http://x/\"", "user_agent": "curl/8", "bytes_in": 0, "bytes_out": 1234,
            "duration_ms": 12.345, "ttfb_ms": 2.0, "queue_ms": 6, "notes": ["retry_budget_exhausted"], "dns_ms": 1,
            "connect_ms": 2, "tls_ms": 3, "wait_ms": 4,
            "body_ms": 5,
            "reason": "client_gone", "sample": 100, "id": "0123abcd", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        ]
        #expect(NSDictionary(dictionary: object) == NSDictionary(dictionary: expected))
    }

    @Test func `fields that are named twice stand once, default and all are those of the form`() {
        let fields = AccessLogFields([.field(.id), .usual, .field(.time), .field(.wait)])
        #expect(fields.resolved(for: .text) == [.id] + AccessLogField.textDefault.filter { $0 != .id } + [.wait])
        #expect(fields.resolved(for: .json) == [.id] + AccessLogField.jsonDefault.filter { $0 != .id } + [.wait])
        #expect(AccessLogFields([.all]).resolved(for: .json).count == AccessLogField.allCases.count - 1)
    }

    @Test func `combined: what Apache writes`() throws {
        var line = String(decoding: full.line(.combined), as: UTF8.self)
        let form = /192\.0\.2\.7 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] (.*)\n/
        #expect(
            try form.wholeMatch(in: line).map { String($0.1) }
                == #""GET /index?x=1 HTTP/1.0" 200 1234 "http://x/\"" "curl/8""#
        )
        var facts = Facts.refused
        facts.client = Array("[2001:db8::1]:80".utf8)
        facts.userAgent = []
        facts.bytesOut = 0
        line = String(decoding: facts.line(.combined), as: UTF8.self)
        #expect(line.hasPrefix("2001:db8::1 - - [") && line.hasSuffix("] \"-\" 400 - \"-\" \"-\"\n"))
        facts.client = Array("unix".utf8)
        #expect(String(decoding: facts.line(.combined), as: UTF8.self).hasPrefix("unix - - ["))
        // As a trusted proxy names it.
        facts.client = Array("2001:db8::1".utf8)
        #expect(String(decoding: facts.line(.combined), as: UTF8.self).hasPrefix("2001:db8::1 - - ["))
    }

    @Test func `on a terminal fields stand under one another, and colour says how it went`() {
        let good = String(decoding: Facts.plain.line(.text, isForTerminal: true), as: UTF8.self)
        let bad = String(decoding: Facts.refused.line(.text, isForTerminal: true), as: UTF8.self)
        #expect(good.contains(" \u{1B}[32m200\u{1B}[0m "))
        #expect(bad.contains(" \u{1B}[33m400\u{1B}[0m "))
        #expect(bad.contains("\u{1B}[31mreason=malformed_method\u{1B}[0m"))
        func place(_ text: String, of part: String) -> Int? {
            let plain = text.replacing(/\u{1B}\[\d+m/, with: "")
            return plain.range(of: part).map { plain.distance(from: plain.startIndex, to: $0.lowerBound) }
        }
        for part in [" in=", " out=", " ms=", " ttfb=", " backend=", " attempts="] {
            #expect(place(good, of: part) != nil && place(good, of: part) == place(bad, of: part), "\(part)")
        }
    }

    @Test func `no colour goes into json or the combined form`() {
        for format in [AccessLogFormat.json, .combined] {
            #expect(!Facts.retried.line(format, isForTerminal: true).contains(0x1B))
        }
    }

    // MARK: Hostile bytes

    struct Hostile: Sendable, CustomTestStringConvertible {
        let label: String
        let bytes: [UInt8]
        let text: String
        var testDescription: String { label }

        init(_ label: String, _ bytes: String, _ text: String) {
            self.label = label
            self.bytes = bytes.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            self.text = text
        }
    }

    @Test(arguments: [
        Hostile("a line feed and a forged line", "/\n127.0.0.1 \"GET /", "/\\x0a127.0.0.1 \\\"GET /"),
        Hostile("a carriage return", "/\r", "/\\x0d"),
        Hostile("a quote that ends the field", "/\" 200 in=0", "/\\\" 200 in=0"),
        Hostile("a backslash before the quote", "/\\", "/\\\\"),
        Hostile("a backslash and a quote", "\\\"", "\\\\\\\""),
        Hostile("NUL", "/\0", "/\\x00"),
        Hostile("a terminal's escape", "/\u{1B}[2J", "/\\x1b[2J"),
        Hostile("delete and a C1 control", "\u{7F}\u{9B}", "\\x7f\\x9b"),
        Hostile("a line separator in UTF-8", "\u{E2}\u{80}\u{A8}", "\\xe2\\x80\\xa8"),
        Hostile("invalid UTF-8", "\u{C3}\u{28}\u{FF}", "\\xc3(\\xff"),
        Hostile("a tab", "\t", "\\x09"),
        Hostile("what looks escaped already", "\\x0a\\u000a", "\\\\x0a\\\\u000a"),
    ])
    func `what a client chose ends neither the field nor the line`(_ row: Hostile) throws {
        var facts = Facts()
        facts.target = row.bytes
        facts.host = row.bytes
        facts.method = row.bytes
        #expect(
            facts.textBehindTime == """
                 192.0.2.7:4711 "\(row.text) \(row.text)" 200 in=0 out=1234 ms=12.345 ttfb=2.000 \
                backend=127.0.0.1:9001 attempts=1 id=0123abcd\n
                """
        )
        let object = try facts.object()
        for key in ["target", "host", "method"] { #expect(object[key] as? String == row.bytes.latin1) }
    }

    @Test(arguments: AccessLogFormat.allCases)
    func `every byte by itself leaves one line of printable ASCII`(format: AccessLogFormat) throws {
        for byte in UInt8.min...UInt8.max {
            var facts = Facts()
            facts.target = [byte]
            facts.host = [byte]
            facts.referer = [byte]
            facts.userAgent = [byte]
            let line = facts.line(format, AccessLogField.allCases)
            #expect(line.last == UInt8(ascii: "\n"))
            #expect(line.dropLast().allSatisfy { (0x20..<0x7F).contains($0) }, "byte \(byte)")
            if format == .json { #expect(try facts.object()["target"] as? String == [byte].latin1) }
        }
    }

    @Test(arguments: SeededGenerator.seeds)
    func `json: random bytes come back, one code point each`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var facts = Facts()
            facts.target = generator.bytes(generator.number(in: 0...300))
            facts.host = generator.bytes(generator.number(in: 0...50))
            facts.method = generator.bytes(generator.number(in: 0...10))
            let object = try facts.object()
            #expect(object["target"] as? String == facts.target.latin1)
            #expect(object["host"] as? String == facts.host.latin1)
            #expect(object["method"] as? String == facts.method.latin1)
        }
    }
}
