// Asking the system's resolver for all addresses of a name.

internal import Glibc

/// Why a lookup gave no address.
struct LookupFailure: Error, Equatable {
    /// The resolver's own words.
    let text: String
}

enum NameLookup {
    /// How names are resolved: blocks for as long as it takes.
    typealias Resolve = @Sendable (_ name: String) -> Result<[String], LookupFailure>

    /// All IPv4 addresses of a name, then all IPv6 addresses, each in numeric order, so that two lookups with one answer are equal.
    ///
    /// Asks what the system is told to ask: `/etc/hosts`, DNS and so on (nsswitch.conf(5)). IPv6 addresses are left out where the
    /// machine has none itself (`AI_ADDRCONFIG`). How long an answer may be kept (its TTL) is not known: getaddrinfo(3) does not tell.
    static func addresses(of name: String) -> Result<[String], LookupFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            let text = code == EAI_SYSTEM ? strerror(errno) : UnsafeMutablePointer(mutating: gai_strerror(code))
            return .failure(LookupFailure(text: text.map { String(cString: $0) } ?? "error \(code)"))
        }
        defer { freeaddrinfo(list) }
        var found: Set<[UInt8]> = []
        var next = list
        while let entry = next?.pointee {
            if let bytes = Self.bytes(of: entry) { found.insert(bytes) }
            next = entry.ai_next
        }
        guard !found.isEmpty else { return .failure(LookupFailure(text: "no address")) }
        let sorted = found.sorted { first, second in
            first.count == second.count ? first.lexicographicallyPrecedes(second) : first.count < second.count
        }
        return .success(sorted.compactMap(text))
    }

    /// The bytes of an address; nil when it is none that can be told without a zone.
    private static func bytes(of entry: addrinfo) -> [UInt8]? {
        guard let address = entry.ai_addr else { return nil }
        switch entry.ai_family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin_addr) { Array($0) }
            }
        case AF_INET6:
            let bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
            }
            // fe80::/10 reaches nothing without the name of an interface.
            return bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 ? nil : bytes
        default: return nil
        }
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
