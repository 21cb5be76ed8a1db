// Message bodies taken out of their framing, in the buffer where they were received.

public import EventLoop
public import HTTPWire

/// The trailer section of one message: as the decoder reads it, and as whole lines to send on.
public struct TrailerLines {
    fileprivate var section = FieldSection()
    /// Field lines with their CRLF; those that must not be forwarded are left out (RFC 9110 section 6.5.1).
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Forgets the lines and keeps the storage.
    public mutating func reset() {
        section.reset()
        bytes.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func keep(from base: UnsafeMutablePointer<UInt8>) {
        for line in section.lines where !line.isHopByHop {
            bytes.append(
                contentsOf: UnsafeBufferPointer(start: base + line.lineRange.lowerBound, count: line.lineRange.count)
            )
        }
    }
}

/// What a decoding pass left in a buffer; ranges are absolute offsets into it.
public struct DecodedBody {
    /// How the body goes on.
    public enum State {
        /// More bytes are needed.
        case open
        /// The body is complete.
        case finished
        /// The framing is broken.
        case refused(ChunkedRefusal)
    }

    /// Body content in one piece, without framing.
    public var content: Range<Int>
    /// Bytes not consumed: while open, an unfinished trailer section; when finished, what follows the message.
    public var rest: Range<Int>
    public var state: State
}

extension BodyDecoder {
    /// Decodes the buffer's bytes from an offset up to its end: content is moved together, framing dropped.
    ///
    /// Content that comes in one chunk stays where it is. When content does not reach the buffer's end, at least the two bytes of
    /// a chunk's line end are free behind it, and seven once the body is finished: enough for framing it anew.
    ///
    /// - Parameter trailers: gets the trailer field lines that may be forwarded, once the body is finished.
    public mutating func decode(in buffer: Buffer, from offset: Int, trailers: inout TrailerLines) -> DecodedBody {
        let base = buffer.base.assumingMemoryBound(to: UInt8.self) + offset
        let bytes = UnsafeBufferPointer(start: base, count: buffer.end - offset)
        var position = 0
        var content = 0..<0
        while true {
            switch step(bytes.span, at: &position, trailers: &trailers.section) {
            case .data(let range):
                if content.isEmpty {
                    content = range
                } else {
                    let destination = offset + content.upperBound
                    buffer.moveBytes(from: offset + range.lowerBound, count: range.count, to: destination)
                    content = content.lowerBound..<(content.upperBound + range.count)
                }
            case .needMore:
                return result(content, position..<bytes.count, offset, .open)
            case .finished:
                trailers.keep(from: base)
                return result(content, position..<bytes.count, offset, .finished)
            case .refused(let refusal):
                return result(content, position..<bytes.count, offset, .refused(refusal))
            }
        }
    }

    private func result(
        _ content: Range<Int>,
        _ rest: Range<Int>,
        _ offset: Int,
        _ state: DecodedBody.State
    ) -> DecodedBody {
        DecodedBody(
            content: (content.lowerBound + offset)..<(content.upperBound + offset),
            rest: (rest.lowerBound + offset)..<(rest.upperBound + offset),
            state: state
        )
    }
}
