// Tests of the words of messages: nearest names, escaping, lists.

import Testing

@testable import Control

@Suite struct WordingTests {
    @Test(
        "the distance counts insertions, deletions, replacements and swaps",
        arguments: [
            ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "abcd", 1),
            ("abc", "ab", 1), ("abc", "acb", 1), ("nmae", "name", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
        ] as [(String, String, Int)]
    )
    func distance(first: String, second: String, distance: Int) {
        #expect(editDistance(first, second) == distance)
        #expect(editDistance(second, first) == distance)
    }

    @Test(
        "the nearest setting",
        arguments: [
            ("LB_RETRYS", "LB_RETRIES"), ("LB_WORKER", "LB_WORKERS"), ("LB_LISTENER", "LB_LISTEN"),
            ("LB_ACCESSLOG", "LB_ACCESS_LOG"), ("LB_LOGLEVEL", "LB_LOG_LEVEL"), ("LB_MAX_HEADERS", "LB_MAX_HEADER"),
            ("LB_CONECT_TIMEOUT", "LB_CONNECT_TIMEOUT"), ("LB_UPSTREAMS", "LB_UPSTREAM_IDLE"), ("LB_X", nil),
            ("LB_" + String(repeating: "A", count: 1000), nil),
        ] as [(String, String?)]
    )
    func nearest(name: String, expected: String?) {
        #expect(nearestName(to: name, among: SettingsTable.rows.map(\.name)) == expected)
    }

    @Test func `escaping leaves one line of printable text`() {
        #expect(escaped("a\tb\r\nc\u{0}\u{7F}\u{85}") == #"a\tb\r\nc\u{0}\u{7F}\u{85}"#)
        #expect(escaped("\u{2028}\u{200B}\u{202E} é😀") == #"\u{2028}\u{200B}\u{202E} é😀"#)
    }

    @Test func `alternatives read as a list`() {
        #expect(alternatives(["a"]) == "a")
        #expect(alternatives(["a", "b"]) == "a or b")
        #expect(alternatives(["a", "b", "c"]) == "a, b or c")
    }
}
