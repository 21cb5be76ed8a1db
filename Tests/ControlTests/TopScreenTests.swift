// Tests of what `curl-lb top` shows: exact lines for given figures.

import Testing

@testable import Control

@Suite struct TopScreenTests {
    private func backend(
        _ name: String,
        _ state: String = "up",
        _ mood: TopMood = .good,
        requests: Double? = 0,
        failures: Double? = 0
    ) -> TopFigures.Backend {
        TopFigures.Backend(
            name: name,
            state: state,
            mood: mood,
            weight: "1",
            inFlight: "0",
            requests: requests,
            failures: failures,
            p50: nil,
            p99: nil,
            check: "-"
        )
    }

    private func figures(
        _ backends: [TopFigures.Backend],
        reasons: [TopFigures.Reason] = [],
        isPanic: Bool = false
    ) -> TopFigures {
        TopFigures(
            name: "edge-1",
            version: "0.1.0",
            policy: "round_robin",
            uptime: 11_045,
            isPanic: isPanic,
            requests: 404.6,
            errors: 4,
            errorShare: 0.0099,
            p50: 3_204_000,
            p99: 41_000_000,
            inFlight: 12,
            waiting: 3,
            connections: 40,
            backends: backends,
            reasons: reasons
        )
    }

    private var three: [TopFigures.Backend] {
        var one = backend("b1", requests: 200)
        (one.p50, one.p99, one.inFlight, one.check) = (3_000_000, 40_000_000, "7/50", "passed 1 s ago: 200")
        var two = backend("b2", "down", .bad, requests: 3, failures: 3)
        two.check = "FAILED 2 s ago: Failed to connect to 10.0.0.2 port 80 after 0 ms: Couldn't connect to server"
        var three = backend("b3", "up, drain", .notable, requests: nil, failures: nil)
        three.weight = "5 (20 %)"
        return [one, two, three]
    }

    @Test func `all there is, without a terminal`() {
        let reasons = [
            TopFigures.Reason(label: "connection_refused", rate: 4, total: 40),
            TopFigures.Reason(label: "client_gone", rate: 0, total: 2),
        ]
        let expected = """
            edge-1  curl-lb 0.1.0  round_robin  up 3 h 4 min
            405 requests/s  4.00 errors/s (0.99 %)  p50 3.20 ms  p99 41.0 ms  12 in flight  3 waiting  40 connections

            BACKEND  STATE        WEIGHT  IN FLIGHT  REQ/S  FAIL/S      P50      P99  LAST CHECK
            b1       up                1       7/50    200       0  3.00 ms  40.0 ms  passed 1 s ago: 200
            b2       down              1          0   3.00    3.00        -        -  FAILED 2 s ago: Failed to connect to 10.0.0.2 port 80 after 0 ms: Couldn't connect to server
            b3       up, drain  5 (20 %)          0      -       -        -        -  -

            REASONS OF FAILURES
            connection_refused  4.00 /s, 40 in all
            client_gone         0 /s, 2 in all
            """
        #expect(TopScreen().lines(figures(three, reasons: reasons)).joined(separator: "\n") == expected)
    }

    @Test func `a terminal's width holds what matters most`() {
        let lines = TopScreen(size: (60, 24)).lines(figures(three))
        let expected = """
            edge-1  curl-lb 0.1.0  round_robin  up 3 h 4 min
            405 requests/s  4.00 errors/s (0.99 %)  p50 3.20 ms  p99 41…

            BACKEND  STATE      IN FLIGHT  REQ/S  FAIL/S      P99
            b1       up              7/50    200       0  40.0 ms
            b2       down               0   3.00    3.00        -
            b3       up, drain          0      -       -        -
            """
        #expect(
            lines.map(trimmed) == expected.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        )
    }

    @Test(
        "no line is longer than the terminal is wide, and no more are shown than it has",
        arguments: [1, 2, 20, 33, 80, 500]
    )
    func size(columns: Int) {
        let many = (0..<40).map { backend("backend-number-\($0)") }
        for lines in [1, 2, 5, 8, 24, 60] {
            let shown = TopScreen(size: (columns, lines)).lines(figures(many), problem: "no answer")
            #expect(shown.count <= lines)
            #expect(shown.allSatisfy { $0.count <= columns })
        }
    }

    @Test func `when not all fit, what is wrong is seen first`() {
        var many = (0..<40).map { backend("b\($0)", requests: Double($0)) }
        many[20] = backend("b20", "down", .bad)
        many[30] = backend("b30", requests: 1, failures: 1)
        let lines = TopScreen(size: (80, 9)).lines(figures(many))
        #expect(lines.dropFirst(4).map { String($0.prefix { $0 != " " }) } == ["b20", "b30", "b39", "b38", "and"])
        #expect(lines.last == "and 36 more")
        #expect(lines.count == 9)
    }

    @Test func `colours stand around words, and only when they are wanted`() {
        let plain = TopScreen(size: (80, 24)).lines(figures(three, isPanic: true))
        #expect(plain.allSatisfy { !$0.contains("\u{1B}") })
        let colourful = TopScreen(size: (80, 24), isColourful: true).lines(figures(three, isPanic: true))
        #expect(colourful.contains { $0.contains("\u{1B}[1;31mdown       \u{1B}[0m") })
        #expect(colourful[2] == "\u{1B}[1;31mPANIC: no backend is usable, requests go to all that are ready\u{1B}[0m")
        #expect(zip(plain, colourful).allSatisfy { $0 == withoutColours($1) })
    }

    @Test func `no name, reason or text of a probe reaches the terminal as a command`() {
        let hostile = "\u{1B}[2J\u{1B}]0;owned\u{7}\r\n\u{9B}31m\u{202E}x"
        var bad = backend(hostile, hostile)
        (bad.weight, bad.inFlight, bad.check) = (hostile, hostile, hostile)
        var all = figures([bad], reasons: [TopFigures.Reason(label: hostile, rate: 1, total: 1)])
        (all.name, all.version, all.policy) = (hostile, hostile, hostile)
        for screen in [TopScreen(), TopScreen(size: (200, 50))] {
            let lines = screen.lines(all, problem: hostile)
            let bytes = lines.joined().unicodeScalars
            #expect(bytes.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "\u{202E}" })
            #expect(lines[0].hasPrefix(#"\u{1B}[2J\u{1B}]0;owned\u{7}\u{D}\u{A}\u{9B}31m\u{202E}x"#))
        }
    }

    @Test func `a problem stands above the last figures, or alone`() {
        #expect(TopScreen(size: (80, 24)).lines(nil, problem: "no answer") == ["no answer"])
        #expect(
            TopScreen(size: (80, 24)).lines(figures([]), problem: "no answer").prefix(2).last?.hasPrefix("edge-1")
                == true
        )
    }

    @Test(
        "numbers in as many digits as mean something",
        arguments: [
            (TopWords.rate(0), "0"), (TopWords.rate(nil), "-"), (TopWords.rate(0.001), "<0.01"),
            (TopWords.rate(0.25), "0.25"),
            (TopWords.rate(9.996), "10.0"), (TopWords.rate(99.96), "100"), (TopWords.rate(12345.4), "12345"),
            (TopWords.percent(0), "0"), (TopWords.percent(1), "100"), (TopWords.percent(0.99999), "99.9"),
            (TopWords.percent(0.0123), "1.23"), (TopWords.percent(0.00001), "<0.01"),
            (TopWords.duration(nil), "-"), (TopWords.duration(850), "0.85 µs"), (TopWords.duration(999_400), "999 µs"),
            (TopWords.duration(999_600), "1.00 ms"), (TopWords.duration(41_000_000), "41.0 ms"),
            (TopWords.duration(12_000_000_000), "12.0 s"), (TopWords.duration(1e12), "1000 s"),
            (TopWords.span(0.2), "0 s"), (TopWords.span(59.4), "59 s"), (TopWords.span(60), "1 min"),
            (TopWords.span(3_661), "1 h 1 min"), (TopWords.span(200_000), "2 d 7 h"),
        ]
    )
    func words(shown: String, expected: String) {
        #expect(shown == expected)
    }

    private func trimmed(_ line: String) -> String { String(line.reversed().drop { $0 == " " }.reversed()) }

    private func withoutColours(_ line: String) -> String { line.replacing(/\u{1B}\[[0-9;]*m/, with: "") }
}
