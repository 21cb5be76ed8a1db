// Work that is put off to a turn: how often it runs, and that it starves nobody.

import Glibc
import Testing

@testable import EventLoop

@Suite("Event loop: put-off work")
struct ScheduleTests {
    let loop = EventLoop()
    let journal = Journal()

    @Test func `put-off work runs in the next turn, in order, once`() {
        let a = Probe("a", loop, journal)
        let b = Probe("b", loop, journal)
        loop.schedule(b)
        loop.schedule(a)
        loop.schedule(b)
        loop.turn()
        #expect(journal.entries == ["b resumed", "a resumed"])
        loop.turnAtOnce()
        #expect(journal.entries.count == 2)
    }

    @Test func `work put off by an event runs in the same turn, after all events`() throws {
        let ends = [try Ends.pipe(), try Ends.pipe()]
        for (name, end) in zip(["a", "b"], ends) {
            let probe = Probe(name, loop, journal)
            probe.onReady = { [loop] in loop.schedule($0) }
            #expect(loop.register(probe, descriptor: end.near, interest: .readable, edgeTriggered: true))
            end.poke()
        }
        loop.turn()
        #expect(journal.entries.map { $0.suffix(5) } == ["ready", "ready", "sumed", "sumed"])
        loop.tearDown()
    }

    @Test func `work put off by put-off work runs in the next turn`() {
        let a = Probe("a", loop, journal)
        a.onResume = { [loop] in loop.schedule($0) }
        loop.schedule(a)
        loop.onTurnEnd = { [journal] in journal.entries.append("turn ends") }
        loop.turn()
        loop.turn()
        #expect(journal.entries == ["a resumed", "turn ends", "a resumed", "turn ends"])
        loop.tearDown()
    }

    @Test func `work put off by a deadline or at the turn's end runs in the next turn, which does not wait`() {
        let a = Probe("a", loop, journal)
        a.onDeadline = { [loop] in loop.schedule($0) }
        a.setDeadline(.past(1))
        loop.turn()
        #expect(journal.entries == ["a deadline"])
        let b = Probe("b", loop, journal)
        loop.onTurnEnd = { [loop] in loop.schedule(b) }
        loop.turn()
        loop.onTurnEnd = nil
        #expect(journal.entries == ["a deadline", "a resumed"])
        loop.turn()
        #expect(journal.entries == ["a deadline", "a resumed", "b resumed"])
    }

    @Test func `work that never ends lets events and deadlines through in each turn`() throws {
        let busy = Probe("busy", loop, journal)
        busy.onResume = { [loop] in loop.schedule($0) }
        loop.schedule(busy)
        let ends = try Ends.pipe()
        let patient = Probe("patient", loop, journal)
        #expect(loop.register(patient, descriptor: ends.near, interest: .readable, edgeTriggered: true))
        for _ in 0..<3 {
            ends.poke()
            patient.setDeadline(.past(1))
            loop.turn()
        }
        let turn = ["patient ready", "busy resumed", "patient deadline"]
        #expect(journal.entries == turn + turn + turn)
        loop.tearDown()
    }
}
