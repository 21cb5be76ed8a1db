// Clients that are bound to a backend while the pool changes under running workers.

import Balancing
import Testing

@testable import Forwarding

@Suite("Bound clients", .timeLimit(.minutes(5)))
struct BoundClientTests {
    private static let affinity = CookieAffinity(
        name: "lb",
        lifetime: nil,
        secure: .never,
        sameSite: .lax,
        token: { name in
            let text = Array(cookie(name).utf8)
            guard let token = AffinityToken(text.span) else { preconditionFailure("a token's length") }
            return token
        }
    )

    /// The value of the cookie that binds to a backend.
    @Sendable private static func cookie(_ name: String) -> String {
        String((name + String(repeating: "-", count: AffinityToken.length)).prefix(AffinityToken.length))
    }

    /// Who answers clients that are bound to b, one on each worker in turn, and who they are bound to from then on.
    private func answers(_ running: PoolChangeTests.Running, _ count: Int) -> [String] {
        (0..<count).map { turn in
            running.ask(turn % 2, "Cookie: lb=\(Self.cookie("b"))\r\n")
            let (head, body) = running.response(turn % 2)
            let set = head.firstMatch(of: /Set-Cookie: lb=([^;]+);/).map { $0.1.prefix { $0 != "-" } }
            return set.map { "\(body)>\($0)" } ?? body
        }
    }

    private func play(_ test: (PoolChangeTests.Running) throws -> Void) throws {
        let origins = try ["a", "b"].map { try SmallOrigin($0) }
        let running = try PoolChangeTests.Running(origins, affinity: Self.affinity)
        defer {
            for origin in origins { origin.stop() }
            running.stop()
        }
        try test(running)
    }

    @Test func `a drained backend keeps its clients and gets no others`() throws {
        try play { running in
            try running.change(.administrative(name: "b", .drain))
            #expect(answers(running, 4) == ["b", "b", "b", "b"])
            #expect(running.answers(4) == "a a a a")
        }
    }

    @Test(
        arguments: [
            .administrative(name: "b", .maintenance), .operational(name: "b", .down), .remove(name: "b"),
        ] as [PoolChange]
    )
    func `a backend that keeps none has its clients bound to another`(change: PoolChange) throws {
        try play { running in
            #expect(answers(running, 2) == ["b", "b"])
            try running.change(change)
            #expect(answers(running, 4) == ["a>a", "a>a", "a>a", "a>a"])
        }
    }

    @Test func `a backend that is back under its name has them again`() throws {
        let origins = try ["a", "b"].map { try SmallOrigin($0) }
        let running = try PoolChangeTests.Running(origins, affinity: Self.affinity)
        defer {
            for origin in origins { origin.stop() }
            running.stop()
        }
        try running.change(.remove(name: "b"))
        #expect(answers(running, 2) == ["a>a", "a>a"])
        try running.change(.add(PoolChangeTests.configuration(origins[1])))
        #expect(answers(running, 2) == ["b", "b"])
    }
}
