// The syntax of LB_LISTEN.

import Front

extension SettingKind where Value == [ListenAddress] {
    /// One or more addresses, no one twice.
    static let listenAddresses = SettingKind(
        form: "list of host:port, [v6]:port, unix:/path",
        expectation: "one or more of host:port, [v6]:port or unix:/path",
        parse: { text throws(ValueError) in
            var addresses: [ListenAddress] = []
            var refusals: [ValueError.Refusal] = []
            for entry in listEntries(text) {
                switch parseListenAddress(entry) {
                case .success(let address) where addresses.contains(address) && !letsKernelChoose(address):
                    let reason = "expected each address once; \(address) is given twice"
                    refusals.append(.init(value: entry, reason: reason))
                case .success(let address): addresses.append(address)
                case .failure(let expectation): refusals.append(.init(value: entry, reason: expectation.phrase))
                }
            }
            guard refusals.isEmpty else { throw ValueError(refusals) }
            guard !addresses.isEmpty else { throw ValueError(text, "expected at least one address to listen on") }
            return addresses
        },
        print: { $0.map(\.description).joined(separator: ",") }
    )
}

/// Whether the address names no port of its own, so that the same text may stand for several.
private func letsKernelChoose(_ address: ListenAddress) -> Bool {
    switch address {
    case .tcp(_, let port): port == 0
    case .unix: false
    }
}

/// Reads `host:port`, `[v6]:port`, `unix:/path`, and `*:port` or `:port` for every IPv4 address.
func parseListenAddress(_ text: String) -> Result<ListenAddress, Expectation> {
    if text.hasPrefix("unix:") {
        let path = text.dropFirst("unix:".count)
        if let problem = socketPathProblem(path, example: "unix:/run/curl-lb.sock") { return .failure(problem) }
        return .success(.unix(path: String(path)))
    }
    if text.contains("://") {
        return .failure("expected host:port, [v6]:port or unix:/path, not a URL")
    }
    if wholeNumber(text) != nil {
        return .failure("expected host:port; did you mean 127.0.0.1:\(text) or *:\(text)?")
    }
    let spelledOut: String =
        switch text.first {
        case "*": "0.0.0.0" + text.dropFirst()
        case ":" where text.dropFirst().first != ":": "0.0.0.0" + text
        default: text
        }
    return HostAndPort.parse(spelledOut, ports: 0...65535).flatMap { address in
        guard let port = address.port else { return .failure("expected a port after the host, such as 127.0.0.1:5000") }
        return .success(.tcp(host: address.host, port: port))
    }
}
