// One worker's streams to one backend.

public import EventLoop
public import HTTPWire

/// What all streams of a pool have in common.
public struct StreamSettings: Sendable {
    /// Name lookup, TCP and TLS together, in milliseconds.
    public var connectTimeoutMilliseconds: Int
    /// How long an unused stream is kept, in nanoseconds; 0 keeps none.
    public var idleNanoseconds: UInt64
    /// The limits of a response head.
    public var headLimits: HeadLimits

    public init(connectTimeoutMilliseconds: Int, idleNanoseconds: UInt64, headLimits: HeadLimits) {
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.idleNanoseconds = idleNanoseconds
        self.headLimits = headLimits
    }
}

/// The streams of one worker to one origin: those at rest stand on a stack, the warmest on top.
///
/// Loop thread only.
public final class StreamPool {
    public let origin: Origin
    /// The `Host` that the backend gets; nil for the client's.
    ///
    /// A copy of the origin's: each attempt asks, and the whole origin is a lot to be handed over.
    public let hostField: String?
    private(set) var settings: StreamSettings
    let loop: EventLoop
    let multi: CurlMulti
    /// Where streams take the buffers that they read into.
    let buffers: BufferPool
    /// Called when a stream is closed, whether it was ever connected or not.
    public var onClosed: (() -> Void)?
    private var idle: [Stream] = []
    /// Streams that are being made, and that nobody waits for any longer; the oldest first.
    private var unclaimed: [Stream] = []
    private var isClosed = false

    public init(
        origin: Origin,
        settings: StreamSettings,
        loop: EventLoop,
        multi: CurlMulti,
        buffers: BufferPool
    ) {
        self.origin = origin
        hostField = origin.hostField
        self.settings = settings
        self.loop = loop
        self.multi = multi
        self.buffers = buffers
    }

    /// Goes on with other settings: for connections that are made, and streams that are put to rest, from now on.
    public func change(_ settings: StreamSettings) { self.settings = settings }

    /// How many streams are at rest.
    public var idleCount: Int { idle.count }

    /// The stream that was used last, if any is at rest and nothing has come in on it meanwhile.
    ///
    /// - Parameter checked: asks the kernel once more whether the backend has closed it or sent stray bytes. For requests that
    ///   must not be sent into a dying connection because they could not be sent again.
    public func takeIdle(checked: Bool) -> Stream? {
        while let stream = idle.popLast() {
            stream.restIndex = -1
            if stream.wake(checked: checked) { return stream }
            stream.close()
        }
        return nil
    }

    /// How long a stream may have been in the making to be handed on, in nanoseconds: the kernel sends the first packet again after a
    /// second, and what has waited that long may wait for its timeout.
    private static let freshness: UInt64 = 500_000_000

    /// A stream that is still being made for nobody, and has been for a short time only.
    ///
    /// Who would have to make one goes on with that, so that there are no more of them than exchanges need.
    public func takeUnclaimed() -> Stream? {
        guard let stream = unclaimed.last, loop.now.since(stream.birth) < Self.freshness else { return nil }
        unclaimed.removeLast()
        stream.isUnclaimed = false
        return stream
    }

    /// Keeps a stream that is still being made; once it is connected it rests.
    func keepUnclaimed(_ stream: Stream) {
        guard settings.idleNanoseconds > 0, !isClosed else {
            stream.close()
            return
        }
        stream.isUnclaimed = true
        unclaimed.append(stream)
    }

    /// A stream that nobody has claimed is made, or closed.
    func forgetUnclaimed(_ stream: Stream) {
        stream.isUnclaimed = false
        unclaimed.removeAll { $0 === stream }
    }

    /// A new stream, connecting from this turn on.
    public func connect() -> Stream { Stream(pool: self) }

    /// Puts a stream to rest after a complete exchange, or before its first one.
    func rest(_ stream: Stream) {
        guard settings.idleNanoseconds > 0, !isClosed else {
            stream.close()
            return
        }
        stream.setDeadline(loop.now + settings.idleNanoseconds)
        stream.restIndex = idle.count
        idle.append(stream)
    }

    /// Closes a stream at rest: its time is over, or the backend closed it or sent what nobody asked for.
    func retire(_ stream: Stream) {
        let index = stream.restIndex
        precondition(index >= 0 && idle[index] === stream, "a stream without an exchange is at rest")
        // The warmest takes its place: a backend that closes all of them costs no more than their number.
        let last = idle.removeLast()
        if last !== stream {
            idle[index] = last
            last.restIndex = index
        }
        stream.restIndex = -1
        stream.close()
    }

    /// Closes the streams at rest, and each other one when its exchange ends.
    public func close() {
        isClosed = true
        let streams = idle + unclaimed
        idle = []
        for stream in streams { stream.close() }
    }
}

@available(*, unavailable)
extension StreamPool: Sendable {}
