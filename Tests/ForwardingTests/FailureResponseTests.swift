// Our own answers: read back by the parsers of their formats, for every row of the failure table.

import Foundation
import HTTPWire
import Telemetry
import Testing

@testable import EventLoop
@testable import Forwarding

/// The formats, with the type that each is sent as.
private let formats: [(PageFormat, String)] = [
    (.html, "text/html; charset=utf-8"), (.json, "application/problem+json"), (.text, "text/plain; charset=utf-8"),
]

/// Checks that every element that is opened is closed, in order; returns the text outside of tags and style.
private func textOfHTML(_ page: String) throws -> String {
    var open: [String] = []
    var text = ""
    var rest = page[...]
    while let start = rest.firstIndex(of: "<") {
        if open.last != "style" { text += rest[..<start] }
        let end = try #require(rest[start...].firstIndex(of: ">"))
        let tag = rest[rest.index(after: start)..<end]
        rest = rest[rest.index(after: end)...]
        let name = tag.prefix { $0 != " " }.lowercased()
        if name.hasPrefix("/") {
            try #require(open.popLast() == String(name.dropFirst()))
        } else if !["!doctype", "meta"].contains(name) {
            open.append(name)
        }
    }
    try #require(open.isEmpty)
    return text + rest
}

@Suite("Failure responses")
struct FailureResponseTests {
    private static let requestID = "0123456789abcdef0123456789abcdef"
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    /// Those that are ever sent.
    static let rows = FailureTableTests.allRows.filter { $0.proxyStatusError != nil }

    private func response(
        _ failure: ExchangeFailure,
        _ format: PageFormat = .text,
        requestID: String = requestID,
        proxyName: String = "lb-1",
        clientMinorVersion: UInt8 = 1,
        isHeadOnly: Bool = false,
        keepAlive: Bool = true,
        attempts: [AccessLogAttempt] = [],
        explanation: String? = nil
    ) -> (text: String, bodyLength: Int) {
        let buffer = Buffer(capacity: FailureResponse.maximumSize)
        let length = FailureResponse(
            failure: failure,
            format: format,
            requestID: requestID,
            proxyName: proxyName,
            date: Array(Self.date.utf8),
            clientMinorVersion: clientMinorVersion,
            isHeadOnly: isHeadOnly,
            keepAlive: keepAlive,
            attempts: attempts,
            explanation: explanation
        ).write(to: buffer)
        return (buffer.text, length)
    }

    @Test func `an answer byte for byte`() {
        let answer = response(.connectionRefused)
        let body = """
            502 Bad Gateway
            The server behind this one refused the connection.
            Reason: connection_refused
            Request: 0123456789abcdef0123456789abcdef

            """
        let head = """
            HTTP/1.1 502 Bad Gateway\r
            Date: Sun, 06 Nov 1994 08:49:37 GMT\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Length: \(body.utf8.count)\r
            Cache-Control: no-store\r
            Proxy-Status: lb-1; error=connection_refused\r
            X-Request-Id: 0123456789abcdef0123456789abcdef\r
            \r

            """
        #expect(answer.text == head + body)
        #expect(answer.bodyLength == body.utf8.count)
    }

    @Test(arguments: rows.indices)
    func `every row's answer is a whole response that says the same in every format`(index: Int) throws {
        let row = Self.rows[index]
        for (format, type) in formats {
            let answer = response(row, format)
            let received = try ReceivedResponse(answer.text)
            #expect(received.head.status == row.status)
            #expect(!received.reason.isEmpty && received.reason != "Error")
            #expect(received.values("Date") == [Self.date])
            #expect(received.values("Content-Type") == [type])
            #expect(received.values("Cache-Control") == ["no-store"])
            #expect(received.values("X-Request-Id") == [Self.requestID])
            #expect(received.values("Proxy-Status") == row.proxyStatusError.map { ["lb-1; error=\($0)"] } ?? [])
            #expect(received.values("Retry-After") == (row.status == 503 || row.status == 429 ? ["1"] : []))
            #expect(received.head.declaredLength == received.body.utf8.count)
            #expect(answer.bodyLength == received.body.utf8.count)

            switch format {
            case .json:
                let parsed = try JSONSerialization.jsonObject(with: Data(received.body.utf8))
                let object = try #require(parsed as? [String: Any])
                let expected: [String: Any] = [
                    "type": "about:blank", "title": received.reason, "status": row.status, "detail": row.explanation,
                    "reason": row.label, "request_id": Self.requestID,
                ]
                #expect(NSDictionary(dictionary: object) == NSDictionary(dictionary: expected))
            case .html:
                let text = try textOfHTML(received.body)
                for part in ["\(row.status) \(received.reason)", row.explanation, row.label, Self.requestID] {
                    #expect(text.contains(part))
                }
                #expect(!holdsAddress(text))
            case .text:
                #expect(
                    received.body.split(separator: "\n") == [
                        "\(row.status) \(received.reason)", "\(row.explanation)", "Reason: \(row.label)",
                        "Request: \(Self.requestID)",
                    ]
                )
                #expect(!holdsAddress(received.body.replacing("Reason: ", with: "").replacing("Request: ", with: "")))
            }
        }
    }

    @Test(arguments: rows.indices)
    func `HEAD gets the same head and no body`(index: Int) throws {
        for (format, _) in formats {
            let full = try ReceivedResponse(response(Self.rows[index], format).text)
            let answer = response(Self.rows[index], format, isHeadOnly: true)
            let headOnly = try ReceivedResponse(answer.text, answering: .head)
            #expect(answer.bodyLength == 0)
            #expect(headOnly.body == "")
            #expect(headOnly.buffer.text + full.body == full.buffer.text)
        }
    }

    @Test(arguments: rows.indices)
    func `the largest answer fits`(index: Int) {
        for (format, _) in formats {
            let answer = response(
                Self.rows[index],
                format,
                requestID: String(repeating: "i", count: 128),
                proxyName: String(repeating: "n", count: 255),
                keepAlive: false
            )
            #expect(answer.text.utf8.count <= FailureResponse.maximumSize / 2, "with room to spare")
        }
    }

    // MARK: For those who may know more

    private static var attempts: [AccessLogAttempt] {
        [
            AccessLogAttempt(
                backend: "a:80",
                reason: "connection_refused",
                text: "Could not connect to a",
                nanoseconds: 1_234_567
            ),
            AccessLogAttempt(backend: "b<&\"", reason: "dns_error", text: "\"<script>\\\r\n\u{E9}", nanoseconds: 0),
        ]
    }

    @Test func `attempts as text`() throws {
        let answer = response(.connectionRefused, attempts: Self.attempts, explanation: "attempt=2")
        let received = try ReceivedResponse(answer.text)
        #expect(received.values("X-LB-Explain") == ["attempt=2"])
        #expect(
            received.body.hasSuffix(
                """
                Request: \(Self.requestID)
                Attempt 1: a:80 connection_refused 1.234 ms "Could not connect to a"
                Attempt 2: b<&" dns_error 0.000 ms "\"<script>\\???"

                """
            )
        )
    }

    @Test func `attempts as JSON`() throws {
        let body = try ReceivedResponse(response(.connectionRefused, .json, attempts: Self.attempts).text).body
        let object = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let attempts = try #require(object["attempts"] as? [[String: Any]])
        let expected: [[String: Any]] = [
            ["backend": "a:80", "reason": "connection_refused", "text": "Could not connect to a", "ms": 1.234],
            ["backend": "b<&\"", "reason": "dns_error", "text": "\"<script>\\???", "ms": 0],
        ]
        #expect(NSArray(array: attempts) == NSArray(array: expected))
    }

    @Test func `attempts as HTML`() throws {
        let body = try ReceivedResponse(response(.connectionRefused, .html, attempts: Self.attempts).text).body
        let text = try textOfHTML(body)
        #expect(text.contains("Could not connect to a"))
        #expect(text.contains("&quot;&lt;script&gt;") && !body.contains("<script"))
    }

    @Test(arguments: [PageFormat.html, .json, .text])
    func `however many attempts there were, the answer fits, and the rest is counted`(format: PageFormat) throws {
        let text = String(repeating: "\"&", count: 1000)
        let attempt = AccessLogAttempt(backend: "a:80", reason: "connection_refused", text: text, nanoseconds: .max)
        let answer = response(
            .connectionRefused,
            format,
            requestID: String(repeating: "i", count: 128),
            proxyName: String(repeating: "n", count: 255),
            attempts: Array(repeating: attempt, count: 101),
            explanation: String(repeating: "e", count: Exchange.maximumExplanation)
        )
        #expect(answer.text.utf8.count <= FailureResponse.maximumSize)
        let received = try ReceivedResponse(answer.text)
        #expect(received.head.declaredLength == received.body.utf8.count)
        let shown = received.body.matches(of: /connection_refused/).count - 1
        #expect(shown > 1)
        switch format {
        case .html:
            #expect(try textOfHTML(received.body).contains("and \(101 - shown) more"))
        case .json:
            let parsed = try JSONSerialization.jsonObject(with: Data(received.body.utf8))
            let attempts = try #require((parsed as? [String: Any])?["attempts"] as? [[String: Any]])
            #expect(attempts.count == shown + 1 && attempts.last?["omitted"] as? Int == 101 - shown)
        case .text:
            #expect(received.body.hasSuffix("\nand \(101 - shown) more\n"))
        }
    }

    @Test(
        arguments: [(0, true, ["keep-alive"]), (0, false, ["close"]), (1, true, []), (1, false, ["close"])]
            as [(UInt8, Bool, [String])]
    )
    func `Connection says what the version's default is not`(
        minorVersion: UInt8,
        keepAlive: Bool,
        expected: [String]
    ) throws {
        let answer = response(.noBackend, clientMinorVersion: minorVersion, keepAlive: keepAlive)
        #expect(try ReceivedResponse(answer.text).values("Connection") == expected)
    }
}
