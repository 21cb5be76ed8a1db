// The snapshot as JSON.

public import FoundationEssentials

/// Writes and reads a snapshot as JSON, with names in snake_case.
public enum StatsJSON {
    public static let contentType = "application/json"

    public static func render(_ snapshot: StatsSnapshot) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(snapshot)
    }

    /// Reads what ``render(_:)`` wrote.
    public static func read(_ data: Data) throws -> StatsSnapshot {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(StatsSnapshot.self, from: data)
    }
}
