// The words that failures are counted by: a fixed list, so that no peer can make it longer.

/// The labels of all failures, each with its place.
public final class ReasonTable: Sendable {
    /// In the table's order.
    public let labels: [String]
    /// Those that an attempt at a backend may end by: they are exported from the start, at 0.
    public let ofAttempts: Set<String>
    private let places: [String: Int]

    public init(_ labels: [String], ofAttempts: [String]) {
        var places: [String: Int] = [:]
        var unique: [String] = []
        for label in labels + ofAttempts where places[label] == nil {
            places[label] = unique.count
            unique.append(label)
        }
        self.labels = unique
        self.places = places
        self.ofAttempts = Set(ofAttempts)
    }

    /// The place of a label; nil for one that is not in the table.
    func place(of label: String) -> Int? { places[label] }
}
