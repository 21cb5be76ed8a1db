// The picture: latency and lost requests of each policy, a panel for each case, as SVG without any library.

internal import Foundation
internal import Simulation

/// Panels of bars in two columns: latencies on a logarithmic scale, 1 ms at the left and ten times as much at each further line; where
/// backends fail unseen, lost requests, all to the same scale.
///
/// In the manner of benchmarks/picture.py.
enum Picture {
    private struct Panel {
        let title: String
        var records: [Record]
        /// Where something is lost, that is what there is to see.
        var showsLosses: Bool { records.contains { $0.lostShare >= 0.0005 } }
    }

    private static let colours = [
        "round_robin": "#1864ab", "least_conn": "#2b8a3e", "random_two": "#f08c00", "peak_ewma": "#d9480f",
        "hash": "#862e9c", "first": "#868e96",
    ]
    private static let width = 960
    private static let columns = 2
    private static let margin = 24
    private static let bar = 14
    private static let gap = 6
    private static let title = 30
    private static let label = 92
    private static let figure = 64

    static func svg(_ records: [Record]) -> String {
        var panels: [Panel] = []
        for record in records {
            let title = record.caseName.isEmpty ? record.scenario : "\(record.scenario), \(record.caseName)"
            if panels.last?.title != title { panels.append(Panel(title: title, records: [])) }
            panels[panels.count - 1].records.append(record)
        }
        let losing = panels.filter(\.showsLosses)
        let most = losing.flatMap(\.records).map(\.lostShare).max() ?? 1
        var parts: [String] = []
        var top = heading(
            "Latency in ms, logarithmic: bar to p99, notch at p50, line to p99.9 (less is better)",
            &parts,
            top: 0
        )
        top = grid(panels.filter { !$0.showsLosses }, top: top, &parts, draw)
        if !losing.isEmpty {
            top = heading("Requests lost while a backend fails, of all in the run (less is better)", &parts, top: top)
            top = grid(losing, top: top, &parts) { drawLosses($0, most: most, left: $1, top: $2, width: $3) }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(top)" viewBox="0 0 \(width) \(top)" \
            font-family="system-ui, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(parts.joined(separator: "\n"))
            </svg>

            """
    }

    private static func heading(_ words: String, _ parts: inout [String], top: Int) -> Int {
        parts.append(text(margin, top + 32, words, size: 16, isBold: true))
        return top + 52
    }

    /// Draws panels in rows.
    ///
    /// - Returns: Where they end.
    private static func grid(
        _ panels: [Panel],
        top: Int,
        _ parts: inout [String],
        _ draw: (Panel, _ left: Int, _ top: Int, _ width: Int) -> [String]
    ) -> Int {
        let column = (width - margin * (columns + 1)) / columns
        var top = top
        for row in stride(from: 0, to: panels.count, by: columns) {
            let shown = panels[row..<min(row + columns, panels.count)]
            for (place, panel) in shown.enumerated() {
                parts += draw(panel, margin + place * (column + margin), top, column)
            }
            top += title + (shown.map(\.records.count).max() ?? 0) * (bar + gap) + 14
        }
        return top
    }

    private static func drawLosses(_ panel: Panel, most: Double, left: Int, top: Int, width: Int) -> [String] {
        var parts = [text(left, top + 14, panel.title, size: 14, isBold: true)]
        var y = top + title - 8
        for record in panel.records {
            parts.append(text(left + label - 8, y + 11, record.policy, anchor: "end"))
            let length = record.lostShare / most * Double(width - label - figure)
            let colour = colours[record.policy] ?? "#495057"
            parts.append(
                "<rect x=\"\(left + label)\" y=\"\(y)\" width=\"\(fixed(length, 1))\" height=\"\(bar)\" fill=\"\(colour)\"/>"
            )
            parts.append(text(left + label + Int(length) + 5, y + 11, percent(record.lostShare)))
            y += bar + gap
        }
        return parts
    }

    private static func draw(_ panel: Panel, left: Int, top: Int, width: Int) -> [String] {
        let records = panel.records
        var parts = [text(left, top + 14, panel.title, size: 14, isBold: true)]
        let quantiles = records.map { record in [0.5, 0.99, 0.999].map { record.results.latency.quantile($0) * 1000 } }
        let most = quantiles.joined().max() ?? 1
        let decades = max(1, log10(most).rounded(.up))
        let room = Double(width - label - figure)
        func x(_ milliseconds: Double) -> Double { Double(left + label) + max(0, log10(milliseconds)) / decades * room }
        let bottom = top + title - 8 + records.count * (bar + gap)
        for decade in 0...Int(decades) {
            let place = fixed(x(pow(10, Double(decade))), 1)
            parts.append(
                "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(top + title - 10)\" y2=\"\(bottom)\" stroke=\"#ced4da\"/>"
            )
        }
        var y = top + title - 8
        for (record, values) in zip(records, quantiles) {
            parts.append(text(left + label - 8, y + 11, record.policy, anchor: "end"))
            let begin = Double(left + label)
            let colour = colours[record.policy] ?? "#495057"
            parts.append(
                "<rect x=\"\(left + label)\" y=\"\(y)\" width=\"\(fixed(x(values[1]) - begin, 1))\" height=\"\(bar)\" fill=\"\(colour)\"/>"
            )
            parts.append(
                "<rect x=\"\(fixed(x(values[0]) - 1, 1))\" y=\"\(y)\" width=\"2\" height=\"\(bar)\" fill=\"#ffffff\"/>"
            )
            let middle = Double(y) + Double(bar) / 2
            parts.append(
                "<line x1=\"\(fixed(x(values[1]), 1))\" x2=\"\(fixed(x(values[2]), 1))\" y1=\"\(fixed(middle, 1))\" "
                    + "y2=\"\(fixed(middle, 1))\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
            )
            parts.append(text(Int(x(values[2])) + 5, y + 11, fixed(values[1], values[1] >= 100 ? 0 : 1)))
            y += bar + gap
        }
        return parts
    }

    private static func text(
        _ x: Int,
        _ y: Int,
        _ words: String,
        size: Int = 12,
        anchor: String = "start",
        isBold: Bool = false
    ) -> String {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        return
            "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" fill=\"#212529\"\(weight)>\(words)</text>"
    }
}
