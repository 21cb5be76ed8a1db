// Hosts, ports and socket paths as settings spell them: what is valid, and in which form it is kept.

import Glibc

/// A host and its port, as both lists of addresses spell them.
struct HostAndPort: Equatable, CustomStringConvertible {
    /// A host name in lower case, an IPv4 literal, or an IPv6 literal without brackets in its shortest form.
    var host: String
    /// The port, when one was written.
    var port: UInt16?

    var description: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(host):\($0)" } ?? host
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    ///
    /// - Parameter ports: The ports that may be written.
    /// - Returns: The address, or what was expected instead.
    static func parse(_ text: String, ports: ClosedRange<UInt16>) -> Result<HostAndPort, Expectation> {
        let host: Substring
        let afterHost: Substring
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[...end]
            afterHost = text[text.index(after: end)...]
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
            return .failure("expected brackets around an IPv6 address, such as [::1]:3000")
        } else {
            host = text.prefix { $0 != ":" }
            afterHost = text[host.endIndex...]
        }
        guard let normalized = normalizedHost(host) else {
            let shown = host.isEmpty ? "" : ", not \(quoted(String(host)))"
            return .failure("expected a host name, an IPv4 address or an IPv6 address in brackets\(shown)")
        }
        guard !afterHost.isEmpty else { return .success(HostAndPort(host: normalized)) }
        guard afterHost.first == ":", let number = wholeNumber(afterHost.dropFirst()),
            let port = UInt16(exactly: number), ports.contains(port)
        else {
            let shown = afterHost.first == ":" ? afterHost.dropFirst() : afterHost
            return .failure(
                "expected a port between \(ports.lowerBound) and \(ports.upperBound), not \(quoted(String(shown)))"
            )
        }
        return .success(HostAndPort(host: normalized, port: port))
    }
}

/// What was expected instead of a refused text: a phrase that begins with "expected".
struct Expectation: Error, Equatable, ExpressibleByStringInterpolation {
    let phrase: String

    init(stringLiteral phrase: String) {
        self.phrase = phrase
    }
}

/// The host in the form that is kept; nil when it is neither a name nor an address.
private func normalizedHost(_ host: Substring) -> String? {
    if host.hasPrefix("[") { return canonicalIPv6(String(host.dropFirst().dropLast())) }
    let name = host.lowercased()
    // A last label of digits makes the whole an IPv4 address to every resolver, 127.1 included: only the plain form.
    let lastLabel = name.split(separator: ".").last ?? ""
    if wholeNumber(lastLabel) != nil || lastLabel.hasPrefix("0x") { return isIPv4(name) ? name : nil }
    return isHostName(name) ? name : nil
}

/// Whether the text is an IPv4 address of four decimal numbers.
private func isIPv4(_ text: String) -> Bool {
    var address = in_addr()
    return inet_pton(AF_INET, text, &address) == 1
}

/// Whether the text is a name by the rules of DNS; underscores are allowed, as container networks use them.
func isHostName(_ text: String) -> Bool {
    let labels = (text.hasSuffix(".") ? text.dropLast() : text[...])
        .split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 253
        && labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
}

/// The shortest form of an IPv6 address, such as `::1`; nil when it is none, or when it names a zone.
private func canonicalIPv6(_ text: String) -> String? {
    var address = in6_addr()
    guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// What is wrong with the path of a Unix-domain socket; nil when nothing is.
func socketPathProblem(_ path: some StringProtocol, example: String) -> Expectation? {
    // sun_path holds 108 bytes, the last of which is the terminator.
    let longest = 107
    if !path.hasPrefix("/") || path.hasSuffix("/") { return "expected an absolute path, such as \(example)" }
    if path.utf8.count > longest { return "expected a path of at most \(longest) bytes, not \(path.utf8.count)" }
    if escaped(String(path)) != path { return "expected a path without control characters, quotes and backslashes" }
    return nil
}
