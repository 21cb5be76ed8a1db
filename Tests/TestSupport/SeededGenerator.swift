// Random input that can be had again: a small generator and the seeds it starts from.

/// A small reproducible generator (SplitMix64); its seed is a test's argument, and so stands in every failure.
public struct SeededGenerator: RandomNumberGenerator {
    /// Some seeds that are always the same, and one that never is.
    public static let seeds: [UInt64] = [1, 2, 3, 4, 5, 6, 7, .random(in: .min ... .max)]

    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    public mutating func number(in range: ClosedRange<Int>) -> Int { .random(in: range, using: &self) }

    /// True once in so many times.
    public mutating func once(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in .random(in: .min ... .max, using: &self) }
    }
}
