// Tests by table: exact bytes in and out of the real program, both ways.

import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct CaseTableTests {
    @Test func `every row of the table`() throws {
        try Scene.play { scene in
            let table = try CaseTable(in: scene)
            let rows = Case.all
            #expect(Set(rows.map(\.label)).count == rows.count, "no two rows have the same label")
            var complaints: [String: [String]] = [:]
            for row in rows { complaints[row.label] = table.run(row) }
            for (label, complaint) in try table.unexplained() { complaints[label, default: []].append(complaint) }
            let failed = rows.filter { complaints[$0.label]?.isEmpty == false }
            for row in failed {
                let reasons = complaints[row.label, default: []].joined(separator: "; ")
                Issue.record("\(row.label) (\(row.section)): \(reasons)")
            }
            print("\(rows.count - failed.count) passed, \(failed.count) failed")
        }
    }

    @Test func `how the bytes arrive makes no difference`() throws {
        try Scene.play { scene in
            let table = try CaseTable(in: scene)
            for row in Case.divisible {
                guard case .send(let bytes) = row.steps[0] else { continue }
                for cut in stride(from: 7, to: bytes.unicodeScalars.count, by: 7) {
                    let complaints = table.run(row, cut: cut)
                    if !complaints.isEmpty {
                        Issue.record("\(row.label), cut at \(cut): \(complaints.joined(separator: "; "))")
                    }
                }
            }
            #expect(try table.unexplained().isEmpty)
        }
    }
}

extension Case {
    static let all: [Case] = requestLines + hosts + fieldLines + framing + chunks

    /// Rows that are short, and say all they have to say at once.
    static let divisible: [Case] = all.filter { row in
        guard case .send(let bytes) = row.steps[0], row.steps.count == 2 else { return false }
        return bytes.unicodeScalars.count <= 160
    }
}
