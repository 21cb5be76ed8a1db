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
    var status = 200
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 1234
    var duration: UInt64 = 12_345_678
    var timeToFirstByte: UInt64? = 2_000_999
    var backend: String? = "127.0.0.1:9001"
    var attempts = 1
    var failedAttempts: [AccessLogAttempt] = []
    var reason: String?

    func line(_ format: AccessLogFormat) -> [UInt8] {
        var line: [UInt8] = []
        client.withUnsafeBytes { client in
            method.withUnsafeBytes { method in
                target.withUnsafeBytes { target in
                    host.withUnsafeBytes { host in
                        requestID.withUnsafeBytes { requestID in
                            let record = AccessLogRecord(
                                client: client,
                                method: method,
                                target: target,
                                host: host,
                                requestID: requestID,
                                status: status,
                                bytesIn: bytesIn,
                                bytesOut: bytesOut,
                                duration: duration,
                                timeToFirstByte: timeToFirstByte,
                                backend: backend,
                                attempts: attempts,
                                failedAttempts: failedAttempts,
                                reason: reason
                            )
                            record.append(to: &line, format: format, clock: WallClock())
                        }
                    }
                }
            }
        }
        return line
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

    @Test func `text: failed attempts stand in order with reason, time and words`() {
        #expect(
            Facts.retried.textBehindTime == """
                 192.0.2.7:4711 "GET /index?x=1" 200 in=0 out=1234 ms=12.345 ttfb=2.000 backend=c attempts=3 \
                failed=[a connection_refused 1.500ms "Failed to connect to \\"a\\" port 80", \
                b dns_error 0.000ms "no such\\x0ahost"] id=0123abcd\n
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

    @Test func `json: failed attempts are an array of objects`() throws {
        let object = try Facts.retried.object()
        let attempts = try #require(object["failed_attempts"] as? [[String: Any]])
        let expected: [[String: Any]] = [
            [
                "backend": "a", "reason": "connection_refused", "text": "Failed to connect to \"a\" port 80", "ms": 1.5,
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
        facts.duration = .max
        facts.timeToFirstByte = 0
        #expect(facts.textBehindTime.contains(" in=18446744073709551615 out=18446744073709551615 "))
        #expect(facts.textBehindTime.contains(" ms=18446744073709.551 ttfb=0.000 "))
        _ = try facts.object()
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
        facts.requestID = row.bytes
        #expect(
            facts.textBehindTime == """
                 192.0.2.7:4711 "\(row.text) \(row.text)" 200 in=0 out=1234 ms=12.345 ttfb=2.000 \
                backend=127.0.0.1:9001 attempts=1 id=\(row.text)\n
                """
        )
        let object = try facts.object()
        for key in ["target", "host", "method", "id"] { #expect(object[key] as? String == row.bytes.latin1) }
    }

    @Test(arguments: [AccessLogFormat.text, .json])
    func `every byte by itself leaves one line of printable ASCII`(format: AccessLogFormat) throws {
        for byte in UInt8.min...UInt8.max {
            var facts = Facts()
            facts.target = [byte]
            facts.host = [byte]
            let line = facts.line(format)
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
