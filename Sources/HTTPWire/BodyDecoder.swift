// The decoder of a body of any framing.

/// Finds the bytes of a body and its end, whatever its framing.
public struct BodyDecoder: Sendable {
    /// The framing it was made for.
    public let framing: MessageFraming
    private var remainder: Int
    private var chunked: ChunkedDecoder
    private var inputEnded = false

    public init(_ framing: MessageFraming, limits: ChunkedLimits = ChunkedLimits()) {
        self.framing = framing
        chunked = ChunkedDecoder(limits: limits)
        if case .length(let length) = framing { remainder = length } else { remainder = 0 }
    }

    /// Whether the whole body has been read; at once if there is none.
    public var isFinished: Bool {
        switch framing {
        case .none: true
        case .length: remainder == 0
        case .chunked: chunked.isFinished
        case .untilClose: inputEnded
        }
    }

    /// The bytes still to come, where that is known.
    public var remainingLength: Int? {
        switch framing {
        case .none: 0
        case .length: remainder
        case .chunked: chunked.isFinished ? 0 : nil
        case .untilClose: inputEnded ? 0 : nil
        }
    }

    /// Reads on; see ``ChunkedDecoder/step(_:at:trailers:)``.
    ///
    /// What follows the body is not looked at, and `position` stays in front of it. Only chunked bodies have trailers:
    /// with the others `trailers` is empty when the body is finished.
    public mutating func step(
        _ bytes: Span<UInt8>,
        at position: inout Int,
        trailers: inout FieldSection
    ) -> BodyStep {
        switch framing {
        case .none:
            trailers.reset()
            return .finished
        case .length:
            guard remainder > 0 else {
                trailers.reset()
                return .finished
            }
            let end = position + Swift.min(remainder, bytes.count - position)
            guard end > position else { return .needMore }
            let range = position..<end
            remainder -= range.count
            position = end
            return .data(range)
        case .chunked:
            return chunked.step(bytes, at: &position, trailers: &trailers)
        case .untilClose:
            if inputEnded {
                trailers.reset()
                return .finished
            }
            guard position < bytes.count else { return .needMore }
            let range = position..<bytes.count
            position = bytes.count
            return .data(range)
        }
    }

    /// Passes over bytes of a body of known length that were moved on without being looked at.
    public mutating func skip(_ count: Int) {
        precondition(count <= remainder, "no more than there is to come")
        remainder -= count
    }

    /// Says that no byte will come any more, once all that came have been stepped through.
    ///
    /// - Returns: Whether the body is complete; false means that it was cut.
    public mutating func endOfInput() -> Bool {
        inputEnded = true
        return isFinished
    }
}
