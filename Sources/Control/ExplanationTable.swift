// An explanation from the wire, as a table for people.

/// The value of `X-LB-Explain` (a dictionary of structured fields, RFC 8941 section 3.2), laid out in lines.
struct ExplanationTable {
    /// The members of the dictionary, but for the candidates.
    private var members: [String: String] = [:]
    private var candidates: [(name: String, parameters: [String: String])] = []

    init(_ value: String) {
        for member in Self.parts(of: value, separatedBy: ",") {
            let key = member.prefix { $0 != "=" }
            let value = String(member.dropFirst(key.count + 1))
            guard key == "candidates" else {
                members[String(key)] = Self.withoutQuotes(value)
                continue
            }
            candidates = Self.parts(of: String(value.dropFirst().dropLast()), separatedBy: " ").map { item in
                let parts = Self.parts(of: item, separatedBy: ";")
                var parameters: [String: String] = [:]
                for part in parts.dropFirst() {
                    let key = part.prefix { $0 != "=" }
                    parameters[String(key)] = Self.withoutQuotes(String(part.dropFirst(key.count + 1)))
                }
                return (Self.withoutQuotes(parts.first ?? ""), parameters)
            }
        }
    }

    /// Lines with the choice, then one for each candidate.
    var text: String {
        let attempt = members["attempt"] ?? "1"
        let choice = members["chosen"].map { "\($0), by \(members["rule"] ?? "?")" } ?? "no backend"
        let head = "policy \(members["policy"] ?? "?"), attempt \(attempt): \(choice)\n"
        let rating = candidates.contains { $0.parameters["score"] != nil } ? "score" : "cost"
        let isRated = candidates.contains { $0.parameters[rating] != nil }
        var rows = [["backend", "weight", "in flight"] + (isRated ? [rating] : []) + [""]]
        for candidate in candidates {
            let parameters = candidate.parameters
            let most = parameters["max_conns"].map { " of \($0)" } ?? ""
            var row = [candidate.name, parameters["weight"] ?? "-", (parameters["in_flight"] ?? "-") + most]
            if isRated { row.append(parameters[rating] ?? "-") }
            rows.append(row + [Self.remarks(parameters)])
        }
        var lines = Self.aligned(rows)
        if let omitted = members["omitted"] { lines.append("and \(omitted) more") }
        return head + "\n" + lines.joined(separator: "\n") + "\n"
    }

    private static func remarks(_ parameters: [String: String]) -> String {
        var remarks: [String] = []
        if parameters["chosen"] != nil { remarks.append("chosen") }
        if parameters["pinned"] != nil { remarks.append("the client's own") }
        if parameters["tier"] != nil, parameters["skipped"] != "backup" { remarks.append("backup") }
        if let reason = parameters["skipped"] { remarks.append("skipped: \(reason)") }
        return remarks.joined(separator: ", ")
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// The parts between separators that stand neither in quotes nor in parentheses, without spaces around them.
    private static func parts(of text: String, separatedBy separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        var depth = 0
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if !isQuoted, character == "(" { depth += 1 }
            if !isQuoted, character == ")" { depth -= 1 }
            if !isQuoted, depth == 0, character == separator {
                parts.append("")
            } else if isQuoted || depth > 0 || character != " " {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    private static func withoutQuotes(_ text: String) -> String {
        text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
    }
}
