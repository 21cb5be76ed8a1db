// The syntax of a proxy on the way to a backend: scheme://[user:password@]host:port.

import Upstream

extension ProxyServer {
    private static let expected: Expectation =
        "expected off or a proxy such as socks5://10.0.0.1:1080, socks5h://... or http://... after proxy="

    static let credentialsExpected: Expectation =
        "expected user:password before the @ of proxy=, with %XX for anything but letters, digits and -._~"

    /// Reads a proxy's URL; messages repeat nothing of it, since a password may stand anywhere in it.
    static func parse(_ text: String) -> Result<ProxyServer, Expectation> {
        guard let separator = text.firstRange(of: "://"),
            let kind = Kind(rawValue: text[..<separator.lowerBound].lowercased())
        else { return .failure(expected) }
        var rest = text[separator.upperBound...]
        if rest.hasSuffix("/") { rest.removeLast() }
        var credentials: Credentials?
        if let end = rest.lastIndex(of: "@") {
            let parts = rest[..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let user = percentDecoded(parts[0]), let password = percentDecoded(parts[1]),
                !user.isEmpty
            else {
                return .failure(credentialsExpected)
            }
            credentials = Credentials(user: user, password: password)
            rest = rest[rest.index(after: end)...]
        }
        guard case .success(let address) = HostAndPort.parse(String(rest), ports: 1...65535), let port = address.port
        else { return .failure(expected) }
        return .success(ProxyServer(kind: kind, host: address.host, port: port, credentials: credentials))
    }
}

extension ProxyServer {
    /// The URL with user name and password, as it is read.
    var text: String {
        guard let credentials else { return description }
        let secret = "\(percentEncoded(credentials.user)):\(percentEncoded(credentials.password))@"
        return description.replacing("***@", with: secret, maxReplacements: 1)
    }
}

/// The text with `%XX` decoded; nil when something stands there that a URL does not allow unencoded in a user name or a password,
/// or what comes of it is no text without control characters.
private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "%"):
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 else {
                return nil
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default: return nil
        }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self), bytes.allSatisfy({ $0 >= 32 && $0 != 127 }),
        // The longest that SOCKS takes (RFC 1929).
        bytes.count <= 255
    else { return nil }
    return decoded
}
