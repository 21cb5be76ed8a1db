// Metrics as they are exposed: a name, a type, a help line, and numbers with labels.

/// One metric with all its label values, in the terms of Prometheus' exposition formats.
public struct MetricFamily: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable {
        case counter
        case gauge
        case histogram
    }

    /// A label and its value.
    public struct Label: Sendable, Codable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A number, or a histogram, under certain labels.
    public struct Sample: Sendable, Codable, Equatable {
        public enum Value: Sendable, Equatable {
            case number(Double)
            case integer(UInt64)
            case histogram(Histogram)
        }

        public var labels: [Label]
        public var value: Value

        public init(_ labels: [Label], _ value: Value) {
            self.labels = labels
            self.value = value
        }

        public init(_ value: Value) { self.init([], value) }

        /// A whole number under labels.
        public init(_ labels: [Label], _ value: UInt64) { self.init(labels, .integer(value)) }
    }

    /// With its prefix, its unit and, for a counter, `_total`.
    public var name: String
    public var kind: Kind
    /// One sentence.
    public var help: String
    public var samples: [Sample]

    public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}

extension MetricFamily.Sample.Value: Codable {
    /// A number, or a histogram's object.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .number(let value): try value.encode(to: encoder)
        case .integer(let value): try value.encode(to: encoder)
        case .histogram(let histogram): try histogram.encode(to: encoder)
        }
    }

    public init(from decoder: any Decoder) throws {
        if let value = try? UInt64(from: decoder) {
            self = .integer(value)
        } else if let value = try? Double(from: decoder) {
            self = .number(value)
        } else {
            self = .histogram(try Histogram(from: decoder))
        }
    }
}
