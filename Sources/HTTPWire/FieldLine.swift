// One field line of a head or a trailer section, as offsets.

/// Where one field line and its parts stand.
///
/// Offsets count from the start of the span the line was parsed from. The bytes stay in the caller's buffer.
@frozen
public struct FieldLine: Sendable {
    /// The name, if a proxy has to know it.
    public let name: FieldName
    /// Whether the line is for this connection only and must not be forwarded.
    ///
    /// Set from the name when the line is parsed, and from the `Connection` options by
    /// ``FieldSection/markHopByHop(_:)``.
    public internal(set) var isHopByHop: Bool
    @usableFromInline var start: UInt32
    @usableFromInline var colon: UInt32
    @usableFromInline var valueStart: UInt32
    @usableFromInline var valueEnd: UInt32
    @usableFromInline var end: UInt32

    @inline(__always)
    init(name: FieldName, start: Int, colon: Int, value: Range<Int>, end: Int) {
        self.name = name
        self.isHopByHop = name.isHopByHop
        self.start = UInt32(truncatingIfNeeded: start)
        self.colon = UInt32(truncatingIfNeeded: colon)
        self.valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
        self.valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    /// The whole line with its CRLF, as it can be copied onward.
    @inlinable
    public var lineRange: Range<Int> { Int(start)..<Int(end) }

    /// The name, without the colon.
    @inlinable
    public var nameRange: Range<Int> { Int(start)..<Int(colon) }

    /// The value without the white space around it; may be empty.
    @inlinable
    public var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    /// Moves the line to another origin of offsets.
    mutating func shift(by offset: UInt32) {
        start += offset
        colon += offset
        valueStart += offset
        valueEnd += offset
        end += offset
    }
}
