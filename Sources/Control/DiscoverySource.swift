// A source of discovery: where backends are looked for at run time, and what is made of what is found.

internal import Upstream

/// A place that tells which backends there are, again and again.
public struct DiscoverySource: Sendable, Hashable, CustomStringConvertible {
    /// What is asked.
    enum Kind: Sendable, Hashable {
        /// Every address of a name is a backend.
        case dns(Origin.Scheme, host: String, port: UInt16)
        /// Each line of a file is a backend.
        case file(path: String)
        /// Each line that a program writes to its standard output is a backend.
        case exec(path: String)
    }

    let kind: Kind
    /// What holds for all of its backends, unless they say otherwise themselves.
    let options: BackendOptions
    /// The source as it is configured, with its options.
    public let description: String

    /// What the source is called, and known by: two with different options are the same.
    public var identity: String {
        switch kind {
        case .dns(.http, let host, let port): "dns://\(host):\(port)"
        case .dns(.https, let host, let port): "dns+https://\(host):\(port)"
        case .file(let path): "file:\(path)"
        case .exec(let path): "exec:\(path)"
        }
    }

    // MARK: What is found

    /// The backends at the addresses of a name, which stand in a fixed order.
    ///
    /// The name is what a certificate must bear, and what `host=backend` tells.
    static func backends(
        at addresses: [String],
        scheme: Origin.Scheme,
        host: String,
        port: UInt16,
        options: BackendOptions
    ) -> [BackendSetting] {
        addresses.map { address in
            var origin = Origin(scheme: scheme, host: address, port: port)
            origin.foundByName = host
            var backend = options.backend(at: origin)
            backend.name = "\(options.name ?? "\(host):\(port)")/\(address)"
            return backend
        }
    }

    /// The backends that a list names, in the syntax of `LB_BACKENDS`; what stands behind a `#` at a line's beginning, or behind
    /// one after white space, is a comment.
    ///
    /// A list that names none is refused, because it is more often one that is being written or could not be made; one that says
    /// `none` names none.
    ///
    /// - Throws: Every mistake, each with the number of its line.
    static func backends(in text: String, options: BackendOptions) throws(ListError) -> [BackendSetting] {
        var backends: [BackendSetting] = []
        var mistakes: [String] = []
        var saysNone = false
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            for entry in entries(of: line) {
                if entry == "none" {
                    saysNone = true
                    continue
                }
                func refuse(_ shown: String, _ reason: String) {
                    mistakes.append("line \(index + 1): \(quoted(shown)): \(reason)")
                }
                let text = BackendText(entry)
                if Kind(text.place) != nil {
                    refuse(text.shown, "expected a backend, not another source")
                    continue
                }
                switch BackendSetting.parse(text, defaults: options) {
                case .success(let backend) where backends.contains { $0.name == backend.name }:
                    refuse(text.shown, BackendSetting.takenReason(backend.name))
                case .success(let backend): backends.append(backend)
                case .failure(let error): for refusal in error.refusals { refuse(refusal.value, refusal.reason) }
                }
            }
        }
        if mistakes.isEmpty, backends.isEmpty != saysNone {
            mistakes.append(
                saysNone ? "expected none to stand alone" : "expected a backend, or the word none if there is none"
            )
        }
        guard mistakes.isEmpty else { throw ListError(mistakes: mistakes) }
        return backends
    }

    /// The entries of a line, without its comment.
    private static func entries(of line: Substring) -> [String] {
        let words = line.split { $0 == "," || $0.isWhitespace }
        return words.prefix { !$0.hasPrefix("#") }.map(String.init)
    }
}

/// Why a list of backends is refused: every mistake in it.
struct ListError: Error, Equatable {
    /// Never empty.
    let mistakes: [String]
}
