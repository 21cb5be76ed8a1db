// The bytes of one client's requests: a buffer, and how far it has been understood.

internal import CLinux
internal import EventLoop
public import HTTPWire
internal import MessageIO

/// What reading a request body gave.
public enum BodyRead {
    /// Content stands ready in ``RequestReader/content``; with `isEnd` nothing follows it.
    case content(isEnd: Bool)
    /// The body is complete and all of it was consumed.
    case end
    /// More must arrive first.
    case pending
    /// The client closed before the body's end.
    case gone
    /// The body's framing is broken.
    case refused(ChunkedRefusal)
}

/// Reads requests out of one buffer.
///
/// The head stays in the buffer until its exchange is over. It begins in a small one, where most requests end, too; what does not
/// fit moves into a large one. Many requests in flight would otherwise be spread over more memory than a processor's cache holds.
///
/// A connection holds a reader only while a request is arriving or being answered; idle ones cost none. Loop thread only.
public final class RequestReader {
    /// Free bytes kept before body content that was not received together with the head, for framing in place.
    static let bodyHeadroom = 32
    /// Free bytes kept at the buffer's end, for framing in place.
    static let tailroom = 16
    /// The most bytes read at a time.
    static let readSize = 65536

    /// The size of a large buffer: a head, an unfinished trailer section, and a full read behind them.
    public static func bufferCapacity(for limits: HeadLimits) -> Int {
        limits.maxHeadBytes + bodyHeadroom + ChunkedLimits().maxTrailerBytes + readSize + tailroom
    }

    /// How many bytes come together from memory.
    private static let cacheLine = 64

    /// The size of the buffer that a reader begins with.
    static let smallCapacity = 4096

    private(set) var buffer: Buffer { didSet { bufferBase = UnsafeRawPointer(buffer.base) } }
    /// Where the buffer begins, at hand where the head's ranges are: to ask the buffer takes longer than to write a log line's field.
    @usableFromInline private(set) var bufferBase: UnsafeRawPointer
    /// Where the current request starts in the buffer.
    @usableFromInline private(set) var messageStart = 0
    /// Body bytes decoded so far, without framing.
    public private(set) var bodyBytes: UInt64 = 0
    /// The small buffer, while a large one is in use.
    private var smallBuffer: Buffer?
    /// Where the large ones come from; without it, the one at hand is all there is.
    private let largeBuffers: BufferPool?
    private var parser: RequestParser
    @usableFromInline var storedHead = RequestHead()
    /// The head; its ranges are offsets from ``headBytes``.
    ///
    /// Inlined, so that who wants one of its parts does not get a copy of all.
    @inlinable public var head: RequestHead { storedHead }
    private var decoder = BodyDecoder(.none)
    private var trailers = TrailerLines()

    /// The first received byte that has not been decoded.
    private var rawStart = 0
    /// Body content that has not been consumed; absolute offsets.
    private var contentRange = 0..<0
    private var isBodyFinished = false
    private var refusal: ChunkedRefusal?
    /// Whether the protocol has been switched.
    private(set) var isTunnel = false

    /// A reader that begins in a buffer of its own and takes a large one when it needs it.
    convenience init(limits: HeadLimits, largeBuffers: BufferPool) {
        self.init(buffer: Buffer(capacity: Self.smallCapacity), limits: limits, largeBuffers: largeBuffers)
    }

    init(buffer: Buffer, limits: HeadLimits, largeBuffers: BufferPool? = nil) {
        self.buffer = buffer
        bufferBase = UnsafeRawPointer(buffer.base)
        self.largeBuffers = largeBuffers
        parser = RequestParser(limits: limits)
    }

    /// What heads are held to; to be changed between requests, and never beyond what buffers are made for.
    var limits: HeadLimits {
        get { parser.limits }
        set { parser.limits = newValue }
    }

    // MARK: Heads

    /// Forgets everything, for another connection.
    func reset() {
        if let smallBuffer {
            largeBuffers?.give(buffer)
            buffer = smallBuffer
            self.smallBuffer = nil
        }
        buffer.reset()
        beginRequest(at: 0)
    }

    /// Whether the buffer is the small one, and a large one can be had.
    var isSmall: Bool { smallBuffer == nil && largeBuffers != nil }

    /// Moves what has been received into a large buffer, unless it is in one already.
    private func grow() {
        guard isSmall, let largeBuffers else { return }
        let large = largeBuffers.take()
        large.append(received)
        smallBuffer = buffer
        buffer = large
        rawStart -= messageStart
        contentRange = (contentRange.lowerBound - messageStart)..<(contentRange.upperBound - messageStart)
        messageStart = 0
    }

    private func beginRequest(at start: Int) {
        messageStart = start
        rawStart = start
        parser.reset()
        storedHead.reset()
        contentRange = start..<start
        isBodyFinished = false
        refusal = nil
        bodyBytes = 0
        isTunnel = false
        trailers.reset()
    }

    /// Whether any byte of the current request has arrived.
    var hasInput: Bool { buffer.end > messageStart }

    /// Prepares the buffer for reading more of a head; returns how many bytes may be read.
    func makeRoomForHead() -> Int {
        if messageStart > 0, room < RequestReader.readSize {
            buffer.start = messageStart
            buffer.move(to: 0)
            messageStart = 0
        }
        if room == 0 { grow() }
        return min(room, RequestReader.readSize)
    }

    private var room: Int { buffer.room - RequestReader.tailroom }

    func parseHead() -> RequestParser.Progress {
        let bytes = UnsafeBufferPointer(
            start: buffer.base.assumingMemoryBound(to: UInt8.self) + messageStart,
            count: buffer.end - messageStart
        )
        let progress = parser.parse(bytes.span, into: &storedHead)
        if progress == .complete { storedHead.markHopByHop(bytes.span) }
        return progress
    }

    /// The head's first byte.
    @inlinable public var headBytes: UnsafeRawPointer { bufferBase + messageStart }

    /// Has the processor fetch the head and the beginning of its bytes, while it goes on.
    public func prefetchHead() {
        lb_prefetch(headBytes)
        withUnsafePointer(to: &storedHead) { head in
            let start = UnsafeRawPointer(head)
            let last = MemoryLayout<RequestHead>.size - 1
            for place in stride(from: 0, to: last, by: Self.cacheLine) { lb_prefetch(start + place) }
            lb_prefetch(start + last)
        }
    }

    /// Bytes of the head at a range of it.
    @inlinable
    public func headBytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: headBytes + range.lowerBound, count: range.count)
    }

    /// What has been received of the current request, for naming a refused one in the log.
    public var received: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: headBytes, count: buffer.end - messageStart)
    }

    // MARK: Bodies

    /// Turns from the head to the body.
    func beginBody() {
        rawStart = messageStart + head.length
        contentRange = rawStart..<rawStart
        decoder = BodyDecoder(head.framing)
        isBodyFinished = head.framing == .none || head.framing == .length(0)
    }

    /// From here on every byte is content, until the client ends its sending: the protocol has been switched.
    func beginTunnel() {
        isTunnel = true
        decoder = BodyDecoder(.untilClose)
        isBodyFinished = false
    }

    /// Ends a tunnel's content.
    func endTunnel() { isBodyFinished = true }

    /// The request's trailer field lines, once the body has been read.
    public var trailerLines: [UInt8] { trailers.bytes }

    /// Whether the whole body has arrived.
    public var isBodyComplete: Bool { isBodyFinished }

    /// What the bytes received so far give.
    func decodeBody() -> BodyRead {
        if !contentRange.isEmpty { return .content(isEnd: isBodyFinished) }
        if isBodyFinished { return .end }
        if let refusal { return .refused(refusal) }
        guard rawStart < buffer.end else { return .pending }
        let decoded = decoder.decode(in: buffer, from: rawStart, trailers: &trailers)
        contentRange = decoded.content
        rawStart = decoded.rest.lowerBound
        bodyBytes += UInt64(decoded.content.count)
        switch decoded.state {
        case .open: break
        case .finished: isBodyFinished = true
        case .refused(let refusal):
            self.refusal = refusal
            contentRange = rawStart..<rawStart
            return .refused(refusal)
        }
        if !contentRange.isEmpty { return .content(isEnd: isBodyFinished) }
        return isBodyFinished ? .end : .pending
    }

    /// Whether bytes have arrived that nobody has used.
    var hasUnreadInput: Bool { rawStart < buffer.end || !contentRange.isEmpty }

    /// Prepares the buffer for reading more of the body: consumed content makes room.
    ///
    /// - Returns: how many bytes may be read.
    func makeRoomForBody() -> Int {
        grow()
        // A pipelined request may stand anywhere in the buffer: it moves to the front, and its offsets, being relative, hold.
        buffer.moveBytes(from: messageStart, count: head.length, to: 0)
        messageStart = 0
        let bodyStart = head.length + RequestReader.bodyHeadroom
        let undecoded = buffer.end - rawStart
        buffer.moveBytes(from: rawStart, count: undecoded, to: bodyStart)
        rawStart = bodyStart
        buffer.end = bodyStart + undecoded
        contentRange = bodyStart..<bodyStart
        return min(room, RequestReader.readSize)
    }

    /// Body content that has arrived and was not consumed.
    public var content: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffer.base + contentRange.lowerBound, count: contentRange.count)
    }

    /// Drops content that has been dealt with.
    public func consume(_ count: Int) {
        contentRange = (contentRange.lowerBound + count)..<contentRange.upperBound
    }

    /// Drops all content that has arrived: nobody wants it any more.
    public func discardContent() { contentRange = contentRange.upperBound..<contentRange.upperBound }

    /// Frames the content as one chunk where it stands, followed by the last chunk if the body ends with it.
    ///
    /// Only for content that did not arrive in one read with the head: there the head stands too near.
    public func frameContentAsChunk() {
        let end = buffer.end
        buffer.start = contentRange.lowerBound
        buffer.end = contentRange.upperBound
        buffer.frameAsChunk(isLast: isBodyFinished, trailers: trailers.bytes)
        contentRange = buffer.start..<buffer.end
        buffer.end = end
    }

    /// Goes on to the next request.
    ///
    /// - Returns: whether bytes of it have arrived already.
    func finishRequest() -> Bool {
        precondition(isBodyFinished && contentRange.isEmpty, "the body was consumed")
        guard rawStart < buffer.end else {
            reset()
            return false
        }
        beginRequest(at: rawStart)
        return true
    }
}

@available(*, unavailable)
extension RequestReader: Sendable {}
