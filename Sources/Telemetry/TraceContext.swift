// W3C trace context: what the traceparent field says, and how it is written.

/// The place of a request in a trace.
///
/// Source: www.w3.org/TR/trace-context, sections 3.2 and 4.3.
public struct TraceContext: Sendable, Equatable {
    /// The length of a `traceparent` value of version 00 in bytes.
    public static let length = 55
    /// The length of a trace's identifier in hexadecimal digits.
    public static let identifierLength = TextPlace.identifierLength
    /// Where the parent's identifier stands in the value.
    private static let parentRange = 36..<52
    /// Whoever began the trace, or has continued it, records it.
    public static let sampled: UInt8 = 1
    /// What is known of the flags, beside the first that the trace's identifier is random; all others are not passed on.
    private static let knownFlags: UInt8 = 3

    /// The trace's identifier, its first eight bytes and its last; never all zeros.
    public var traceHigh: UInt64
    public var traceLow: UInt64
    /// The identifier of the span that the request belongs to; never 0.
    public var parent: UInt64
    public var flags: UInt8

    public init(traceHigh: UInt64, traceLow: UInt64, parent: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.parent = parent
        self.flags = flags
    }

    public var isSampled: Bool { flags & Self.sampled != 0 }

    /// Reads a value; nil when it is malformed, which is to be treated as if there were none.
    ///
    /// Later versions may have more parts behind the four that are known.
    public init?(_ text: UnsafeRawBufferPointer) {
        let dash = UInt8(ascii: "-")
        guard text.count >= Self.length, let version = hexadecimalValue(text, 0..<2), version != 0xFF,
            text.count == Self.length || version > 0 && text[Self.length] == dash,
            text[2] == dash, text[35] == dash, text[52] == dash,
            let high = hexadecimalValue(text, 3..<19), let low = hexadecimalValue(text, 19..<35), high | low != 0,
            let parent = hexadecimalValue(text, Self.parentRange), parent != 0,
            let flags = hexadecimalValue(text, 53..<55)
        else { return nil }
        self.init(traceHigh: high, traceLow: low, parent: parent, flags: UInt8(flags) & Self.knownFlags)
    }

    /// Writes the value of version 00; the target has ``length`` bytes.
    public func write(to target: UnsafeMutableRawBufferPointer) {
        let dash = UInt8(ascii: "-")
        writeHexadecimal(0, to: target, 0..<2)
        target[2] = dash
        writeIdentifier(to: UnsafeMutableRawBufferPointer(rebasing: target[3..<35]))
        target[35] = dash
        writeHexadecimal(parent, to: target, Self.parentRange)
        target[52] = dash
        writeHexadecimal(UInt64(flags), to: target, 53..<55)
    }

    /// Writes the trace's identifier; the target has ``identifierLength`` bytes.
    public func writeIdentifier(to target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= Self.identifierLength)
        guard let start = target.baseAddress else { return }
        var place = TextPlace(start)
        place.write(hexadecimal: (traceHigh, traceLow))
    }
}

/// Which of the traces that are begun here are recorded.
///
/// By the last seven bytes of the trace's identifier, which are random: whoever knows the share comes to the same decision, as
/// OpenTelemetry's samplers do (opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling).
public struct TraceSampling: Sendable, Equatable {
    private static let range: UInt64 = 1 << 56
    private let threshold: UInt64

    /// - Parameter count: one of so many is recorded; none with 0.
    public init(oneOf count: Int) {
        threshold = count <= 0 ? Self.range : Self.range - Self.range / UInt64(count)
    }

    /// Whether a trace is recorded, by the last eight bytes of its identifier.
    public func samples(_ traceLow: UInt64) -> Bool { traceLow & (Self.range - 1) >= threshold }
}

/// The number that digits stand for; nil when one of them is none of `0` to `9` and `a` to `f`.
private func hexadecimalValue(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
    var value: UInt64 = 0
    for index in range {
        let digit = text[index]
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - 48)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - 87)
        default: return nil
        }
    }
    return value
}

/// Writes a number in as many digits as the range has places.
private func writeHexadecimal(_ value: UInt64, to target: UnsafeMutableRawBufferPointer, _ range: Range<Int>) {
    var rest = value
    for index in range.reversed() {
        target[index] = hexadecimalDigit(UInt8(truncatingIfNeeded: rest & 15))
        rest >>= 4
    }
}
