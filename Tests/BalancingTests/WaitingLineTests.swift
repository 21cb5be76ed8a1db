// The line's order, and that anybody can leave it.

import TestSupport
import Testing

@testable import Balancing

@Suite("Waiting line")
struct WaitingLineTests {
    private func elements(_ line: WaitingLine<String>) -> [String] {
        var elements: [String] = []
        var ticket: UInt64 = 0
        while let next = line.first(after: ticket) {
            elements.append(next.element)
            ticket = next.ticket
        }
        return elements
    }

    @Test func `first come, first in the line, whoever leaves in between`() {
        var line = WaitingLine<String>()
        #expect(line.isEmpty && line.first == nil && line.first(after: 0) == nil)
        for (ticket, name) in zip([3, 4, 7, 8, 20] as [UInt64], ["a", "b", "c", "d", "e"]) {
            line.append(name, ticket: ticket)
        }
        #expect(elements(line) == ["a", "b", "c", "d", "e"])
        #expect(line.first(after: 5)?.element == "c")
        #expect(line.first(after: 7)?.element == "d")
        #expect(line.first(after: 20) == nil)

        #expect(line.remove(7) == "c")
        #expect(line.remove(7) == nil)
        #expect(line.remove(5) == nil && line.remove(1) == nil && line.remove(99) == nil)
        #expect(elements(line) == ["a", "b", "d", "e"])
        #expect(line.remove(3) == "a")
        #expect(line.first?.ticket == 4)
        #expect(line.remove(20) == "e")
        line.append("f", ticket: 21)
        #expect(elements(line) == ["b", "d", "f"])
        for ticket in [21, 4, 8] as [UInt64] { line.remove(ticket) }
        #expect(line.isEmpty && line.first == nil)
        line.append("g", ticket: 22)
        #expect(elements(line) == ["g"])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `it does what a sorted list does`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var line = WaitingLine<UInt64>()
        var list: [UInt64] = []
        var last: UInt64 = 0
        for _ in 0..<3000 {
            if Int.random(in: 0..<10, using: &generator) < 5 {
                last += UInt64.random(in: 1...3, using: &generator)
                line.append(last * 10, ticket: last)
                list.append(last)
            } else {
                // Mostly the first ones, as when they are served; sometimes one that is not there.
                let ticket =
                    Bool.random(using: &generator)
                    ? list.first ?? 1 : UInt64.random(in: 0...(last + 1), using: &generator)
                #expect(line.remove(ticket) == (list.contains(ticket) ? ticket * 10 : nil))
                list.removeAll { $0 == ticket }
            }
            let after = UInt64.random(in: 0...(last + 1), using: &generator)
            #expect(line.count == list.count)
            #expect(line.first?.ticket == list.first)
            #expect(line.first(after: after)?.element == list.first { $0 > after }.map { $0 * 10 })
        }
    }

    @Test func `one that stays does not make the line grow while others come and go`() {
        var line = WaitingLine<Int>()
        line.append(-1, ticket: 1)
        for ticket in 2...100_000 as ClosedRange<UInt64> {
            line.append(0, ticket: ticket)
            line.remove(ticket)
        }
        #expect(line.count == 1 && line.first?.element == -1)
        #expect(line.length <= 70)
    }
}
