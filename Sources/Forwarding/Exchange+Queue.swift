// Waiting: what an exchange does while every backend that it could ask is full.

internal import Balancing
internal import EventLoop
internal import Front

extension Exchange {
    var isQueued: Bool { queueTicket != nil }

    /// Whether there are backends that it will not be given.
    var hasTriedAny: Bool { !tried.isEmpty }

    /// Waits for a place; answers if that cannot be.
    func waitForPlace() {
        guard worker.balancer.isFull(excluding: tried) else {
            giveUp(failure ?? .noBackend)
            return
        }
        guard worker.queue.isEnabled else {
            giveUp(failure ?? .backendsFull)
            return
        }
        guard let ticket = worker.queue.join(self) else {
            giveUp(.queueFull)
            return
        }
        queueTicket = ticket
        queueStart = loop.now
        hedgeTime = .never
        progress.close()
        client.isHeld = true
        refreshDeadline()
        if client.hasClientLeft { clientHasLeft() }
    }

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
        guard !worker.balancer.isFull(excluding: tried) else { return }
        leaveQueue()
        giveUp(failure ?? .noBackend)
    }

    /// The time in the queue is over.
    func queueTimedOut() {
        leaveQueue()
        giveUp(.queueTimeout)
    }
}
