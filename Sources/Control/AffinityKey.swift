// How the tokens are made that bind clients to backends.

public import Balancing
import Crypto
public import Forwarding
import FoundationEssentials

/// Makes the tokens of backends with a secret, so that nobody else can, and nobody learns the backend's name from one.
public struct AffinityKey: Sendable {
    /// What is hashed in front of a name, so that the secret serves this purpose alone.
    private static let context = "curl-lb affinity 1\n"

    /// The random one that holds without a secret, until the process ends.
    public static let ofThisProcess = AffinityKey(nil)

    private let key: SymmetricKey

    /// - Parameter secret: nil for a random one, which no other balancer has, nor this one after a restart.
    public init(_ secret: StickySecret?) {
        key = secret.map { SymmetricKey(data: $0.bytes) } ?? SymmetricKey(size: .bits256)
    }

    /// The token of the backend of a name: the first half of an HMAC-SHA-256 (RFC 2104), in base64url (RFC 4648 section 5).
    public func token(for name: String) -> AffinityToken {
        let code = HMAC<SHA256>.authenticationCode(for: Data((Self.context + name).utf8), using: key)
        let text = Data(code.prefix(16)).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").prefix(AffinityToken.length)
        let bytes = Array(text.utf8)
        guard let token = AffinityToken(bytes.span) else { preconditionFailure("16 bytes make 22 characters") }
        return token
    }
}

extension CookieAffinity {
    /// What the settings ask for; nil when clients are not bound.
    public init?(_ settings: Settings) {
        guard let sticky = settings.sticky else { return nil }
        let key = settings.stickySecret.map { AffinityKey($0) } ?? .ofThisProcess
        self.init(
            name: sticky.cookieName,
            lifetime: sticky.lifetime.map { Int($0.components.seconds) },
            secure: sticky.secure,
            sameSite: sticky.sameSite,
            token: { key.token(for: $0) }
        )
    }
}
