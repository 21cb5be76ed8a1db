// Tokens: the same for the same secret and name, different for all others, and nothing to be seen in them.

import Balancing
import Testing

@testable import Control

@Suite struct AffinityKeyTests {
    private func key(_ secret: String) -> AffinityKey {
        AffinityKey(StickySecret(path: nil, bytes: Array(secret.utf8)))
    }

    private func text(_ token: AffinityToken) -> String {
        String(decoding: (0..<AffinityToken.length).map { token[$0] }, as: UTF8.self)
    }

    @Test func `a token is the same in every version`() {
        // Numbers that a change would silently unbind all clients by:
        // printf 'curl-lb affinity 1\nblue' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | head -c 16 | basenc --base64url
        #expect(text(key("0123456789abcdef").token(for: "blue")) == "-5eWHfhyHLrPF1l06hQhPw")
    }

    @Test func `other secrets and other names make other tokens`() {
        var tokens: Set<AffinityToken> = []
        for secret in ["0123456789abcdef", "0123456789abcdeF", "0123456789abcdef0"] {
            for number in 0..<100 { #expect(tokens.insert(key(secret).token(for: "10.0.0.1:\(number)")).inserted) }
        }
    }

    @Test func `a token is made of letters, digits, dashes and underscores`() {
        for number in 0..<200 {
            let text = text(key("0123456789abcdef").token(for: "n\(number)"))
            #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        }
    }

    @Test func `without a secret no two keys are alike, and each stays as it is`() {
        let first = AffinityKey(nil)
        #expect(first.token(for: "a") == first.token(for: "a"))
        #expect(first.token(for: "a") != AffinityKey(nil).token(for: "a"))
    }
}
