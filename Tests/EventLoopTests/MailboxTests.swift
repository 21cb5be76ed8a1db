// The mailbox: nothing lost, nothing out of order, nothing after its end.

import Dispatch
import Testing

@testable import EventLoop

@Suite("Mailbox", .timeLimit(.minutes(5)))
struct MailboxTests {
    private let loop = EventLoop()

    @Test func `messages posted before it was opened are delivered in order, in one turn`() {
        let mailbox = Mailbox<Int>()
        for message in 0..<5 { mailbox.post(message) }
        var received: [Int] = []
        mailbox.open(on: loop) { received.append($0) }
        loop.turn()
        #expect(received == [0, 1, 2, 3, 4])
        mailbox.post(5)
        mailbox.post(6)
        loop.turn()
        #expect(received == [0, 1, 2, 3, 4, 5, 6])
        loop.tearDown()
    }

    @Test func `a message posted while messages are delivered comes in the next turn`() {
        let mailbox = Mailbox<Int>()
        var turns: [[Int]] = [[]]
        mailbox.open(on: loop) { message in
            turns[turns.count - 1].append(message)
            if message < 3 { mailbox.post(message + 10) }
        }
        mailbox.post(1)
        mailbox.post(2)
        loop.turn()
        turns.append([])
        loop.turn()
        #expect(turns == [[1, 2], [11, 12]])
        loop.tearDown()
    }

    @Test func `a closed mailbox returns what was not read and takes no more`() {
        let mailbox = Mailbox<Int>()
        var received: [Int] = []
        mailbox.open(on: loop) { received.append($0) }
        #expect(mailbox.post(1))
        #expect(mailbox.post(2))
        #expect(mailbox.closeAndDrain() == [1, 2])
        #expect(!mailbox.post(3))
        #expect(mailbox.closeAndDrain() == [])
        loop.turn()
        #expect(received == [])
        loop.tearDown()
    }

    @Test func `several threads post at once: all arrives, each thread's messages in their order`() {
        struct Message: Sendable {
            let sender: Int
            let number: Int
        }
        let senders = 4
        let count = 2000
        let mailbox = Mailbox<Message>()
        var received = [[Int]](repeating: [], count: senders)
        mailbox.open(on: loop) { received[$0.sender].append($0.number) }
        for sender in 0..<senders {
            DispatchQueue.global().async {
                for number in 0..<count { mailbox.post(Message(sender: sender, number: number)) }
            }
        }
        // Were a wake-up lost, this would wait for ever.
        while received.reduce(0, { $0 + $1.count }) < senders * count { loop.turn() }
        #expect(received == Array(repeating: Array(0..<count), count: senders))
        loop.tearDown()
    }
}
