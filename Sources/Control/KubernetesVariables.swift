// The variables that Kubernetes injects into pods for a Service named lb or lb-….

/// Whether Kubernetes injects a variable of this name and value for a Service whose name begins with `lb`.
///
/// A Service `lb` puts `LB_SERVICE_HOST`, `LB_SERVICE_PORT`, `LB_SERVICE_PORT_<NAME>`, `LB_PORT` (`tcp://10.0.0.1:80`)
/// and `LB_PORT_80_TCP` with `_PROTO`, `_PORT` and `_ADDR` into every pod of its namespace; refusing them would keep the
/// pod from starting. `LB_PORT=8080`, which Kubernetes never writes, is still refused.
func isKubernetesServiceVariable(name: String, value: String) -> Bool {
    let isName = { (part: Substring) in
        part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x5F }
    }
    guard name.hasPrefix("LB_"), isName(name[...]) else { return false }
    // The leading underscore makes LB_SERVICE_HOST and LB_OTHER_SERVICE_HOST alike.
    let rest = name.dropFirst(2)
    if rest.hasSuffix("_SERVICE_HOST") { return true }
    if rest.hasSuffix("_SERVICE_PORT") || rest.contains("_SERVICE_PORT_") { return wholeNumber(value) != nil }
    let protocols = ["TCP", "UDP", "SCTP"]
    let isAddress = protocols.contains { value.hasPrefix("\($0.lowercased())://") }
    if rest.hasSuffix("_PORT"), isAddress { return true }

    // …_PORT_<number>_<protocol>, alone or followed by _PROTO, _PORT or _ADDR.
    var words = rest.split(separator: "_")
    if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last) { words.removeLast() }
    guard words.count >= 3 else { return false }
    let end = words.suffix(3).map(String.init)
    return end[0] == "PORT" && wholeNumber(end[1]) != nil && protocols.contains(end[2])
}
