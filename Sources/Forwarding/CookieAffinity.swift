// The cookie that binds a client to its backend: how it is read, and the line that sets it.

public import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire

/// What is needed to bind clients by a cookie.
public struct CookieAffinity: Sendable {
    /// When the cookie goes over encrypted connections only.
    public enum Secure: Sendable, Equatable {
        case always
        case never
        /// When the request has come over one, as far as that is known.
        case whenEncrypted
    }

    /// Whether the cookie goes along with requests from other sites (RFC 6265bis section 4.1.2.7).
    public enum SameSite: String, Sendable, CaseIterable {
        case lax
        case strict
        case none

        fileprivate var attribute: String { "; SameSite=\(rawValue.prefix(1).uppercased())\(rawValue.dropFirst())" }
    }

    /// The longest name that a cookie may have, in bytes.
    public static let maximumNameLength = 64
    /// More than the lines that are added to a response.
    static let maximumAddition = 256

    /// Makes the token of a backend from its name.
    public let token: @Sendable (String) -> AffinityToken
    let name: [UInt8]
    private let secure: Secure
    private let lineStart: [UInt8]
    private let lineEnd: [UInt8]

    /// - Parameters:
    ///   - name: The cookie's name, a token of at most ``maximumNameLength`` bytes.
    ///   - lifetime: How long a client keeps it, in seconds; nil for as long as the browser runs.
    ///   - token: Makes the token of a backend from its name; nobody else may be able to make it.
    public init(
        name: String,
        lifetime: Int?,
        secure: Secure,
        sameSite: SameSite,
        token: @escaping @Sendable (String) -> AffinityToken
    ) {
        precondition((1...Self.maximumNameLength).contains(name.utf8.count), "settings are checked")
        self.name = Array(name.utf8)
        self.secure = secure
        self.token = token
        lineStart = Array("Set-Cookie: \(name)=".utf8)
        let age = lifetime.map { "; Max-Age=\($0)" } ?? ""
        lineEnd = Array("; Path=/\(age); HttpOnly\(sameSite.attribute)".utf8)
    }

    /// The token that a request brings: the first of our cookies whose backend keeps its clients; nil without one.
    ///
    /// A cookie that we have not made, or whose backend is gone, is as none.
    func pin(of reader: RequestReader, at balancer: Balancer) -> AffinityToken? {
        reader.firstCookie(named: name) { value in
            value.withMemoryRebound(to: UInt8.self) { AffinityToken($0.span) }.flatMap { balancer.keeps($0) ? $0 : nil }
        }
    }

    /// Appends the field that binds the client, and one that keeps shared caches from binding others along with it.
    func appendFields(_ token: AffinityToken, isEncrypted: Bool, to buffer: Buffer) {
        buffer.append(lineStart)
        for index in 0..<AffinityToken.length { buffer.append(byte: token[index]) }
        buffer.append(lineEnd)
        if secure == .always || (secure == .whenEncrypted && isEncrypted) { buffer.append("; Secure") }
        buffer.append("\r\nCache-Control: private\r\n")
    }
}

extension RequestReader {
    /// Whether `X-Forwarded-Proto` says that the client has come over TLS; to be believed of a trusted proxy.
    var isForwardedEncrypted: Bool {
        guard let value = head.fields.value(.xForwardedProto) else { return false }
        let bytes = headBytes(value)
        return bytes.count == 5 && zip(bytes, "https".utf8).allSatisfy { $0 | 0x20 == $1 }
    }
}
