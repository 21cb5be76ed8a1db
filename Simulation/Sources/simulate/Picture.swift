// The picture: p50, p99 and p99.9 of each policy, a panel for each case, as SVG without any library.

internal import Foundation
internal import Simulation

/// Panels of bars on a logarithmic scale: 1 ms at the left, ten times as much at each further line.
///
/// In the manner of benchmarks/picture.py.
enum Picture {
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
        var panels: [(title: String, records: [Record])] = []
        for record in records {
            let title = record.caseName.isEmpty ? record.scenario : "\(record.scenario), \(record.caseName)"
            if panels.last?.title != title { panels.append((title, [])) }
            panels[panels.count - 1].records.append(record)
        }
        let column = (width - margin * (columns + 1)) / columns
        var parts = [
            text(
                margin,
                32,
                "Latency in ms, logarithmic: bar to p99, notch at p50, line to p99.9 (less is better)",
                size: 16,
                isBold: true
            )
        ]
        var top = 52
        for row in stride(from: 0, to: panels.count, by: columns) {
            var height = 0
            for (place, panel) in panels[row..<min(row + columns, panels.count)].enumerated() {
                let left = margin + place * (column + margin)
                parts += draw(panel.title, panel.records, left: left, top: top, width: column)
                height = max(height, title + panel.records.count * (bar + gap) + 14)
            }
            top += height
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(top)" viewBox="0 0 \(width) \(top)" \
            font-family="system-ui, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(parts.joined(separator: "\n"))
            </svg>

            """
    }

    private static func draw(_ name: String, _ records: [Record], left: Int, top: Int, width: Int) -> [String] {
        var parts = [text(left, top + 14, name, size: 14, isBold: true)]
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
