// The deadline queue against a naive model.

import TestSupport
import Testing

@testable import EventLoop

/// What the queue should hold: the queued deadline of each handler, by its number.
private struct NaiveQueue {
    var deadlines: [Int: MonotonicTime] = [:]

    var earliest: MonotonicTime { deadlines.values.min() ?? .never }
}

extension DeadlineQueue {
    /// Gives a handler a deadline and queues it under that, past the queue of the handler's own loop.
    fileprivate mutating func put(_ handler: EventHandler, at time: MonotonicTime) {
        let queued = handler.queuedDeadline
        handler.queuedDeadline = MonotonicTime(nanoseconds: 0)
        handler.setDeadline(time)
        handler.queuedDeadline = queued
        update(handler)
    }
}

@Suite("Deadline queue")
struct DeadlineQueueTests {
    private let loop = EventLoop()

    @Test func `an empty queue has nothing due`() {
        let queue = DeadlineQueue()
        #expect(queue.earliest == .never)
        #expect(queue.due(at: .never) == nil)
    }

    @Test func `what is due is due at its very point, not before`() {
        var queue = DeadlineQueue()
        let handler = EventHandler(loop: loop)
        queue.put(handler, at: .past(10))
        #expect(queue.due(at: .past(9)) == nil)
        #expect(queue.due(at: .past(10)) === handler)
        #expect(queue.due(at: .past(11)) === handler)
        queue.remove(handler)
        #expect(queue.earliest == .never)
        queue.remove(handler)
        #expect(queue.earliest == .never)
    }

    @Test(arguments: SeededGenerator.seeds)
    func `random operations leave what a naive queue has`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = DeadlineQueue()
        var model = NaiveQueue()
        let handlers = (0..<50).map { _ in EventHandler(loop: loop) }

        for _ in 0..<3000 {
            let number = generator.number(in: 0...49)
            let handler = handlers[number]
            switch generator.number(in: 0...9) {
            case 0...5:
                // Few points, so that many are equal.
                let time = MonotonicTime.past(UInt64(generator.number(in: 1...60)))
                queue.put(handler, at: time)
                model.deadlines[number] = time
            case 6:
                queue.put(handler, at: .never)
                model.deadlines[number] = nil
            case 7:
                queue.remove(handler)
                model.deadlines[number] = nil
            default:
                let now = MonotonicTime.past(UInt64(generator.number(in: 0...20)))
                let due = queue.due(at: now)
                #expect((due != nil) == (model.earliest <= now))
                guard let due, let index = handlers.firstIndex(where: { $0 === due }) else { continue }
                #expect(model.deadlines[index] == model.earliest)
                queue.remove(due)
                model.deadlines[index] = nil
            }
            #expect(queue.earliest == model.earliest)
            #expect((handler.queueIndex >= 0) == (model.deadlines[number] != nil))
            #expect(handler.queuedDeadline == model.deadlines[number] ?? .never)
        }

        // What is left comes out in order.
        var drained: [MonotonicTime] = []
        while let due = queue.due(at: .never) {
            drained.append(due.queuedDeadline)
            queue.remove(due)
        }
        #expect(drained == model.deadlines.values.sorted())
        #expect(handlers.allSatisfy { $0.queueIndex == -1 && $0.queuedDeadline == .never })
    }
}
