// Hop-by-hop marks on whole heads.

extension RequestHead {
    /// Marks the field lines that must not be forwarded: see ``FieldSection/markHopByHop(_:)``.
    public mutating func markHopByHop(_ bytes: Span<UInt8>) { fields.markHopByHop(bytes) }
}

extension ResponseHead {
    /// Marks the field lines that must not be forwarded: see ``FieldSection/markHopByHop(_:)``.
    public mutating func markHopByHop(_ bytes: Span<UInt8>) { fields.markHopByHop(bytes) }
}
