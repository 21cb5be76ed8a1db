// Random numbers of a simulation: the same for the same seed.

internal import Glibc

/// xoshiro256++ (Blackman and Vigna 2019), seeded by SplitMix64.
public struct RandomNumbers: RandomNumberGenerator {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter stream: Which of the independent sequences of a seed.
    public init(seed: UInt64, stream: UInt64 = 0) {
        var bits = seed &+ stream &* 0xD134_2543_DE82_EF95
        func next() -> UInt64 {
            bits &+= 0x9E37_79B9_7F4A_7C15
            var mixed = bits
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        state = (next(), next(), next(), next())
    }

    public mutating func next() -> UInt64 {
        func rotated(_ bits: UInt64, _ count: UInt64) -> UInt64 { bits << count | bits >> (64 - count) }
        let result = rotated(state.0 &+ state.3, 23) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    /// A number below a bound above 0.
    public mutating func number(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Within (0, 1), both ends left out.
    mutating func fraction() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

    /// Exponentially distributed with mean 1.
    mutating func exponential() -> Double { -log(fraction()) }

    /// Normally distributed with mean 0 and deviation 1 (Box and Muller 1958).
    mutating func normal() -> Double { (2 * exponential()).squareRoot() * cos(2 * .pi * fraction()) }
}
