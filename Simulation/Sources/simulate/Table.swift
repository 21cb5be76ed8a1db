// A table, for the terminal and for a document.

/// Rows of cells under a head.
struct Table: Sendable {
    var head: [String]
    var rows: [[String]] = []

    /// Columns as wide as need be; all but the first are set to the right.
    var text: String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map(\.[column].count).max() ?? 0 }
        return all.map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }
            return cells.joined(separator: "  ")
        }
        .joined(separator: "\n")
    }

    var markdown: String {
        let rule = "|---|" + String(repeating: "--:|", count: head.count - 1)
        let lines = ([head] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
        return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n")
    }

    /// The table without the columns in which all rows have this cell.
    func dropping(_ cell: String) -> Table {
        let kept = head.indices.filter { column in rows.contains { $0[column] != cell } }
        return Table(head: kept.map { head[$0] }, rows: rows.map { row in kept.map { row[$0] } })
    }
}

/// A number with so many digits after the point.
func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite else { return "–" }
    let factor = (0..<digits).reduce(1.0) { value, _ in value * 10 }
    let whole = Int64((number.magnitude * factor).rounded())
    let sign = number < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let fraction = String(whole % Int64(factor))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(sign)\(whole / Int64(factor)).\(zeros)\(fraction)"
}

/// Three digits, so that small and large times can stand in one column.
func milliseconds(_ seconds: Double) -> String {
    let number = seconds * 1000
    return fixed(number, number >= 100 ? 0 : number >= 10 ? 1 : 2)
}

func percent(_ part: Double, _ digits: Int = 2) -> String { part == 0 ? "0" : fixed(part * 100, digits) + " %" }
