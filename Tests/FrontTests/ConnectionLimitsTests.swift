// How many connections are served, told, and dropped.

import Logging
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
        limits.release(alice, .total)
        limits.release(bob, nil)
        #expect(limits.admit(alice) == .served)
    }

    @Test func `each has as many as it may, whatever the others have`() {
        let limits = limits(perClient: 2)
        #expect(limits.admit(alice) == .served)
        #expect(limits.admit(PeerAddress.ipv4("192.0.2.1", port: 2)) == .served)
        #expect(limits.admit(PeerAddress.ipv4("192.0.2.1", port: 3)) == .refused(.client))
        #expect(limits.admit(bob) == .served)
        limits.release(alice, .client)
        limits.release(alice, nil)
        #expect(limits.admit(alice) == .served)
        #expect(limits.admit(alice) == .refused(.client))
    }

    @Test func `a network of IPv6 counts as one client`() {
        let limits = limits(perClient: 1)
        #expect(limits.admit(.ipv6("2001:db8::1", port: 1)) == .served)
        #expect(limits.admit(.ipv6("2001:db8::2", port: 1)) == .refused(.client))
        #expect(limits.admit(.ipv6("2001:db8:0:1::1", port: 1)) == .served)
    }

    @Test func `a client refused does not count against all`() {
        let limits = limits(total: 2, perClient: 1)
        #expect(limits.admit(alice) == .served)
        for _ in 0..<10 { #expect(limits.admit(alice) == .refused(.client)) }
        #expect(limits.admit(bob) == .served)
    }

    @Test func `not all that are too many are told`() {
        let limits = limits(total: 1)
        #expect(limits.admit(alice) == .served)
        for _ in 0..<16 { #expect(limits.admit(bob) == .refused(.total)) }
        #expect(limits.admit(bob) == .dropped)
        limits.release(bob, .total)
        #expect(limits.admit(bob) == .refused(.total))
    }

    @Test func `nothing is left of clients that are gone`() {
        let limits = limits(perClient: 3)
        for port in 1...100 {
            let peer = PeerAddress.ipv4("198.51.100.\(port)", port: 1)
            #expect(limits.admit(peer) == .served)
            limits.release(peer, nil)
        }
        #expect(limits.knownClients == 0)
    }
}
