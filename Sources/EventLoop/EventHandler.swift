// What an event loop calls: one descriptor and one deadline, with their owner's reactions.

/// Which kinds of progress a descriptor allows, as epoll reports it.
@frozen
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes or a connection can be read, or the end of input has come.
    @inlinable public static var readable: Readiness { Readiness(rawValue: 0x001) }
    /// The socket's send buffer has room.
    @inlinable public static var writable: Readiness { Readiness(rawValue: 0x004) }
    /// The socket has a pending error.
    @inlinable public static var failed: Readiness { Readiness(rawValue: 0x008) }
    /// Both directions are shut.
    @inlinable public static var hungUp: Readiness { Readiness(rawValue: 0x010) }
    /// Of several pollers that watch the descriptor, one that waits is woken, not all; cannot be modified (EPOLLEXCLUSIVE).
    @inlinable public static var exclusively: Readiness { Readiness(rawValue: 0x1000_0000) }
    /// The peer has shut its sending direction.
    @inlinable public static var peerClosed: Readiness { Readiness(rawValue: 0x2000) }
}

/// Something with at most one descriptor and at most one deadline that reacts on its loop.
///
/// Subclasses override the reactions. Loop thread only, like everything a loop owns: not Sendable.
open class EventHandler {
    /// The loop that calls this handler, and outlives it.
    public unowned(unsafe) let loop: EventLoop

    /// The registered descriptor, or -1.
    public internal(set) final var descriptor: CInt = -1

    /// When ``deadlineReached()`` shall be called; set through ``setDeadline(_:)``.
    public private(set) final var deadline = MonotonicTime.never

    /// The deadline under which this handler stands in the loop's queue; never later than ``deadline``.
    final var queuedDeadline = MonotonicTime.never
    /// The handler's place in the deadline queue, or -1.
    final var queueIndex = -1
    /// Whether the handler waits to be resumed in the next turn.
    final var isScheduled = false

    public init(loop: EventLoop) { self.loop = loop }

    deinit { assert(queueIndex < 0, "a handler clears its deadline, or is unregistered, before it goes away") }

    /// Reacts to a change of the descriptor's readiness.
    open func ready(_ readiness: Readiness) {}

    /// Reacts to the deadline; it has been cleared before the call.
    open func deadlineReached() {}

    /// Goes on with work that was put off to this turn by ``EventLoop/schedule(_:)``.
    open func resume() {}

    /// Moves the deadline.
    ///
    /// Moving it later costs one store; the queue catches up when the old one is reached.
    public final func setDeadline(_ time: MonotonicTime) {
        deadline = time
        if time < queuedDeadline { loop.queueDeadline(of: self) }
    }
}

@available(*, unavailable)
extension EventHandler: Sendable {}
