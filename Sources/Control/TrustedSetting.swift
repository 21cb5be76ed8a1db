// The syntax of LB_TRUSTED.

import Front

extension SettingKind where Value == TrustedPeers {
    /// Any number of addresses, prefixes and the word `unix`; none is none.
    static let trusted = SettingKind(
        form: "list of addresses, prefixes such as 10.0.0.0/8, unix",
        expectation: "addresses, prefixes such as 10.0.0.0/8, or unix",
        acceptsEmpty: true,
        parse: { text throws(ValueError) in
            var prefixes: [AddressPrefix] = []
            var includesUnix = false
            var refusals: [ValueError.Refusal] = []
            for entry in listEntries(text) {
                if entry == "unix" {
                    includesUnix = true
                    continue
                }
                switch AddressPrefix.parse(entry) {
                case .success(let prefix): prefixes.append(prefix)
                case .failure(let problem): refusals.append(.init(value: entry, reason: problem.phrase))
                }
            }
            guard refusals.isEmpty else { throw ValueError(refusals) }
            return TrustedPeers(prefixes, includesUnix: includesUnix)
        },
        print: { peers in
            (peers.prefixes.map(\.description) + (peers.includesUnix ? ["unix"] : [])).joined(separator: ",")
        }
    )
}

extension AddressPrefix {
    /// Reads `192.0.2.1`, `10.0.0.0/8`, `2001:db8::1` or `2001:db8::/32`.
    fileprivate static func parse(_ text: String) -> Result<AddressPrefix, Expectation> {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let address = PeerAddress(host: parts[0]) else {
            return .failure(
                "expected an address such as 192.0.2.1 or 2001:db8::1, a prefix such as 10.0.0.0/8, or unix"
            )
        }
        if address.family == .ipv4, parts[0].contains(":") {
            return .failure("expected the IPv4 address \(address.host) as such: its connections count as IPv4")
        }
        let bits = AddressPrefix.bits(of: address.family)
        guard parts.count == 2 else {
            guard let whole = AddressPrefix(address, length: bits) else { return .failure("expected an address") }
            return .success(whole)
        }
        guard let length = wholeNumber(parts[1]), let prefix = AddressPrefix(address, length: length) else {
            return .failure("expected a whole number between 0 and \(bits) after the slash, not \(quoted(parts[1]))")
        }
        // Somebody who writes 10.0.0.1/8 may have meant one address.
        guard prefix.address == address else {
            return .failure("expected no bits behind the prefix; did you mean \(prefix) or \(address.host)?")
        }
        return .success(prefix)
    }
}
