// What requests are called: as the client says, or by a number.

internal import Telemetry

/// A request's identifier: the client's word, or 128 random bits of ours, which are kept as a number until their text is wanted.
struct RequestIdentifier {
    private var number: (UInt64, UInt64) = (0, 0)
    /// The client's word; empty if the identifier is ours.
    private var word: [UInt8] = []

    /// Whether the request came without one.
    var isOurs: Bool { word.isEmpty }

    /// Takes the client's word if it can stand in a header, a log line and a page without quoting, and is not too long.
    ///
    /// - Returns: whether it was taken.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard (1...128).contains(bytes.count), bytes.allSatisfy(Self.isPlain) else { return false }
        word.append(contentsOf: bytes)
        return true
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "@"):
            true
        default:
            false
        }
    }

    /// Makes one.
    mutating func make(with generator: inout RequestIdentifierGenerator) {
        number = (generator.nextWord(), generator.nextWord())
    }

    /// Forgets it, and keeps the memory of a long word.
    mutating func reset() { word.removeAll(keepingCapacity: true) }

    /// The number that one of ours is; 0 for a client's word.
    var ownNumber: (UInt64, UInt64) { isOurs ? number : (0, 0) }

    /// Calls with the client's word, which is empty if the identifier is ours.
    @inline(__always)
    func withWord<Result>(_ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        isOurs ? use(.empty) : word.withUnsafeBytes(use)
    }

    /// Calls with its text.
    func withText<Result>(_ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard isOurs else { return word.withUnsafeBytes(use) }
        var text: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &text) { text in
            guard let start = text.baseAddress else { return use(.empty) }
            var place = TextPlace(start)
            place.write(hexadecimal: number)
            return use(UnsafeRawBufferPointer(text))
        }
    }

    /// Its text; not for the way of a request that goes well.
    var bytes: [UInt8] { withText { Array($0) } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Makes random numbers for identifiers: unique, not secret.
///
/// xoshiro256++ (Blackman and Vigna, 2019), seeded from the system's generator.
struct RequestIdentifierGenerator {
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

    /// Half an identifier of a request or of a trace, or one of a span: never 0.
    mutating func nextWord() -> UInt64 {
        let word = next()
        return word == 0 ? 1 : word
    }

    private func rotated(_ value: UInt64, by bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
}
