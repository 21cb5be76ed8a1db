// How the figures of `curl-lb top` become lines of text: a pure function of figures and size.

/// Lays figures out.
struct TopScreen {
    /// The terminal's columns and lines; nil for as many as are needed.
    var size: (columns: Int, lines: Int)?
    /// Whether escape sequences for colours are wanted.
    var isColourful = false

    /// A piece of text of one colour, as a terminal may get it: whatever a backend is called, there is no control character and no
    /// escape sequence in it.
    struct Piece {
        let text: String
        let mood: TopMood

        init(_ text: String, _ mood: TopMood = .plain) {
            self.text = printable(text)
            self.mood = mood
        }
    }

    /// One column of the table.
    private struct Column: Sendable {
        var title: String
        var isRight = false
        /// Which columns are left out first when there is no room: those with the highest numbers; 0 never.
        var rank: Int
        var cell: @Sendable (TopFigures.Backend) -> Piece
    }

    private static let columns = [
        Column(title: "BACKEND", rank: 0) { Piece(cut($0.name, to: 40)) },
        Column(title: "STATE", rank: 0) { Piece($0.state, $0.mood) },
        Column(title: "WEIGHT", isRight: true, rank: 5) { Piece($0.weight) },
        Column(title: "IN FLIGHT", isRight: true, rank: 4) { Piece($0.inFlight) },
        Column(title: "REQ/S", isRight: true, rank: 1) { Piece(TopWords.rate($0.requests)) },
        Column(title: "FAIL/S", isRight: true, rank: 2) {
            Piece(TopWords.rate($0.failures), ($0.failures ?? 0) > 0 ? .bad : .plain)
        },
        Column(title: "P50", isRight: true, rank: 6) { Piece(TopWords.duration($0.p50)) },
        Column(title: "P99", isRight: true, rank: 3) { Piece(TopWords.duration($0.p99)) },
        Column(title: "LAST CHECK", rank: 7) { Piece($0.check, .faint) },
    ]

    private static func cut(_ text: String, to length: Int) -> String {
        text.count > length ? text.prefix(length - 1) + "…" : text
    }

    /// The lines, without line breaks, each within the terminal's width, and no more than it has.
    ///
    /// - Parameters:
    ///   - figures: Nil before there are any.
    ///   - problem: Why there are no newer ones.
    func lines(_ figures: TopFigures?, problem: String? = nil) -> [String] {
        var lines: [[Piece]] = []
        if let problem { lines.append([Piece(problem, .bad)]) }
        guard let figures else { return lines.map(written) }
        lines += head(figures)
        lines.append([])
        let foot = reasons(figures.reasons)
        let room = size.map { max(1, $0.lines - lines.count - foot.count - 1) }
        lines += table(figures.backends, room: room)
        lines += foot
        return (size.map { lines.prefix(max(1, $0.lines)) } ?? lines[...]).map(written)
    }

    // MARK: Parts

    private func head(_ figures: TopFigures) -> [[Piece]] {
        let share = figures.errorShare.map { " (\(TopWords.percent($0)) %)" } ?? ""
        var lines = [
            [
                Piece(figures.name, .notable),
                Piece(
                    "  curl-lb \(figures.version)  \(figures.policy)  up \(TopWords.span(figures.uptime))",
                    .faint
                ),
            ],
            [
                Piece("\(TopWords.rate(figures.requests)) requests/s  "),
                Piece(
                    "\(TopWords.rate(figures.errors)) errors/s\(share)",
                    figures.errors > 0 ? .bad : .plain
                ),
                Piece("  p50 \(TopWords.duration(figures.p50))  p99 \(TopWords.duration(figures.p99))"),
                Piece(
                    "  \(figures.inFlight) in flight  \(figures.waiting) waiting  \(figures.connections) connections"
                ),
            ],
        ]
        if figures.isPanic {
            lines.append([Piece("PANIC: no backend is usable, requests go to all that are ready", .bad)])
        }
        return lines
    }

    private func table(_ backends: [TopFigures.Backend], room: Int?) -> [[Piece]] {
        var rows = backends
        var left = 0
        if let room, rows.count > room {
            // What is wrong is seen, whatever else is not.
            rows = backends.enumerated()
                .sorted { Self.isMoreUrgent($0.element, $1.element) ?? ($0.offset < $1.offset) }
                .map(\.element)
            left = rows.count - (room - 1)
            rows = Array(rows.prefix(room - 1))
        }
        var columns = Self.columns
        func cells() -> [[Piece]] {
            [columns.map { Piece($0.title, .faint) }] + rows.map { row in columns.map { $0.cell(row) } }
        }
        func widths() -> [Int] { cells().columnWidths }
        // The last column is cut, down to what still says something; then columns go.
        let least = 16
        while let width = size?.columns, columns.count > 2 {
            let all = widths()
            let last = columns.last?.rank == 7 ? min(all[all.count - 1], least) : all[all.count - 1]
            guard all.dropLast().reduce(last, +) + 2 * (columns.count - 1) > width else { break }
            let highest = columns.indices.max { columns[$0].rank < columns[$1].rank } ?? 0
            columns.remove(at: highest)
        }
        let all = widths()
        var lines = cells().map { line in
            line.indices.map { column -> Piece in
                let text = line[column].text
                let padding = String(repeating: " ", count: all[column] - text.count)
                let isLast = column == line.count - 1
                let padded = columns[column].isRight ? padding + text : isLast ? text : text + padding
                return Piece(padded + (isLast ? "" : "  "), line[column].mood)
            }
        }
        if left > 0 { lines.append([Piece("and \(left) more", .faint)]) }
        return lines
    }

    /// Whether one backend has to be seen rather than another; nil when it is all the same.
    private static func isMoreUrgent(_ first: TopFigures.Backend, _ second: TopFigures.Backend) -> Bool? {
        func key(_ backend: TopFigures.Backend) -> (Int, Double, Double) {
            let mood: Int
            switch backend.mood {
            case .bad: mood = 3
            case .notable: mood = 2
            case .good, .plain: mood = 1
            case .faint: mood = 0
            }
            return (mood, backend.failures ?? 0, backend.requests ?? 0)
        }
        let (one, other) = (key(first), key(second))
        return one == other ? nil : one > other
    }

    private func reasons(_ reasons: [TopFigures.Reason]) -> [[Piece]] {
        guard !reasons.isEmpty else { return [] }
        let shown = reasons.prefix(size == nil ? reasons.count : 5)
        let width = shown.map { printable($0.label).count }.max() ?? 0
        return [[], [Piece("REASONS OF FAILURES", .faint)]]
            + shown.map { reason in
                let label = printable(reason.label)
                return [
                    Piece(label + String(repeating: " ", count: width - label.count)),
                    Piece("  \(TopWords.rate(reason.rate)) /s", reason.rate > 0 ? .bad : .plain),
                    Piece(", \(reason.total) in all", .faint),
                ]
            }
    }

    // MARK: Text

    private func written(_ line: [Piece]) -> String {
        var left = size?.columns ?? .max
        var result = ""
        for piece in line where left > 0 {
            var text = piece.text
            if text.count > left { text = text.prefix(left - 1) + "…" }
            left -= text.count
            result += coloured(text, piece.mood)
        }
        return size == nil ? String(result.reversed().drop { $0 == " " }.reversed()) : result
    }

    private func coloured(_ text: String, _ mood: TopMood) -> String {
        guard isColourful else { return text }
        let code: String
        switch mood {
        case .plain: return text
        case .good: code = "32"
        case .notable: code = "1"
        case .bad: code = "1;31"
        case .faint: code = "2"
        }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}

extension [[TopScreen.Piece]] {
    /// The longest text of each column.
    fileprivate var columnWidths: [Int] {
        (first ?? []).indices.map { column in map { $0[column].text.count }.max() ?? 0 }
    }
}
