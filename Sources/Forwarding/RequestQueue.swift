// The queue: requests of one worker that wait for a place at a backend.

internal import Balancing
internal import EventLoop
internal import Synchronization

/// What keeps all workers together from being overrun: the retry budget, and the queues.
///
/// Any thread.
public final class OverloadControl: Sendable {
    let retryBudget: RetryBudget
    let board: QueueBoard
    /// How long a request may take until its response head has come, in nanoseconds, as metrics tell it; 0 for any time.
    let deadline: Atomic<UInt64>
    private let mailboxes: [Mailbox<WorkerMessage>]

    init(_ settings: OverloadSettings, mailboxes: [Mailbox<WorkerMessage>]) {
        retryBudget = RetryBudget(percent: settings.retryBudget)
        board = QueueBoard(workers: mailboxes.count, limit: settings.queueLimit)
        deadline = Atomic(settings.deadline ?? 0)
        self.mailboxes = mailboxes
    }

    /// Goes on with other limits; what waits and what is repeated goes on.
    func change(_ settings: OverloadSettings) {
        retryBudget.change(percent: settings.retryBudget)
        board.change(limit: settings.queueLimit)
        deadline.store(settings.deadline ?? 0, ordering: .relaxed)
    }

    /// Has another worker look for a place, for the sake of its request with this ticket; false when it has stopped.
    func wake(_ worker: Int, ticket: UInt64) -> Bool { mailboxes[worker].post(.placeFree(ticket)) }
}

/// The line of one worker's requests for which every backend that they have not tried is full.
///
/// Whoever finds that a place may be free sees to it that the one that has waited longest looks for it: here in this turn, or on
/// its own worker by mail. Who looks and cannot use it passes the word on to the next; who looks and finds nothing ends it, since
/// the place has been taken, and its end will be told again. docs/decisions/0032 has the argument. Loop thread only.
final class RequestQueue: EventHandler {
    private let control: OverloadControl
    private let worker: Int
    private var line = WaitingLine<Exchange>()
    /// The lowest ticket that has been told of a place in this turn.
    private var told: UInt64?

    init(loop: EventLoop, control: OverloadControl, worker: Int) {
        self.control = control
        self.worker = worker
        super.init(loop: loop)
    }

    /// Whether requests may wait at all.
    var isEnabled: Bool { control.board.limit > 0 }

    /// Whether others came before.
    var isAnyoneWaiting: Bool { control.board.waiting > 0 }

    // MARK: Coming and going

    /// Puts a request at the line's end; its ticket, or nil when the queue is full.
    func join(_ exchange: Exchange) -> UInt64? {
        guard let ticket = control.board.takeTicket() else { return nil }
        line.append(exchange, ticket: ticket)
        postHead()
        control.board.hasJoined()
        // A place may have become free since it was looked for. If an older request can use any place, it has been told.
        guard let oldest = control.board.oldest() else { return ticket }
        if oldest.worker == worker || oldest.head.isPicky { wakeOldest() }
        return ticket
    }

    /// Takes a request out of the line.
    func leave(_ ticket: UInt64) {
        guard line.remove(ticket) != nil else { return }
        postHead()
        control.board.returnTicket()
    }

    private func postHead() {
        control.board.post(
            line.first.map { QueueBoard.Head(ticket: $0.ticket, isPicky: $0.element.isPicky) },
            of: worker
        )
    }

    // MARK: Places

    /// A place at a backend with a limit has become free.
    ///
    /// - Parameter ticket: The last one that has been told already.
    func placeWasFreed(after ticket: UInt64 = 0) {
        if control.board.placeWasFreed() { wakeOldest(after: ticket) }
    }

    /// The pool is another one: places may have come, and the last backend that somebody waited for may be gone.
    func poolChanged() {
        var ticket: UInt64 = 0
        while let waiting = line.first(after: ticket) {
            ticket = waiting.ticket
            waiting.element.poolChanged()
        }
        // With the pool it changes who can use any place.
        postHead()
        placeWasFreed()
        if !line.isEmpty { look(for: 0) }
    }

    /// Has the request that has waited longest look for a place.
    ///
    /// - Parameter ticket: Of those with higher tickets.
    func wakeOldest(after ticket: UInt64 = 0) {
        var ticket = ticket
        while let oldest = control.board.oldest(after: ticket) {
            if oldest.worker == worker {
                look(for: oldest.head.ticket)
                return
            }
            if control.wake(oldest.worker, ticket: oldest.head.ticket) { return }
            ticket = oldest.head.ticket
        }
    }

    /// Has this line looked at soon, but not at once: whoever calls is in the middle of another exchange.
    private func look(for ticket: UInt64) {
        told = min(ticket, told ?? ticket)
        loop.schedule(self)
    }

    override func resume() {
        guard let ticket = told else { return }
        told = nil
        serve(told: ticket)
    }

    /// Gives free places to those that wait, in their order.
    ///
    /// - Parameter first: The ticket of the one that was told of a place, which may have left since.
    func serve(told first: UInt64) {
        var ticket: UInt64 = 0
        while let waiting = line.first(after: ticket) {
            ticket = waiting.ticket
            if let lease = waiting.element.acquire() {
                waiting.element.leaveQueue()
                waiting.element.begin(lease)
            } else if !waiting.element.isPicky {
                return
            }
        }
        // Somebody else may be able to use what nobody here can, or needs: whoever comes after the one that was told, which may be
        // before the first that is here now. Tickets rise, so the word comes to an end.
        placeWasFreed(after: first)
    }
}
