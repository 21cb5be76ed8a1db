// What all client connections of a worker share: what they are held to, and the memory that they take turns with.

public import EventLoop
public import HTTPWire

/// What client connections are held to.
public struct FrontSettings: Sendable {
    public let limits: HeadLimits
    /// How long a connection may be without a request, in nanoseconds.
    public let idleNanoseconds: UInt64
    /// How long a request head may take from its first byte to its last, in nanoseconds.
    public let headNanoseconds: UInt64
    /// How many requests may arrive before the first of them is answered.
    public let maximumPipelined: Int
    /// The proxies that are believed about their clients.
    public let trusted: TrustedPeers
    /// How many bytes are read and dropped after an answer that has not waited for them.
    public let maximumDropped: Int

    public init(
        limits: HeadLimits,
        idleNanoseconds: UInt64,
        headNanoseconds: UInt64,
        maximumPipelined: Int,
        trusted: TrustedPeers = TrustedPeers(),
        maximumDropped: Int = .max
    ) {
        self.limits = limits
        self.idleNanoseconds = idleNanoseconds
        self.headNanoseconds = headNanoseconds
        self.maximumPipelined = maximumPipelined
        self.trusted = trusted
        self.maximumDropped = maximumDropped
    }
}

/// What the client connections of one worker share.
public final class FrontResources {
    public let loop: EventLoop
    /// The worker, which owns these resources and closes all connections before it ends.
    public unowned(unsafe) let handler: any RequestHandler
    private(set) var settings: FrontSettings
    /// The pool that response buffers are given back to.
    let responseBuffers: BufferPool
    private let largeBuffers: BufferPool
    /// Readers kept when nobody uses them.
    private static let maximumIdleReaders = 4096
    private var readers: [RequestReader] = []
    /// The fewest at rest since the last ``trim()``.
    private var lowWater = 0

    public init(
        loop: EventLoop,
        handler: any RequestHandler,
        settings: FrontSettings,
        responseBuffers: BufferPool
    ) {
        self.loop = loop
        self.handler = handler
        self.settings = settings
        self.responseBuffers = responseBuffers
        largeBuffers = BufferPool(capacity: RequestReader.bufferCapacity(for: settings.limits), maximumIdle: 256)
    }

    func takeReader() -> RequestReader {
        let reader = readers.popLast() ?? RequestReader(limits: settings.limits, largeBuffers: largeBuffers)
        // Those that were at rest may have other ones.
        reader.limits = settings.limits
        lowWater = min(lowWater, readers.count)
        return reader
    }

    /// Goes on with other settings: for deadlines that are set from now on, and heads that begin to be read.
    ///
    /// How large a head may be stays as it is: buffers have that size.
    public func change(_ settings: FrontSettings) {
        precondition(settings.limits.maxHeadBytes == self.settings.limits.maxHeadBytes, "buffers keep their size")
        self.settings = settings
    }

    /// Lets go of the readers, and of their large buffers, that nobody has taken since the last call; returns how many.
    public func trim() -> Int {
        let count = lowWater
        readers.removeFirst(count)
        lowWater = readers.count
        return count + largeBuffers.trim()
    }

    func give(_ reader: RequestReader) {
        reader.reset()
        if readers.count < FrontResources.maximumIdleReaders { readers.append(reader) }
    }
}
