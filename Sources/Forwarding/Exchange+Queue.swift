// Waiting: what an exchange does while every backend that it could ask is full.

internal import Balancing
internal import EventLoop
internal import Front

extension Exchange {
    var isQueued: Bool { queueTicket != nil }

    /// Whether others may be able to use a place that this one is not given.
    var isPicky: Bool { !tried.isEmpty || worker.balancer.keepsPlacesForBound }

    /// Waits for a place; answers if that cannot be.
    func waitForPlace() {
        guard mayWait else {
            giveUp(failure ?? .noBackend)
            return
        }
        guard worker.queue.isEnabled else {
            giveUp(failure ?? .backendsFull)
            return
        }
        guard let ticket = worker.queue.join(self) else {
            // Those that wait may be unable to use what is free: better to overtake them than to be refused.
            if let lease = acquire() { begin(lease) } else { giveUp(.queueFull) }
            return
        }
        queueTicket = ticket
        queueStart = loop.now
        hedgeDue = .never
        progress.close()
        client.isHeld = true
        refreshDeadline()
        if client.hasClientLeft { clientHasLeft() }
    }

    /// Whether there is a backend that it could be given if that were not full.
    private var mayWait: Bool { worker.balancer.isFull(excluding: tried, pin: standing.pin) }

    /// Leaves the queue, whatever for.
    func leaveQueue() {
        guard let ticket = queueTicket else { return }
        queueTicket = nil
        queueNanoseconds += loop.now.since(queueStart)
        client.isHeld = false
        worker.queue.leave(ticket)
    }

    /// The pool has changed: when no backend is left that could be waited for, that is the answer.
    func poolChanged() {
        guard !mayWait else { return }
        leaveQueue()
        giveUp(failure ?? .noBackend)
    }

    /// The time in the queue is over.
    func queueTimedOut() {
        leaveQueue()
        giveUp(.queueTimeout)
    }
}
