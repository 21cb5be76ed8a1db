// Tests that each failure has one name, which the log, the counters, the Proxy-Status field and the page share.

import Foundation
import Forwarding
import HTTPWire
import Testing

/// One failure brought about: which balancer it happened at, and what the client got.
struct Failing {
    let balancer: CurlLB
    /// The page of ours; nil where none can be sent.
    var page: Message?
}

@Suite(.timeLimit(.minutes(5))) struct FailureWordsTests {
    static let allLabels = Set(ExchangeFailure.allLabels)

    /// A row of the failure table, and how it comes about.
    struct Row: Sendable, CustomTestStringConvertible {
        /// Where the word is found.
        enum Place: Sendable {
            /// As the reason of the request, with a page of ours.
            case page
            /// As the reason of the request, which has no answer, or that of the backend.
            case noPage
            /// Beside the reason.
            case note
            /// Of an attempt that another one follows.
            case attempt
        }

        let label: String
        let place: Place
        let play: @Sendable (Scene) throws -> Failing

        init(_ label: String, _ place: Place = .page, _ play: @escaping @Sendable (Scene) throws -> Failing) {
            self.label = label
            self.place = place
            self.play = play
        }

        var testDescription: String { label }
    }

    @Test func `each row of the table is played`() {
        let played = Self.rows.map(\.label)
        #expect(Set(played) == Set(ExchangeFailure.table.map(\.label)) && Set(played).count == played.count)
    }

    @Test("one word in log, counters, header and page", arguments: rows)
    func oneWord(_ row: Row) throws {
        try Scene.play { scene in
            scene.environment["LB_ADMIN"] = "127.0.0.1:0"
            let known = try #require(ExchangeFailure.table.first { $0.label == row.label })
            let failing: Failing
            do { failing = try row.play(scene) } catch let missing as Unplayable {
                print("\(row.label) was not played: \(missing.reason)")
                return
            }
            if let page = failing.page { expect(page, known) }
            #expect((failing.page != nil) == (row.place == .page))
            let word =
                switch row.place {
                case .page, .noPage: " reason=\(row.label) "
                case .note: " notes=\(row.label) "
                case .attempt: " \(row.label) "
                }
            try eventually("the word in \(failing.balancer.log)") {
                failing.balancer.log.contains { "\($0) ".contains(word) }
            }
            if failing.balancer.process.exitStatus == nil { try expectMetric(of: row, at: failing.balancer) }
            // What an attempt ends by is counted for its backend, which the last line does not tell.
            let counts = try failing.balancer.countsAtTheEnd()
            if row.place != .attempt { #expect(counts.failures[row.label, default: 0] >= 1, "\(counts)") }
        }
    }

    private func expectMetric(of row: Row, at balancer: CurlLB) throws {
        // It ends by itself where the row is about its end.
        guard let text = try? balancer.metrics() else { return }
        let counts = Telemetry(metrics: text)
        let counted = row.place == .attempt ? counts.failedAttempts : counts.failures
        #expect(counted[row.label, default: 0] >= 1, "\(counts)")
    }

    private func expect(_ page: Message, _ row: ExchangeFailure) {
        #expect(page.status == row.status)
        #expect(page.body.text.contains("\nReason: \(row.label)\n"), "\(page.body.text)")
        #expect(page["Proxy-Status"] == row.proxyStatusError.map { "curl-lb; error=\($0)" })
    }

    // MARK: Refused requests

    private static let trailers = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Requests that are refused, beside those of ``ClientFaultTests``.
    private static let refused: [(label: String, request: String)] =
        ClientFaultTests.malformed.map { ($0.reason, $0.request) } + [
            ("extra_empty_line", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n"),
            ("malformed_authority", "GET http://a:b/ HTTP/1.1\r\nHost: test\r\n\r\n"),
            ("control_byte", "GET / HTTP/1.1\r\nHost: test\r\nX-A: \u{1}\r\n\r\n"),
            (
                "too_many_connection_options",
                "GET / HTTP/1.1\r\nHost: test\r\nConnection: \((0..<300).map { "a\($0)" }.joined(separator: ","))\r\n\r\n"
            ),
        ]

    /// Bodies in chunks that are refused.
    private static let refusedChunks: [(label: String, body: String)] = [
        ("missing_chunk_size", ";a\r\n"), ("malformed_chunk_size", "xyz\r\n"),
        ("chunk_too_large", "fffffffffffffffff\r\n"), ("whitespace_in_chunk_size", " 3\r\nabc\r\n0\r\n\r\n"),
        ("chunk_extension_too_long", "1;\(String(repeating: "a", count: 5000))\r\n"),
        (
            "excessive_chunk_extensions",
            String(repeating: "1;\(String(repeating: "a", count: 1000))\r\nx\r\n", count: 30)
        ),
        ("control_byte_in_chunk_extension", "1;a=\u{1}\r\n"), ("missing_chunk_end", "3\r\nabcd\r\n0\r\n\r\n"),
        ("bare_carriage_return", "0\r\nA: 1\rB: 2\r\n\r\n"), ("bare_line_feed", "3\nabc\n0\n\n"),
        ("nul_byte", "0\r\nA: \u{0}\r\n\r\n"), ("control_byte", "0\r\nA: \u{1}\r\n\r\n"),
        ("obsolete_folding", "0\r\nA: 1\r\n 2\r\n\r\n"), ("whitespace_before_colon", "0\r\nA : 1\r\n\r\n"),
        ("empty_field_name", "0\r\n: 1\r\n\r\n"), ("malformed_field_name", "0\r\nA(: 1\r\n\r\n"),
        ("missing_colon", "0\r\nnonsense\r\n\r\n"),
        ("trailer_too_large", "0\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n"),
        ("too_many_trailer_fields", "0\r\n\((0..<1000).map { "A: \($0)\r\n" }.joined())\r\n"),
    ]

    @Test func `each way to refuse a request is played`() {
        #expect(Set(Self.refused.map(\.label)) == Set(RequestRefusal.allCases.map(\.rawValue)))
        #expect(Set(Self.refusedChunks.map(\.label)) == Set(ChunkedRefusal.allCases.map(\.rawValue)))
    }

    @Test func `one word for each way to refuse a request`() throws {
        try Scene.play { scene in
            let balancer = try scene.curlLB([try scene.origin()], ["LB_ADMIN": "127.0.0.1:0"])
            let requests = Self.refused + Self.refusedChunks.map { ($0.label, Self.trailers + $0.body) }
            for (index, (label, request)) in requests.enumerated() {
                let client = try balancer.connect()
                // It may be refused before it is there.
                _ = client.sendSome(request.bytes)
                let page = try client.receiveResponse()
                client.close()
                #expect(page.body.text.contains("\nReason: \(label)\n"), "\(label): \(page.body.text)")
                #expect(page["Proxy-Status"] == "curl-lb; error=http_request_error")
                #expect(try balancer.logLine(index).contains(" reason=\(label) "), "\(label)")
            }
            let expected = Dictionary(grouping: requests, by: \.label).mapValues(\.count)
            #expect(Telemetry(metrics: try balancer.metrics()).failures == expected)
            #expect(try balancer.countsAtTheEnd().failures == expected)
        }
    }
}

/// A failure that cannot be brought about on this machine.
struct Unplayable: Error {
    let reason: String
}
