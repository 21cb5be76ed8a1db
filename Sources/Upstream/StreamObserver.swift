// What a stream tells the exchange that uses it.

public import EventLoop

/// The user of a stream during one exchange.
///
/// Loop thread only.
///
/// Any of these calls may end the stream's use (``Stream/cancel()``); the stream notices and stops.
public protocol StreamObserver: AnyObject {
    /// The connection is made, or has room again: request bytes can be sent.
    func streamIsWritable(_ stream: Stream)

    /// An interim (1xx) head was read; it is `stream.head`, its bytes are the first `stream.head.length` of the buffer.
    func stream(_ stream: Stream, receivedInterimHeadIn buffer: Buffer)

    /// The final head was read; it is `stream.head`, its bytes are the first `stream.head.length` of the buffer.
    ///
    /// A call of `receivedBodyIn` follows at once, with the body bytes that came along, or none.
    func stream(_ stream: Stream, receivedHeadIn buffer: Buffer)

    /// The buffer's region is body content, without framing; the buffer is the observer's from now on.
    ///
    /// At least ``Stream/headroom`` bytes are free before the region, and ``Stream/tailroom`` behind it. With `isEnd` the
    /// response is complete, and the observer ends its use with ``Stream/finish(reusable:)``.
    func stream(_ stream: Stream, receivedBodyIn buffer: Buffer, isEnd: Bool)

    /// The pipe holds body content, behind what was received into buffers; it is the observer's from now on.
    ///
    /// Only for bodies of known length, of which it is a large part. `isEnd` as above.
    func stream(_ stream: Stream, receivedBodyInto pipe: SplicePipe, isEnd: Bool)

    /// The stream is closed and of no use any more.
    func stream(_ stream: Stream, failed failure: StreamFailure)
}
