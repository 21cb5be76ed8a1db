// The loop's promises about descriptors: who is called, how often, and for which life of a number.

import Glibc
import Testing

@testable import EventLoop

@Suite("Event loop: descriptors")
struct EventLoopTests {
    let loop = EventLoop()
    let journal = Journal()

    /// A probe that watches a descriptor for input, edge-triggered.
    private func watch(_ name: String, _ descriptor: CInt, edgeTriggered: Bool = true) -> Probe {
        let probe = Probe(name, loop, journal)
        #expect(loop.register(probe, descriptor: descriptor, interest: .readable, edgeTriggered: edgeTriggered))
        return probe
    }

    @Test func `input is reported once when edge-triggered`() throws {
        let ends = try Ends.pipe()
        let probe = watch("a", ends.near)
        ends.poke()
        loop.turn()
        loop.turnAtOnce()
        #expect(journal.entries == ["a ready"])
        ends.poke()
        loop.turn()
        #expect(journal.entries == ["a ready", "a ready"])
        #expect(probe.readiness == [.readable, .readable])
        loop.tearDown()
    }

    @Test func `input is reported in each turn until it is read when level-triggered`() throws {
        let ends = try Ends.pipe()
        let probe = watch("a", ends.near, edgeTriggered: false)
        ends.poke()
        loop.turn()
        loop.turn()
        drain(probe.descriptor)
        loop.turnAtOnce()
        #expect(journal.entries == ["a ready", "a ready"])
        loop.tearDown()
    }

    @Test func `what a descriptor is watched for can be changed`() throws {
        let ends = try Ends.socketPair()
        let probe = watch("a", ends.near)
        loop.turnAtOnce()
        #expect(journal.entries == [])
        loop.modify(probe, interest: [.readable, .writable], edgeTriggered: true)
        loop.turn()
        #expect(probe.readiness == [.writable])
        loop.tearDown()
    }

    @Test func `the peer's end of sending and its close are told apart`() throws {
        let ends = try Ends.socketPair()
        let probe = Probe("a", loop, journal)
        #expect(loop.register(probe, descriptor: ends.near, interest: [.readable, .peerClosed], edgeTriggered: true))
        #expect(shutdown(ends.far, CInt(SHUT_WR)) == 0)
        loop.turn()
        ends.closeFar()
        loop.turn()
        #expect(probe.readiness.first == [.readable, .peerClosed])
        #expect(probe.readiness.last == [.readable, .peerClosed, .hungUp])
        loop.tearDown()
    }

    @Test func `more events than one wait takes are all delivered, each once`() throws {
        let ends = try Ends.pipe()
        ends.poke()
        let count = Poller.capacity + 44
        var probes: [Probe] = []
        for number in 0..<count {
            let copy = dup(ends.near)
            try #require(copy >= 0)
            probes.append(watch("\(number)", copy))
        }
        loop.turn()
        #expect(journal.entries.count == Poller.capacity)
        loop.turn()
        #expect(probes.allSatisfy { $0.readiness == [.readable] })
        for probe in probes {
            let descriptor = probe.descriptor
            loop.unregister(probe)
            close(descriptor)
        }
    }

    @Test func `a descriptor that epoll refuses is not taken, and its number can be watched later`() throws {
        let probe = Probe("a", loop, journal)
        let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
        try #require(number >= 0)
        defer { close(number) }
        #expect(!loop.register(probe, descriptor: number, interest: .readable, edgeTriggered: true))
        #expect(errno == EPERM)
        #expect(probe.descriptor == -1)

        let ends = try Ends.pipe()
        #expect(dup2(ends.near, number) == number)
        #expect(loop.register(probe, descriptor: number, interest: .readable, edgeTriggered: true))
        ends.poke()
        loop.turn()
        #expect(journal.entries == ["a ready"])
        loop.tearDown()
    }

    // MARK: Unregistering

    @Test func `a handler that unregisters itself is called no more, and lives until its call returns`() throws {
        let ends = try Ends.pipe()
        weak var remembered: Probe?
        do {
            let probe = watch("a", ends.near)
            probe.onReady = { [loop] probe in
                loop.unregister(probe)
                probe.journal.entries.append("\(probe.name) still here")
            }
            remembered = probe
        }
        ends.poke()
        #expect(remembered != nil, "the loop keeps what it watches")
        loop.turn()
        ends.poke()
        loop.turnAtOnce()
        #expect(journal.entries == ["a ready", "a still here"])
        #expect(remembered == nil)
        #expect(loop.surprises == 0)
    }

    @Test func `a handler unregistered by another one in the same batch is not called`() throws {
        let first = try Ends.pipe()
        let second = try Ends.pipe()
        let a = watch("a", first.near)
        let b = watch("b", second.near)
        // Whichever comes first.
        a.onReady = { [loop, unowned b] _ in loop.unregister(b) }
        b.onReady = { [loop, unowned a] _ in loop.unregister(a) }
        first.poke()
        second.poke()
        loop.turn()
        #expect(journal.entries == ["a ready"] || journal.entries == ["b ready"])
        #expect(loop.surprises == 1)
        loop.tearDown()
    }

    @Test(arguments: [false, true])
    func `an event for a number's former life does not reach its next one`(isClosing: Bool) throws {
        let ends = [try Ends.pipe(), try Ends.pipe()]
        let fresh = try Ends.pipe()
        let heir = Probe("heir", loop, journal)
        let probes = [watch("a", ends[0].near), watch("b", ends[1].near)]
        for (probe, other) in [(probes[0], probes[1]), (probes[1], probes[0])] {
            probe.onReady = { [loop, unowned other] _ in
                let number = other.descriptor
                loop.unregister(other, isClosing: isClosing)
                #expect(dup2(fresh.near, number) == number, "closes the number's former life")
                #expect(loop.register(heir, descriptor: number, interest: .readable, edgeTriggered: true))
            }
        }
        ends[0].poke()
        ends[1].poke()
        loop.turn()
        #expect(journal.entries.count == 1)
        #expect(loop.surprises == 1)
        fresh.poke()
        loop.turn()
        #expect(journal.entries.last == "heir ready")
        #expect(loop.surprises == 1)
        loop.tearDown()
    }

    @Test func `unregistering clears the deadline`() throws {
        let ends = try Ends.pipe()
        let probe = watch("a", ends.near)
        probe.setDeadline(.past(1))
        loop.unregister(probe)
        loop.turnAtOnce()
        #expect(journal.entries == [])
        #expect(probe.deadline == .never)
        #expect(probe.descriptor == -1)
    }

    @Test func `a handler can watch again after it was unregistered`() throws {
        let ends = try Ends.pipe()
        let probe = watch("a", ends.near)
        loop.unregister(probe)
        ends.poke()
        #expect(loop.register(probe, descriptor: ends.near, interest: .readable, edgeTriggered: true))
        loop.turn()
        #expect(journal.entries == ["a ready"])
        #expect(loop.surprises == 0)
        loop.tearDown()
    }

    @Test func `tearing down lets go of every handler`() throws {
        let ends = [try Ends.pipe(), try Ends.pipe()]
        weak var first: Probe?
        weak var second: Probe?
        do {
            first = watch("a", ends[0].near)
            let probe = watch("b", ends[1].near)
            probe.setDeadline(.distant())
            loop.schedule(probe)
            second = probe
        }
        #expect(first != nil && second != nil)
        loop.tearDown()
        #expect(first == nil && second == nil)
    }

    // MARK: Running

    @Test func `run ends with the turn in which it is stopped`() throws {
        let ends = try Ends.pipe()
        let probe = watch("a", ends.near)
        probe.onReady = { [loop] probe in
            loop.schedule(probe)
            loop.stop()
        }
        loop.onTurnEnd = { [journal] in journal.entries.append("turn ends") }
        ends.poke()
        loop.run()
        #expect(journal.entries == ["a ready", "a resumed", "turn ends"])
        loop.tearDown()
    }
}
