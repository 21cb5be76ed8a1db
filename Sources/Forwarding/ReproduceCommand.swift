// A failed attempt as a command: what an operator types to see the same.

internal import Upstream

/// The `curl` command that sends a backend the request that it was sent, without what is secret in it.
///
/// Credentials, and values that a name says are secret, are replaced by `REDACTED`; a body is not shown but asked for as a file. The
/// text is one line of printable ASCII for a POSIX shell; bytes beyond ASCII stand in `$'…'` (POSIX 2024, and most shells before).
struct ReproduceCommand {
    /// What stands in place of a secret.
    static let redaction = "REDACTED"
    /// Fields whose values are credentials.
    private static let secretFields: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "cookie2", "set-cookie",
    ]
    /// Parts of names, of fields and of a query's parameters, that say that the value is secret.
    private static let secretWords = [
        "token", "secret", "passw", "pwd", "api-key", "api_key", "apikey", "access-key", "access_key", "credential",
        "session",
        "signature", "jwt", "auth",
    ]
    /// Names that are too short to be looked for inside of others.
    private static let secretNames: Set<String> = ["key", "sig", "code", "sid", "pass", "pin", "otp"]
    /// Fields that curl writes itself.
    private static let ofCurl: Set<String> = ["content-length", "transfer-encoding"]
    /// Fields that curl adds, with what it takes to have none.
    private static let addedByCurl = ["User-Agent", "Accept"]

    private let method: String
    private let target: String
    private var fields: [(name: String, value: String)] = []
    private let hasBody: Bool
    private let origin: Origin

    /// - Parameters:
    ///   - head: the head that the backend was sent, with its empty line.
    ///   - origin: the backend.
    init(head: UnsafeRawBufferPointer, to origin: Origin) {
        var lines = Self.text(head).split(separator: "\r\n", omittingEmptySubsequences: true)
        let request = lines.isEmpty ? [] : lines.removeFirst().split(separator: " ")
        method = request.first.map(String.init) ?? ""
        target = request.count > 1 ? String(request[1]) : "/"
        var hasBody = false
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = String(line[..<colon])
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if Self.ofCurl.contains(name.lowercased()) {
                hasBody = hasBody || value != "0"
            } else {
                fields.append((name, String(value)))
            }
        }
        self.hasBody = hasBody
        self.origin = origin
    }

    /// Each byte as the character of that number: what is not ASCII stays apart from what is.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }

    /// The command.
    var text: String {
        var words = ["curl", "--http1.1", "-sv", "-o", "/dev/null", "--globoff", "--path-as-is"]
        switch method {
        case "GET" where !hasBody: break
        case "HEAD": words.append("--head")
        default: words += ["-X", method]
        }
        for field in fields { words += ["-H", written(field)] }
        let names = Set(fields.map { $0.name.lowercased() })
        for name in Self.addedByCurl where !names.contains(name.lowercased()) { words += ["-H", "\(name):"] }
        if hasBody {
            if !names.contains("content-type") { words += ["-H", "Content-Type:"] }
            if !names.contains("expect") { words += ["-H", "Expect:"] }
            words += ["--data-binary", "@BODY"]
        }
        return (words + connection).map(Self.quoted).joined(separator: " ")
    }

    private func written(_ field: (name: String, value: String)) -> String {
        if field.value.isEmpty { return "\(field.name);" }
        return "\(field.name): \(isSecret(field.name) ? Self.redaction : withoutSecrets(field))"
    }

    /// A `Referer` is a URL, whose query may hold what the target's does.
    private func withoutSecrets(_ field: (name: String, value: String)) -> String {
        field.name.lowercased() == "referer" ? Self.withoutSecrets(field.value) : field.value
    }

    private func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return Self.secretFields.contains(name) || Self.isSecret(name)
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return secretNames.contains(name) || secretWords.contains { name.contains($0) }
    }

    /// The target, or another URL, with the values of secret parameters replaced.
    static func withoutSecrets(_ url: String) -> String {
        guard let question = url.firstIndex(of: "?") else { return url }
        let query = url[url.index(after: question)...]
        let parameters = query.split(separator: "&", omittingEmptySubsequences: false).map { parameter in
            guard let equals = parameter.firstIndex(of: "="), isSecret(decoded(parameter[..<equals])) else {
                return String(parameter)
            }
            return "\(parameter[..<equals])=\(redaction)"
        }
        return "\(url[...question])\(parameters.joined(separator: "&"))"
    }

    /// A parameter's name with its `%HH` resolved, so that nothing hides behind them.
    private static func decoded(_ name: Substring) -> String {
        var text = ""
        var rest = name[...]
        while let character = rest.popFirst() {
            if character == "%", rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
                rest.removeFirst(2)
            } else {
                text.append(character)
            }
        }
        return text
    }

    /// Where to, in the way in which we connect.
    private var connection: [String] {
        let bracketed = origin.host.contains(":") ? "[\(origin.host)]" : origin.host
        var words: [String] = []
        var host = bracketed
        if let path = origin.unixSocketPath { words += ["--unix-socket", path] }
        if origin.scheme == .https {
            if let name = origin.serverName {
                words += ["--connect-to", "::\(bracketed):\(origin.port)"]
                host = name
            }
            if !origin.verifiesCertificate { words.append("--insecure") }
            if let file = origin.certificateAuthorityFile { words += ["--cacert", file] }
        }
        let path = Self.withoutSecrets(target)
        guard path.hasPrefix("/") else {
            return words + ["--request-target", path, "\(origin.scheme.rawValue)://\(host):\(origin.port)/"]
        }
        return words + ["\(origin.scheme.rawValue)://\(host):\(origin.port)\(path)"]
    }

    /// A word as a shell reads it.
    private static func quoted(_ word: String) -> String {
        let plain = "-_.,:/+=@%"
        if !word.isEmpty, word.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || plain.contains($0)) }) {
            return word
        }
        guard !word.unicodeScalars.allSatisfy({ (0x20..<0x7F).contains($0.value) }) else {
            return "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#))'"
        }
        var text = "$'"
        for scalar in word.unicodeScalars {
            switch scalar {
            case "'", "\\":
                text += "\\"
                text.unicodeScalars.append(scalar)
            case _ where (0x20..<0x7F).contains(scalar.value):
                text.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text + "'"
    }
}
