// How many connections are served, told, and dropped.

import Dispatch
import Logging
import Synchronization
import Testing

@testable import Front

@Suite("Connection limits")
struct ConnectionLimitsTests {
    private func limits(total: Int = 1000, perClient: Int = 0) -> ConnectionLimits {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return ConnectionLimits(total: total, perClient: perClient, diagnostics: logger)
    }

    private let alice = PeerAddress.ipv4("192.0.2.1", port: 1)
    private let bob = PeerAddress.ipv4("192.0.2.2", port: 1)

    @Test func `all together have as many as they may, and again when one is gone`() {
        let limits = limits(total: 2)
        #expect(limits.admit(alice) == .served)
        #expect(limits.admit(bob) == .served)
        #expect(limits.admit(alice) == .refused(.total))
        limits.release(alice, .refused(.total))
        limits.release(bob, .served)
        #expect(limits.admit(alice) == .served)
    }

    @Test func `each has as many as it may, whatever the others have`() {
        let limits = limits(perClient: 2)
        #expect(limits.admit(alice) == .servedAndCounted)
        #expect(limits.admit(PeerAddress.ipv4("192.0.2.1", port: 2)) == .servedAndCounted)
        #expect(limits.admit(PeerAddress.ipv4("192.0.2.1", port: 3)) == .refused(.client))
        #expect(limits.admit(bob) == .servedAndCounted)
        limits.release(alice, .refused(.client))
        limits.release(alice, .servedAndCounted)
        #expect(limits.admit(alice) == .servedAndCounted)
        #expect(limits.admit(alice) == .refused(.client))
    }

    @Test func `a network of IPv6 counts as one client`() {
        let limits = limits(perClient: 1)
        #expect(limits.admit(.ipv6("2001:db8::1", port: 1)) == .servedAndCounted)
        #expect(limits.admit(.ipv6("2001:db8::2", port: 1)) == .refused(.client))
        #expect(limits.admit(.ipv6("2001:db8:0:1::1", port: 1)) == .servedAndCounted)
    }

    @Test func `a client refused does not count against all`() {
        let limits = limits(total: 2, perClient: 1)
        #expect(limits.admit(alice) == .servedAndCounted)
        for _ in 0..<10 { #expect(limits.admit(alice) == .refused(.client)) }
        #expect(limits.admit(bob) == .servedAndCounted)
    }

    @Test func `not all that are too many are told`() {
        let limits = limits(total: 1)
        #expect(limits.admit(alice) == .served)
        for _ in 0..<16 { #expect(limits.admit(bob) == .refused(.total)) }
        #expect(limits.admit(bob) == nil)
        limits.release(bob, .refused(.total))
        #expect(limits.admit(bob) == .refused(.total))
    }

    @Test func `nothing is left of clients that are gone`() {
        let limits = limits(perClient: 3)
        for port in 1...100 {
            let peer = PeerAddress.ipv4("198.51.100.\(port)", port: 1)
            #expect(limits.admit(peer) == .servedAndCounted)
            limits.release(peer, .servedAndCounted)
        }
        #expect(limits.knownClients == 0)
    }

    @Test func `limits that change hold for those that come, and leave those that are there`() {
        let limits = limits(total: 3)
        for _ in 0..<3 { #expect(limits.admit(alice) == .served) }
        limits.change(total: 2, perClient: 0)
        #expect(limits.admit(alice) == .refused(.total))
        limits.release(alice, .served)
        #expect(limits.admit(alice) == .refused(.total))
        limits.release(alice, .served)
        #expect(limits.admit(alice) == .served)
        limits.change(total: 4, perClient: 0)
        #expect(limits.admit(alice) == .served)
    }

    @Test func `who came while clients had no limit is not counted to its client, and released all the same`() {
        let limits = limits()
        #expect(limits.admit(alice) == .served)
        limits.change(total: 1000, perClient: 1)
        #expect(limits.admit(alice) == .servedAndCounted)
        #expect(limits.admit(alice) == .refused(.client))
        limits.release(alice, .served)
        #expect(limits.admit(alice) == .refused(.client))
        limits.change(total: 1000, perClient: 0)
        #expect(limits.admit(alice) == .served)
        limits.release(alice, .servedAndCounted)
        #expect(limits.knownClients == 0)
        limits.change(total: 1000, perClient: 1)
        #expect(limits.admit(alice) == .servedAndCounted)
    }

    @Test
    func
        `however many threads admit at once, there are never more than may be, and none is refused beside a free place`()
    {
        let limits = limits(total: 5, perClient: 3)
        let inside = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let wrongly = Atomic<Int>(0)
        // Four threads hold one connection each at most: all of them fit, so that nobody may be refused.
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            let peer = thread.isMultiple(of: 2) ? alice : bob
            for _ in 0..<20_000 {
                guard limits.admit(peer) == .servedAndCounted else {
                    wrongly.wrappingAdd(1, ordering: .relaxed)
                    continue
                }
                let count = inside.wrappingAdd(1, ordering: .relaxed).newValue
                most.max(count, ordering: .relaxed)
                inside.wrappingSubtract(1, ordering: .relaxed)
                limits.release(peer, .servedAndCounted)
            }
        }
        #expect(wrongly.load(ordering: .relaxed) == 0)
        #expect(most.load(ordering: .relaxed) <= 4)
        #expect(limits.knownClients == 0)
    }

    @Test func `threads that want more than there is share what there is`() {
        let limits = limits(total: 2)
        let inside = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<20_000 {
                guard let admission = limits.admit(alice) else { continue }
                if admission == .served {
                    most.max(inside.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
                    inside.wrappingSubtract(1, ordering: .relaxed)
                }
                limits.release(alice, admission)
            }
        }
        #expect(most.load(ordering: .relaxed) <= 2)
    }
}
