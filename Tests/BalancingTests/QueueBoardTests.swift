// The board: how many wait, and who is next.

import Foundation
import Synchronization
import Testing

@testable import Balancing

@Suite("Queue board")
struct QueueBoardTests {
    private typealias Head = QueueBoard.Head

    @Test(arguments: [0, 1, 3]) func `as many wait as may`(limit: Int) {
        let board = QueueBoard(workers: 2, limit: limit)
        let tickets = (0..<limit).map { _ in board.takeTicket() }
        #expect(tickets == (0..<limit).map { UInt64($0 + 1) })
        #expect(board.takeTicket() == nil && board.waiting == limit)
        guard limit > 0 else { return }
        board.returnTicket()
        #expect(board.waiting == limit - 1)
        #expect(board.takeTicket() == UInt64(limit + 1), "a ticket is never given twice")
    }

    @Test func `the oldest of all workers is next, then the one behind it`() {
        let board = QueueBoard(workers: 4, limit: 9)
        #expect(board.oldest() == nil)
        board.post(Head(ticket: 7, isPicky: false), of: 0)
        board.post(Head(ticket: 3, isPicky: true), of: 2)
        board.post(Head(ticket: 5, isPicky: false), of: 3)
        #expect(board.oldest()?.worker == 2 && board.oldest()?.head == Head(ticket: 3, isPicky: true))
        #expect(board.oldest(after: 2)?.worker == 2)
        #expect(board.oldest(after: 3)?.worker == 3)
        #expect(board.oldest(after: 5)?.head == Head(ticket: 7, isPicky: false))
        #expect(board.oldest(after: 7) == nil)
        board.post(nil, of: 2)
        #expect(board.oldest()?.worker == 3)
    }

    @Test func `a place is told of only while somebody waits`() {
        let board = QueueBoard(workers: 1, limit: 1)
        #expect(!board.placeWasFreed())
        _ = board.takeTicket()
        board.hasJoined()
        #expect(board.placeWasFreed())
        board.returnTicket()
        #expect(!board.placeWasFreed())
    }

    @Test func `either the place is seen or who waits is seen`() {
        // One thread frees a place and then looks for who waits; the other begins to wait and then looks for a place. That neither
        // sees the other would be a request that nobody wakes.
        let rounds = 200_000
        let board = QueueBoard(workers: 1, limit: 1)
        let round = Atomic<Int>(0)
        let inFlight = Atomic<Int>(1)
        let seen = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let missed = Atomic<Int>(0)
        // A thread of its own: one from a pool may not come before this one has ended.
        Thread.detachNewThread {
            for number in 1...rounds {
                while round.load(ordering: .acquiring) < number { sched_yield() }
                _ = board.takeTicket()
                board.hasJoined()
                if inFlight.load(ordering: .relaxed) == 0 { seen.wrappingAdd(1, ordering: .relaxed) }
                done.store(1, ordering: .releasing)
            }
        }
        for number in 1...rounds {
            inFlight.store(1, ordering: .relaxed)
            seen.store(0, ordering: .relaxed)
            done.store(0, ordering: .relaxed)
            round.store(number, ordering: .releasing)
            inFlight.wrappingSubtract(1, ordering: .relaxed)
            if board.placeWasFreed() { seen.wrappingAdd(1, ordering: .relaxed) }
            while done.load(ordering: .acquiring) == 0 { sched_yield() }
            if seen.load(ordering: .relaxed) == 0 { missed.wrappingAdd(1, ordering: .relaxed) }
            board.returnTicket()
        }
        #expect(missed.load(ordering: .relaxed) == 0)
    }

    @Test func `another limit holds for those that come, and who waits waits on`() {
        let board = QueueBoard(workers: 1, limit: 2)
        #expect(board.takeTicket() != nil && board.takeTicket() != nil && board.takeTicket() == nil)
        board.change(limit: 1)
        #expect(board.waiting == 2 && board.takeTicket() == nil)
        board.change(limit: 3)
        #expect(board.takeTicket() != nil && board.takeTicket() == nil)
    }
}
