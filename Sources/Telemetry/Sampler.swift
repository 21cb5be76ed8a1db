// Which of many things are looked at: a draw without a system call.

/// Draws one of so many at random: what comes in turns, as backends do, is drawn evenly.
///
/// Marsaglia's xorshift64* (Journal of Statistical Software 8(14), 2003; Vigna 2014).
public struct Sampler: Sendable {
    private var state: UInt64

    /// - Parameter seed: any number.
    public init(seed: UInt64) { state = seed | 1 }

    /// The next number.
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// True once in so many times.
    public mutating func draws(oneOf count: Int) -> Bool {
        count <= 1 || next().multipliedFullWidth(by: UInt64(count)).high == 0
    }
}
