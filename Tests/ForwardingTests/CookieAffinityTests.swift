// The cookie that binds a client: how it is written, found among others, and told from what we have not made.

import HTTPWire
import MessageIO
import Testing

@testable import Balancing
@testable import EventLoop
@testable import Forwarding
@testable import Upstream

@Suite("Cookie affinity")
struct CookieAffinityTests {
    @Sendable private static func token(_ name: String) -> AffinityToken {
        let text = Array((name + String(repeating: "-", count: AffinityToken.length)).utf8.prefix(AffinityToken.length))
        guard let token = AffinityToken(text.span) else { preconditionFailure("a token's length") }
        return token
    }

    private static let own = "a---------------------"

    private func affinity(
        name: String = "lb",
        lifetime: Int? = nil,
        secure: CookieAffinity.Secure = .whenEncrypted,
        sameSite: CookieAffinity.SameSite = .lax
    ) -> CookieAffinity {
        CookieAffinity(name: name, lifetime: lifetime, secure: secure, sameSite: sameSite, token: Self.token)
    }

    private func fields(_ affinity: CookieAffinity, isEncrypted: Bool = false) -> String {
        let buffer = Buffer(capacity: 4096)
        affinity.appendFields(Self.token("a"), isEncrypted: isEncrypted, to: buffer)
        return buffer.text
    }

    @Test func `the line that sets the cookie, byte for byte`() {
        let end = "\r\nCache-Control: private\r\n"
        #expect(fields(affinity()) == "Set-Cookie: lb=\(Self.own); Path=/; HttpOnly; SameSite=Lax\(end)")
        #expect(
            fields(affinity(), isEncrypted: true)
                == "Set-Cookie: lb=\(Self.own); Path=/; HttpOnly; SameSite=Lax; Secure\(end)"
        )
        #expect(
            fields(affinity(name: "x", lifetime: 90, secure: .always, sameSite: .none))
                == "Set-Cookie: x=\(Self.own); Path=/; Max-Age=90; HttpOnly; SameSite=None; Secure\(end)"
        )
        #expect(
            fields(affinity(secure: .never, sameSite: .strict), isEncrypted: true)
                == "Set-Cookie: lb=\(Self.own); Path=/; HttpOnly; SameSite=Strict\(end)"
        )
    }

    @Test func `all that is added for one client fits in front of a body`() {
        let name = String(repeating: "n", count: CookieAffinity.maximumNameLength)
        let longest = fields(affinity(name: name, lifetime: 400 * 86400, secure: .always, sameSite: .strict))
        #expect(longest.utf8.count <= CookieAffinity.maximumAddition)
        let explanation = "X-LB-Explain: \r\n".utf8.count + Exchange.maximumExplanation
        let all = ClientResponse.maximumAddition + CookieAffinity.maximumAddition + explanation + Buffer.chunkHeadroom
        #expect(all <= Stream.headroom)
    }

    @Test(
        arguments: [
            ("Cookie: lb=TOKEN", true), ("Cookie: a=b; lb=TOKEN; c=d", true), ("Cookie: a=b\r\nCookie: lb=TOKEN", true),
            // A cookie of another path or of before, and ours.
            ("Cookie: lb=old; lb=TOKEN", true), ("Cookie: lb=b---------------------; lb=TOKEN", true),
            ("Cookie: lb=; lb=TOKEN", true), ("Cookie: ;;lb=TOKEN;", true),
            ("Cookie: LB=TOKEN", false), ("Cookie: lb=TOKENx", false), ("Cookie: lb=xTOKEN", false),
            ("Cookie: xlb=TOKEN", false),
            ("Cookie: lb= TOKEN", false), ("Cookie: lb=\"TOKEN\"", false), ("Cookie: lb", false), ("Cookie:", false),
            ("Cookie: lb=stranger--------------", false), ("X-Cookie: lb=TOKEN", false), ("A: b", false),
            ("Cookie: lb=a-------------------- ", false), ("Cookie: lb=A---------------------", false),
        ] as [(String, Bool)]
    )
    func `a client is bound by a cookie of ours, wherever it stands`(line: String, isBound: Bool) throws {
        var roster = PoolRoster(policy: .roundRobin, affinityToken: Self.token)
        try roster.add(PoolEntry(name: "a"))
        let balancer = Balancer(roster.makeSnapshot(), seed: 1)
        let reader = try reader(of: "GET / HTTP/1.1\r\nHost: x\r\n\(line.replacing("TOKEN", with: Self.own))\r\n\r\n")
        #expect(affinity().pin(of: reader, at: balancer) == (isBound ? Self.token("a") : nil))
    }

    @Test(
        arguments: [
            ("X-Forwarded-Proto: https", true), ("x-forwarded-proto: HTTPS", true), ("X-Forwarded-Proto: http", false),
            ("X-Forwarded-Proto: httpx", false), ("X-Forwarded-Proto:", false), ("A: b", false),
        ] as [(String, Bool)]
    )
    func `a proxy tells whether the client came over TLS`(line: String, isEncrypted: Bool) throws {
        #expect(try reader(of: "GET / HTTP/1.1\r\nHost: x\r\n\(line)\r\n\r\n").isForwardedEncrypted == isEncrypted)
    }
}
