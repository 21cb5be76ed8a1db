// The names at which a running process is found by the one that takes over.

internal import Glibc
import Front

extension TakeoverPlace {
    /// The names that a process has which listens on these addresses.
    ///
    /// One for each address: another process finds it as long as the two have one in common.
    func names(for addresses: [ListenAddress]) -> [LocalName] {
        switch self {
        case .off: return []
        case .path(let path): return [.path(path)]
        case .automatic:
            // Where the kernel chooses the port, nobody knows it beforehand.
            return addresses.filter { if case .tcp(_, port: 0) = $0 { false } else { true } }.map { address in
                let text = "curl-lb/\(geteuid())/\(address)"
                return .abstract(text.utf8.count <= 100 ? text : "curl-lb/\(geteuid())/\(Self.digest(text))")
            }
        }
    }

    /// The FNV-1a hash of a text in hexadecimal digits.
    private static func digest(_ text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
