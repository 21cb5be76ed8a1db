// Tests that docs/settings.md holds the table of the code; with UPDATE_DOCS=1 in the environment they write it there.

import Foundation
import Testing

@testable import Control

@Suite struct SettingsDocumentTests {
    private static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/settings.md")
    private static let begin =
        "<!-- settings table, written by: UPDATE_DOCS=1 swift test --filter SettingsDocumentTests -->\n"
    private static let end = "<!-- end of settings table -->\n"

    @Test func `docs/settings.md holds the table of the code`() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let begin = try #require(text.firstRange(of: Self.begin))
        let end = try #require(text.firstRange(of: Self.end))
        let generated = "\n" + SettingsDocument.markdownTable + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            let updated = text[..<begin.upperBound] + generated + text[end.lowerBound...]
            try Data(updated.utf8).write(to: Self.file, options: .atomic)
            return
        }
        #expect(text[begin.upperBound..<end.lowerBound] == generated)
    }

    @Test func `every line that docs/settings.md shows as a refusal is one`() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let shown = text.split(separator: "\n").filter { $0.hasPrefix("curl-lb: ") }.map(String.init)
        let known = Set(Mistake.all.map(\.line))
        #expect(!shown.isEmpty)
        for line in shown { #expect(known.contains(line)) }
    }

    @Test func `docs/settings.md explains every key of a backend`() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        for key in BackendOptions.Key.allCases { #expect(text.contains("\n| `\(key.rawValue)` | ")) }
    }

    @Test func `no help line breaks the Markdown table`() {
        for row in SettingsTable.rows {
            for text in [row.help, row.form, row.defaultText] {
                #expect(!text.contains("|") && !text.contains("\n") && escaped(text) == text)
            }
        }
    }
}
