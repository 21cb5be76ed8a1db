// Identifiers for requests that came without one.

import Testing

@testable import Forwarding

@Suite("Request identifiers")
struct RequestIdentifierTests {
    private func identifiers(_ count: Int) -> [String] {
        var generator = RequestIdentifierGenerator()
        return (0..<count).map { _ in
            withUnsafeTemporaryAllocation(byteCount: RequestIdentifierGenerator.length, alignment: 1) { target in
                generator.write(to: target)
                return String(decoding: target, as: UTF8.self)
            }
        }
    }

    @Test func `an identifier is 128 bits in hexadecimal`() {
        #expect(RequestIdentifierGenerator.length == 32)
        #expect(identifiers(1000).allSatisfy { $0.wholeMatch(of: /[0-9a-f]{32}/) != nil })
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
