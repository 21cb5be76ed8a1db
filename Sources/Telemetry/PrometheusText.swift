// The snapshot in Prometheus' text format.

/// Writes the text exposition format, version 0.0.4.
///
/// Source: prometheus.io/docs/instrumenting/exposition_formats.
public enum PrometheusText {
    /// What a response with this text says of itself.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The whole snapshot.
    public static func render(_ snapshot: StatsSnapshot) -> String {
        render(MetricFamilies.all(of: snapshot))
    }

    /// Families without a sample are left out.
    public static func render(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escapedHelp(family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { append(sample, of: family.name, to: &text) }
        }
        return text
    }

    private static func append(_ sample: MetricFamily.Sample, of name: String, to text: inout String) {
        switch sample.value {
        case .integer(let value):
            text += "\(name)\(labels(sample.labels)) \(value)\n"
        case .number(let value):
            text += "\(name)\(labels(sample.labels)) \(number(value))\n"
        case .histogram(let histogram):
            for (bound, count) in histogram.cumulative {
                let le = MetricFamily.Label("le", bound.isInfinite ? "+Inf" : number(bound))
                text += "\(name)_bucket\(labels(sample.labels + [le])) \(count)\n"
            }
            text += "\(name)_sum\(labels(sample.labels)) \(number(histogram.seconds))\n"
            text += "\(name)_count\(labels(sample.labels)) \(histogram.count)\n"
        }
    }

    private static func labels(_ labels: [MetricFamily.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escapedValue($0.value))\"" }.joined(separator: ",") + "}"
    }

    /// Whole numbers without a decimal point, others as Go's ParseFloat reads them.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func escapedHelp(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case _ where character.isNewline: result += "\\n"
            default: result.append(character)
            }
        }
    }

    private static func escapedValue(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
