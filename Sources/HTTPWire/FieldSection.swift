// The field lines of one head or trailer section, in the order they came.

/// All field lines of a message section, in order, duplicates kept.
///
/// Meant to be reused: ``reset()`` keeps the storage. Parsers fill it.
@frozen
public struct FieldSection: Sendable {
    /// The lines in the order they came.
    public internal(set) var lines: [FieldLine]
    /// The names present: the union of ``FieldName/bit``.
    public internal(set) var names: UInt64
    /// The names present on more than one line; says nothing of ``FieldName/other``.
    public internal(set) var repeatedNames: UInt64
    /// What the `Connection` fields ask for.
    public internal(set) var connectionOptions: ConnectionOptions

    public init() {
        lines = []
        names = 0
        repeatedNames = 0
        connectionOptions = []
    }

    /// How many lines there are.
    @inlinable
    public var count: Int { lines.count }

    /// The line at an index below ``count``.
    @inlinable
    public subscript(index: Int) -> FieldLine { lines[index] }

    /// Whether there is a line of this name.
    @inlinable
    public func contains(_ name: FieldName) -> Bool { names & name.bit != 0 }

    /// Whether there is more than one line of this name.
    @inlinable
    public func isRepeated(_ name: FieldName) -> Bool { repeatedNames & name.bit != 0 }

    /// The index of the first line of this name.
    @inlinable
    public func first(_ name: FieldName) -> Int? {
        guard contains(name) else { return nil }
        for index in 0..<lines.count where lines[index].name == name { return index }
        return nil
    }

    /// The value of the first line of this name.
    @inlinable
    public func value(_ name: FieldName) -> Range<Int>? {
        guard let index = first(name) else { return nil }
        return lines[index].valueRange
    }

    /// Forgets all lines and keeps the storage.
    public mutating func reset() {
        lines.removeAll(keepingCapacity: true)
        names = 0
        repeatedNames = 0
        connectionOptions = []
    }

    @inline(__always)
    mutating func append(_ line: FieldLine) {
        let bit = line.name.bit
        repeatedNames |= names & bit
        names |= bit
        lines.append(line)
    }
}
