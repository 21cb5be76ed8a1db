// LB_ADMIN and LB_ADMIN_TOKEN: where the admin API listens, and who may use it.

internal import Crypto
internal import Front

/// What whoever uses the admin API has to show.
public struct AdminToken: Sendable, Equatable {
    /// Shorter ones could be guessed.
    static let shortest = 16
    static let longest = 256

    /// The file that it was read from; nil when it was given itself.
    let path: String?
    private let digest: SHA256Digest

    fileprivate init(path: String?, bytes: [UInt8]) {
        self.path = path
        digest = SHA256.hash(data: bytes)
    }

    /// Whether this is the token; how long that takes tells nothing about it.
    func matches(_ bytes: some Sequence<UInt8>) -> Bool { SHA256.hash(data: Array(bytes)) == digest }

    /// Whether it can stand behind `Bearer` in a field's value (RFC 6750 section 2.1).
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        (shortest...longest).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
                    true
                default: false
                }
            }
    }
}

extension SettingKind where Value == AdminToken? {
    /// The token itself, or `file:` and the path of the file that holds it; neither messages nor ``Setting/print(_:)`` tell it.
    static let adminToken: SettingKind = {
        let form = "\(AdminToken.shortest) to \(AdminToken.longest) letters, digits or -._~+/="
        let expectation = "none, a token of \(form), or file: and the path of a file that holds one"
        return SettingKind(
            form: "none, a token of \(form), or file:/path",
            expectation: expectation,
            isSecret: true,
            parse: { text throws(ValueError) in
                if text == "none" { return nil }
                guard text.hasPrefix("file:") else {
                    guard AdminToken.isValid(text.utf8) else {
                        throw ValueError(secretStars, "expected \(expectation)")
                    }
                    return AdminToken(path: nil, bytes: Array(text.utf8))
                }
                let (path, bytes) = try secretFile(text, longest: AdminToken.longest)
                guard AdminToken.isValid(bytes) else {
                    throw ValueError(text, "expected a token of \(form) in the file")
                }
                return AdminToken(path: path, bytes: bytes)
            },
            print: { token in
                guard let token else { return "none" }
                return token.path.map { "file:\($0)" } ?? secretStars
            }
        )
    }()
}

extension SettingKind where Value == ListenAddress? {
    /// `off`, or one address to listen on.
    static let adminAddress: SettingKind = {
        let expectation = "off, host:port, [v6]:port or unix:/path"
        return SettingKind(
            form: expectation,
            expectation: expectation,
            parse: { text throws(ValueError) in
                if text == "off" { return nil }
                switch parseListenAddress(text) {
                case .success(let address): return address
                case .failure(let expectation): throw ValueError(text, expectation.phrase)
                }
            },
            print: { $0?.description ?? "off" }
        )
    }()
}

extension ListenAddress {
    /// Whether nobody but this machine's processes can connect there.
    var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): isLoopback(host)
        }
    }
}

/// Whether a host, in the form that settings keep, is this machine alone.
func isLoopback(_ host: some StringProtocol) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
        && parts.allSatisfy { part in wholeNumber(part).map { $0 < 256 } ?? false }
}
