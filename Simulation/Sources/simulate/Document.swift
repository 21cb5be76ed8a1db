// docs/policies.md: what was measured stands between two marks, and is put there anew.

internal import Foundation

/// The document that results are written into.
struct Document {
    let folder: String

    private var file: URL { URL(fileURLWithPath: folder).appendingPathComponent("policies.md") }

    /// Replaces what stands between the marks of a section.
    func replace(_ section: String, with body: String, command: String) throws {
        let begin = "<!-- \(section): written by scripts/simulate -->"
        let end = "<!-- end of \(section) -->"
        let text = try String(contentsOf: file, encoding: .utf8)
        guard let first = text.range(of: begin), let last = text.range(of: end), first.upperBound <= last.lowerBound
        else {
            throw UsageError(message: "\(file.path) has no lines '\(begin)' and '\(end)' to write between")
        }
        let mended = "\(text[..<first.upperBound])\n\n`\(command)`\n\n\(body)\n\n\(text[last.lowerBound...])"
        try mended.write(to: file, atomically: true, encoding: .utf8)
    }

    func write(picture: String) throws {
        let url = URL(fileURLWithPath: folder).appendingPathComponent("policies.svg")
        try picture.write(to: url, atomically: true, encoding: .utf8)
    }
}
