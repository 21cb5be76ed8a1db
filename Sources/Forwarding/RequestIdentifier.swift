// Names for requests that came without one.

/// Makes 128-bit random identifiers in hexadecimal: unique, not secret.
///
/// xoshiro256++ (Blackman and Vigna, 2019), seeded from the system's generator.
struct RequestIdentifierGenerator {
    /// The length of an identifier in bytes of text.
    static let length = 32

    private var state: (UInt64, UInt64, UInt64, UInt64)

    init() {
        var system = SystemRandomNumberGenerator()
        state = (system.next(), system.next(), system.next(), system.next() | 1)
    }

    private mutating func next() -> UInt64 {
        let result = rotated(state.0 &+ state.3, by: 23) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, by: 45)
        return result
    }

    /// A random identifier of a trace's half, or of a span: never 0.
    mutating func nextWord() -> UInt64 {
        let word = next()
        return word == 0 ? 1 : word
    }

    private func rotated(_ value: UInt64, by bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    /// Writes an identifier; the target has ``length`` bytes.
    mutating func write(to target: UnsafeMutableRawBufferPointer) {
        for half in 0..<2 {
            var word = next()
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: word & 15)
                target[half * 16 + index] = digit < 10 ? 48 + digit : 87 + digit
                word >>= 4
            }
        }
    }
}
