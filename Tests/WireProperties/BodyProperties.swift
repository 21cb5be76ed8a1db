// What must hold for every body.

import EventLoop
import HTTPWire
import MessageIO

/// The properties of ``BodyDecoder``, alone and in a buffer, and of framing anew.
public enum BodyProperties {
    /// Checks an input: a byte that chooses the framing, for a length another byte, then the body and what follows.
    ///
    /// `0` is chunked, `1` chunked with tight limits, `2` a length, `3` until the connection closes, `4` no body; other
    /// bytes count modulo five.
    public static func check(_ input: [UInt8]) throws(Violation) {
        guard let choice = input.first else { return }
        var body = Array(input.dropFirst())
        var limits = ChunkedLimits()
        var framing = MessageFraming.chunked
        switch (choice &+ 2) % 5 {
        case 0: break
        case 1:
            limits = ChunkedLimits(maxExtensionBytes: 8, maxExcessBytes: 16, maxTrailerBytes: 64, maxTrailerCount: 3)
        case 2:
            framing = .length(Int(body.first ?? 0))
            body = Array(body.dropFirst())
        case 3: framing = .untilClose
        default: framing = .none
        }
        try check(body, framing, limits)
    }

    private static func check(
        _ body: [UInt8],
        _ framing: MessageFraming,
        _ limits: ChunkedLimits
    ) throws(Violation) {
        let decoder = BodyDecoder(framing, limits: limits)
        let whole = try BodyReading(body, pieces: .whole, by: decoder)
        let buffer = BufferPool(capacity: 2 * body.count + 128, maximumIdle: 0).take()
        let some = Pieces(seed: body.fingerprint, longest: 1 + Int(body.fingerprint >> 60))
        for pieces in [.singleBytes, some] {
            let stepped = try BodyReading(body, pieces: pieces, by: decoder)
            try demand(stepped == whole, "however a body arrives, it is the same")
        }
        for pieces in [.whole, .singleBytes, some] {
            let decoded = try BodyReading(body, pieces: pieces, in: buffer, by: decoder)
            try demand(decoded.outcome == whole.outcome, "in a buffer, the verdict is the same")
            try demand(decoded.content == whole.content, "in a buffer, the content is the same")
            try demand(decoded.trailers == whole.trailers, "in a buffer, the trailers are the same")
            try demand(decoded.end == whole.end, "in a buffer, the end is the same")
        }
        try demand(whole.content.count <= body.count, "content is not longer than its framing")
        switch framing {
        case .none: try demand(whole.end == 0 && whole.content.isEmpty, "no body has no content")
        case .length(let length):
            try demand(whole.content.elementsEqual(body.prefix(length)), "a length is all there is")
            try demand((whole.outcome == .finished) == (body.count >= length), "a length ends a body")
        case .untilClose:
            try demand(whole.content == body && whole.outcome == .open, "everything is content")
        case .chunked: try checkChunks(whole, body, limits)
        }
        try checkFraming(whole, in: buffer)
    }

    private static func checkChunks(
        _ reading: BodyReading,
        _ body: [UInt8],
        _ limits: ChunkedLimits
    ) throws(Violation) {
        guard let naive = NaiveChunks(body) else {
            try demand(reading.outcome != .finished, "the plain reader finishes what the decoder finishes")
            return
        }
        switch reading.outcome {
        case .finished:
            try demand(reading.content == naive.content, "the plain reader finds the same content")
            try demand(reading.end == naive.trailers.end, "the plain reader ends at the same byte")
            try demand(naive.trailers.fields.count <= limits.maxTrailerCount, "a limit holds")
        case .refused(.chunkExtensionTooLong), .refused(.excessiveChunkExtensions), .refused(.trailerTooLarge),
            .refused(.tooManyTrailerFields):
            break
        case .refused(let refusal):
            throw Violation("the plain reader refuses \(refusal)")
        case .open:
            throw Violation("the decoder finishes what the plain reader finishes")
        }
    }

    /// What is framed anew is decoded to the same again.
    private static func checkFraming(_ reading: BodyReading, in buffer: Buffer) throws(Violation) {
        let trailers = reading.outcome == .finished ? reading.trailers : []
        let size = reading.content.count
        buffer.reset(headroom: Buffer.chunkHeadroom)
        buffer.append(reading.content)
        buffer.frameAsChunk(isLast: true, trailers: trailers)
        let growth = buffer.count - size - trailers.count
        try demand(growth <= Buffer.chunkHeadroom + Buffer.chunkTailroom, "framing keeps to its room")
        let framed = Array(buffer.bytes)

        buffer.reset()
        reading.content.withUnsafeBytes { buffer.appendChunk($0) }
        buffer.appendLastChunk(trailers: trailers)
        try demand(buffer.elements.elementsEqual(framed), "both ways to frame a chunk are the same")

        let again = try BodyReading(framed, pieces: .whole, by: BodyDecoder(.chunked))
        try demand(again.outcome == .finished && again.end == framed.count, "what was framed is whole")
        try demand(again.content == reading.content, "what was framed has the same content")
        try demand(again.trailers == trailers, "what was framed has the same trailers")
    }
}
