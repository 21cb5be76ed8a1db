// Deadlines on a loop: set, moved later, moved earlier, cleared, and changed from inside reactions.

import Glibc
import Testing

@testable import EventLoop

@Suite("Event loop: deadlines")
struct DeadlineTests {
    let loop = EventLoop()
    let journal = Journal()

    private func probe(_ name: String, _ deadline: MonotonicTime) -> Probe {
        let probe = Probe(name, loop, journal)
        probe.setDeadline(deadline)
        return probe
    }

    @Test func `deadlines that are over are met in one turn, the earliest first, each once`() {
        let probes = [3, 1, 4, 1, 5, 9, 2, 6].map { probe("\($0)", .past($0)) }
        loop.turn()
        #expect(journal.entries == [1, 1, 2, 3, 4, 5, 6, 9].map { "\($0) deadline" })
        #expect(probes.allSatisfy { $0.deadline == .never && $0.queueIndex == -1 })
        loop.turnAtOnce()
        #expect(journal.entries.count == probes.count)
    }

    @Test func `a deadline moved later is not met at its first time`() {
        let a = probe("a", .past(1))
        a.setDeadline(.distant())
        loop.turn()
        #expect(journal.entries == [])
        #expect(a.queuedDeadline == a.deadline, "the queue has caught up")
        loop.unregister(a)
    }

    @Test func `a deadline moved later and then earlier again is met once`() {
        let a = probe("a", .past(5))
        a.setDeadline(.distant())
        a.setDeadline(.past(7))
        loop.turn()
        loop.turnAtOnce()
        #expect(journal.entries == ["a deadline"])
        #expect(a.queueIndex == -1)
    }

    @Test func `a deadline moved earlier is met at the earlier time`() {
        let a = probe("a", .distant())
        let b = probe("b", .past(2))
        a.setDeadline(.past(1))
        loop.turn()
        #expect(journal.entries == ["a deadline", "b deadline"])
        _ = b
    }

    @Test func `a deadline that was cleared is not met, and one that was set anew is`() {
        let a = probe("a", .past(1))
        let b = probe("b", .past(2))
        a.setDeadline(.never)
        b.setDeadline(.never)
        b.setDeadline(.past(3))
        loop.turn()
        #expect(journal.entries == ["b deadline"])
        #expect(a.queueIndex == -1)
    }

    @Test func `a reaction finds its deadline cleared and may set another`() {
        let a = probe("a", .past(1))
        let next = MonotonicTime.distant()
        a.onDeadline = {
            #expect($0.deadline == .never)
            $0.setDeadline(next)
        }
        loop.turn()
        loop.turnAtOnce()
        #expect(journal.entries == ["a deadline"])
        #expect(a.deadline == next)
        loop.unregister(a)
    }

    @Test func `a reaction can clear, move later, or unregister what is due after it`() {
        let first = probe("first", .past(1))
        let cleared = probe("cleared", .past(2))
        let moved = probe("moved", .past(3))
        let unregistered = probe("unregistered", .past(4))
        let last = probe("last", .past(5))
        first.onDeadline = { [loop] _ in
            cleared.setDeadline(.never)
            moved.setDeadline(.distant())
            loop.unregister(unregistered)
        }
        loop.turn()
        #expect(journal.entries == ["first deadline", "last deadline"])
        loop.unregister(moved)
        _ = last
    }

    @Test func `a reaction can make another deadline due at once`() {
        let a = probe("a", .past(1))
        let b = probe("b", .distant())
        a.onDeadline = { _ in b.setDeadline(.past(1)) }
        loop.turn()
        #expect(journal.entries == ["a deadline", "b deadline"])
    }

    @Test func `events come before deadlines, so that one moved later by its event is not met`() throws {
        let ends = try Ends.pipe()
        let a = probe("a", .past(1))
        a.onReady = { $0.setDeadline(.distant()) }
        #expect(loop.register(a, descriptor: ends.near, interest: .readable, edgeTriggered: true))
        ends.poke()
        loop.turn()
        #expect(journal.entries == ["a ready"])
        loop.tearDown()
    }

    @Test func `the loop waits for a deadline and does not meet it early`() {
        let deadline = MonotonicTime.now + 1_500_000
        let a = probe("a", deadline)
        while journal.entries.isEmpty { loop.turn() }
        #expect(loop.now >= deadline)
        #expect(journal.entries == ["a deadline"])
        _ = a
    }

    struct Sum: Sendable, CustomTestStringConvertible {
        let label: String
        let time: UInt64
        let added: UInt64
        let expected: UInt64
        var testDescription: String { label }
    }

    @Test(arguments: [
        Sum(label: "a while", time: 5, added: 7, expected: 12),
        Sum(label: "nothing", time: 5, added: 0, expected: 5),
        Sum(label: "up to the last point", time: .max - 1, added: 1, expected: .max),
        Sum(label: "beyond the last point", time: .max - 1, added: 2, expected: .max),
        Sum(label: "never and a while", time: .max, added: 7, expected: .max),
        Sum(label: "a while beyond measure", time: 7, added: .max, expected: .max),
    ])
    func `adding to a point saturates at never`(_ sum: Sum) {
        #expect(MonotonicTime(nanoseconds: sum.time) + sum.added == MonotonicTime(nanoseconds: sum.expected))
    }

    @Test func `the time since a later point is 0`() {
        #expect(MonotonicTime.past(12).since(.past(5)) == 7)
        #expect(MonotonicTime.past(5).since(.past(5)) == 0)
        #expect(MonotonicTime.past(5).since(.never) == 0)
    }

    @Test func `durations become nanoseconds, clamped at both ends`() {
        #expect(Duration.zero.clampedNanoseconds == 0)
        #expect(Duration.nanoseconds(1).clampedNanoseconds == 1)
        #expect(Duration.milliseconds(1500).clampedNanoseconds == 1_500_000_000)
        #expect(Duration.milliseconds(-1500).clampedNanoseconds == 0)
        #expect(Duration.nanoseconds(-1).clampedNanoseconds == 0)
        #expect(Duration.seconds(Int64.max).clampedNanoseconds == .max)
        #expect(Duration(secondsComponent: 1, attosecondsComponent: 999_999_999).clampedNanoseconds == 1_000_000_000)
    }
}
