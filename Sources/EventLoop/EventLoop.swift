// The loop: wait, react to descriptors, go on with put-off work, fire deadlines, flush.

internal import Glibc

/// A single-threaded reactor over epoll.
///
/// One thread calls ``run()`` and touches everything the loop owns. Other threads reach it through a ``Mailbox``.
public final class EventLoop {
    /// One descriptor number: who owns its current life.
    private struct Slot {
        var handler: Unmanaged<EventHandler>?
        var generation: UInt32 = 0
    }

    /// The monotonic clock as read at the start of the current turn's work.
    public private(set) var now = MonotonicTime.now

    /// Counts the turns: two things that happen in one turn are younger than all of its events.
    public private(set) var turnNumber: UInt64 = 0

    /// Whether the last wait brought as many events as it can: others may be known to the kernel and not to us.
    public private(set) var mayHaveUnseenEvents = false

    /// Events that arrived for a descriptor's former life, or for none: survived, counted.
    public private(set) var surprises: UInt64 = 0

    /// The pipes of large bodies.
    public let splicePipes = SplicePipePool()

    private let poller = Poller()
    private var slots: [Slot] = []
    private var deadlines = DeadlineQueue()
    private var scheduled: [EventHandler] = []
    private var resuming: [EventHandler] = []
    /// Handlers that lost their registration in this turn: kept alive until its end, since one of them may be running.
    private var retired: [EventHandler] = []
    private var isStopped = false

    /// Called once at the end of each turn: the place to write out what the turn gathered.
    ///
    /// May not block.
    public var onTurnEnd: (() -> Void)?

    /// Told after each turn how long it worked, and how late it met its latest deadline, in nanoseconds.
    public var onTurnMeasured: ((_ busy: UInt64, _ lateness: UInt64?) -> Void)?
    /// When the last turn's work was done.
    private var turnEnd = MonotonicTime.now

    public init() {}

    // MARK: Descriptors

    /// Watches a descriptor on behalf of a handler, which is retained until ``unregister(_:)``.
    ///
    /// - Returns: false with errno set when epoll refuses the descriptor.
    public func register(
        _ handler: EventHandler,
        descriptor: CInt,
        interest: Readiness,
        edgeTriggered: Bool
    ) -> Bool {
        precondition(handler.descriptor < 0 && descriptor >= 0, "one handler watches one descriptor")
        let index = Int(descriptor)
        while slots.count <= index { slots.append(Slot()) }
        precondition(slots[index].handler == nil, "descriptor \(descriptor) is watched already")
        slots[index].generation &+= 1
        let tag = PollTag(descriptor: descriptor, generation: slots[index].generation)
        guard poller.add(tag, interest, edgeTriggered: edgeTriggered) else { return false }
        slots[index].handler = Unmanaged.passRetained(handler)
        handler.descriptor = descriptor
        return true
    }

    /// Changes what a registered handler's descriptor is watched for.
    public func modify(_ handler: EventHandler, interest: Readiness, edgeTriggered: Bool) {
        let tag = PollTag(descriptor: handler.descriptor, generation: slots[Int(handler.descriptor)].generation)
        let done = poller.modify(tag, interest, edgeTriggered: edgeTriggered)
        precondition(done, "epoll_ctl: \(String(cString: strerror(errno)))")
    }

    /// Stops watching a handler's descriptor, without closing it, and clears the handler's deadline.
    ///
    /// With `isClosing` the system call is skipped: closing the descriptor's last copy removes it from epoll.
    public func unregister(_ handler: EventHandler, isClosing: Bool = false) {
        handler.setDeadline(.never)
        deadlines.remove(handler)
        let descriptor = handler.descriptor
        guard descriptor >= 0 else { return }
        if !isClosing { poller.remove(descriptor) }
        handler.descriptor = -1
        guard let owner = slots[Int(descriptor)].handler else { return }
        slots[Int(descriptor)].handler = nil
        retired.append(owner.takeRetainedValue())
    }

    // MARK: Time and put-off work

    /// Resumes the handler in the next turn, after the descriptors' events: bounded work per turn, nobody starves.
    public func schedule(_ handler: EventHandler) {
        guard !handler.isScheduled else { return }
        handler.isScheduled = true
        scheduled.append(handler)
    }

    func queueDeadline(of handler: EventHandler) { deadlines.update(handler) }

    // MARK: Running

    /// Runs turns until ``stop()``; returns on the same thread.
    public func run() {
        while !isStopped { turn() }
    }

    /// Ends ``run()`` after the current turn.
    ///
    /// Loop thread only.
    public func stop() { isStopped = true }

    /// Lets go of every handler: after the last turn, so that loop and handlers do not keep each other alive.
    public func tearDown() {
        for index in slots.indices {
            guard let handler = slots[index].handler else { continue }
            handler._withUnsafeGuaranteedRef { unregister($0) }
        }
        while let handler = deadlines.first { unregister(handler) }
        scheduled.removeAll()
        retired.removeAll()
    }

    /// One turn; public for tests.
    public func turn() {
        let count = poller.blockUntilReady(milliseconds: waitMilliseconds())
        now = .now
        turnNumber &+= 1
        mayHaveUnseenEvents = count == Poller.capacity
        for index in 0..<count {
            let (tag, readiness) = poller.event(at: index)
            dispatch(tag, readiness)
        }
        resumeScheduled()
        let lateness = fireDeadlines()
        onTurnEnd?()
        retired.removeAll(keepingCapacity: true)
        turnEnd = .now
        onTurnMeasured?(turnEnd.since(now), lateness)
    }

    @inline(__always)
    private func dispatch(_ tag: PollTag, _ readiness: Readiness) {
        let slot = slots[Int(tag.descriptor)]
        guard slot.generation == tag.generation, let handler = slot.handler else {
            surprises &+= 1
            return
        }
        // Safe without a retain: the slot holds one, and unregistering moves it to `retired` until the turn's end.
        handler._withUnsafeGuaranteedRef { $0.ready(readiness) }
    }

    private func resumeScheduled() {
        guard !scheduled.isEmpty else { return }
        swap(&scheduled, &resuming)
        for handler in resuming {
            handler.isScheduled = false
            handler.resume()
        }
        resuming.removeAll(keepingCapacity: true)
    }

    /// Each queued deadline at most once a turn: a reaction that wants to be called again at once must not hold up the rest.
    ///
    /// Returns how late the latest was; nil when none was due.
    private func fireDeadlines() -> UInt64? {
        var lateness: UInt64?
        for _ in 0..<deadlines.count {
            guard let handler = deadlines.due(at: now) else { break }
            if handler.deadline > now {
                // Moved later since it was queued: catch up.
                deadlines.update(handler)
            } else {
                lateness = max(lateness ?? 0, now.since(handler.deadline))
                deadlines.remove(handler)
                handler.setDeadline(.never)
                handler.deadlineReached()
            }
        }
        return lateness
    }

    private func waitMilliseconds() -> CInt {
        if !scheduled.isEmpty || isStopped { return 0 }
        let earliest = deadlines.earliest
        guard earliest != .never else { return -1 }
        // Of the time that the last turn's end was at: to ask for it anew costs as much as it would tell.
        let nanoseconds = earliest.since(turnEnd)
        // Rounded up, so that a deadline is never met a moment too early and waited for in a spin.
        return CInt(clamping: (nanoseconds + 999_999) / 1_000_000)
    }
}

@available(*, unavailable)
extension EventLoop: Sendable {}
