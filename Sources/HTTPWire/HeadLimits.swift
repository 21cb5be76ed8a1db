// How large a head may be.

/// The limits of request and response heads; what is beyond is refused before it is buffered.
@frozen
public struct HeadLimits: Sendable, Equatable {
    /// The most bytes of a head with its empty line, 64 KiB by default.
    ///
    /// At most 2 GiB, as offsets have 32 bits.
    public var maxHeadBytes: Int
    /// The most field lines, 256 by default.
    public var maxFieldCount: Int
    /// The most bytes of a request target, 16 KiB by default; RFC 9112 section 3 asks for 8000 at least.
    public var maxTargetBytes: Int

    public init(maxHeadBytes: Int = 65_536, maxFieldCount: Int = 256, maxTargetBytes: Int = 16_384) {
        precondition((1...Int(Int32.max)).contains(maxHeadBytes), "offsets in a head have 32 bits")
        precondition((1...Int(Int32.max)).contains(maxTargetBytes), "offsets in a head have 32 bits")
        self.maxHeadBytes = maxHeadBytes
        self.maxFieldCount = maxFieldCount
        self.maxTargetBytes = maxTargetBytes
    }

    /// The longest method that is read: longer than any registered one.
    static let maxMethodBytes = 32
}
