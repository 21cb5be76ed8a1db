// Identifiers for requests that came without one.

import Testing

@testable import Forwarding

@Suite("Request identifiers")
struct RequestIdentifierTests {
    private func identifiers(_ count: Int) -> [String] {
        var generator = RequestIdentifierGenerator()
        return (0..<count).map { _ in
            var identifier = RequestIdentifier()
            identifier.make(with: &generator)
            return identifier.text
        }
    }

    @Test func `an identifier is 128 bits in hexadecimal`() {
        #expect(identifiers(1000).allSatisfy { $0.wholeMatch(of: /[0-9a-f]{32}/) != nil })
    }

    @Test func `a client's word is the identifier until it is forgotten`() {
        var generator = RequestIdentifierGenerator()
        var identifier = RequestIdentifier()
        let isTaken = Array("trace-7".utf8).withUnsafeBytes { identifier.take($0) }
        #expect(isTaken && !identifier.isOurs)
        #expect(identifier.text == "trace-7")
        identifier.reset()
        identifier.make(with: &generator)
        #expect(identifier.isOurs)
        #expect(identifier.text.count == 32)
    }

    @Test func `a client's word that would need quoting, or is too long, is not taken`() {
        let plain = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.:/+=@".utf8)
        for byte in UInt8.min...UInt8.max {
            var identifier = RequestIdentifier()
            let isTaken = [97, byte, 97].withUnsafeBytes { identifier.take($0) }
            #expect(isTaken == plain.contains(byte), "\(byte)")
            #expect(identifier.isOurs != isTaken)
        }
        for (length, isTaken) in [(0, false), (1, true), (128, true), (129, false)] {
            var identifier = RequestIdentifier()
            #expect([UInt8](repeating: 97, count: length).withUnsafeBytes { identifier.take($0) } == isTaken)
        }
    }

    @Test func `no two identifiers are the same, from one generator or from several`() {
        let all = (0..<8).flatMap { _ in identifiers(1000) }
        #expect(Set(all).count == all.count)
    }

    @Test func `every digit takes every value`() {
        let columns = identifiers(2000).map(Array.init)
        for place in 0..<32 { #expect(Set(columns.map { $0[place] }).count == 16) }
    }
}
