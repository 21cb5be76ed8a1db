// LB_TRACE_SAMPLE and LB_OTLP_…: which traces are recorded, and where their spans go.

import FoundationEssentials
public import Upstream

/// Where spans are sent: a collector that takes OTLP over HTTP.
public struct TraceEndpoint: Sendable, Equatable {
    /// What follows the base URL (opentelemetry.io/docs/specs/otel/protocol/exporter, "Endpoint URLs for OTLP/HTTP").
    private static let signalPath = "/v1/traces"

    public var origin: Origin
    /// With ``signalPath`` at its end.
    public var path: String

    /// The form that `LB_OTLP_ENDPOINT` takes: the base URL.
    public var description: String { origin.description + path.dropLast(Self.signalPath.count) }

    fileprivate static func parse(_ text: String, expectation: String) throws(ValueError) -> TraceEndpoint {
        guard let separator = text.firstRange(of: "://"),
            let scheme = Origin.Scheme(rawValue: text[..<separator.lowerBound].lowercased())
        else { throw ValueError(text, "expected \(expectation)") }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        var path = String(rest[authority.endIndex...])
        guard !authority.contains("@") else {
            throw ValueError("***", "expected no user name in the URL; LB_OTLP_HEADERS is for tokens")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { throw ValueError(text, "expected a path of printable ASCII") }
        guard !path.contains("?"), !path.contains("#") else {
            throw ValueError(text, "expected no query and no fragment in the URL")
        }
        let address: HostAndPort
        switch HostAndPort.parse(String(authority), ports: 1...65535) {
        case .success(let parsed): address = parsed
        case .failure(let problem): throw ValueError(text, problem.phrase)
        }
        while path.hasSuffix("/") { path.removeLast() }
        if !path.hasSuffix(Self.signalPath) { path += Self.signalPath }
        let origin = Origin(scheme: scheme, host: address.host, port: address.port ?? scheme.defaultPort)
        return TraceEndpoint(origin: origin, path: path)
    }
}

extension SettingKind where Value == TraceEndpoint? {
    /// `off`, or the collector's base URL.
    static let traceEndpoint: SettingKind = {
        let expectation = "off or a collector's URL such as http://127.0.0.1:4318"
        return SettingKind(
            form: "off or a URL",
            expectation: expectation,
            parse: { text throws(ValueError) in
                text == "off" ? nil : try TraceEndpoint.parse(text, expectation: expectation)
            },
            print: { $0?.description ?? "off" }
        )
    }()
}

/// Field lines that go along with spans, such as a token for the collector.
public struct TraceHeaders: Sendable, Equatable {
    /// More than anybody needs.
    static let longest = 16384

    /// The file that they were read from; nil when they were given themselves.
    let path: String?
    /// Such as `Authorization: Bearer x`.
    public let lines: [String]

    /// Reads `name=value` with commas between, as OTEL_EXPORTER_OTLP_HEADERS has it; nil when a part is none.
    ///
    /// Values may have `%XX` for what a comma would end.
    fileprivate static func lines(in text: String) -> [String]? {
        var lines: [String] = []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let value = decoded(trimmed(sides[1])) else { return nil }
            let name = trimmed(sides[0])
            guard isToken(name) else { return nil }
            lines.append("\(name): \(value)")
        }
        return lines.isEmpty ? nil : lines
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }

    /// The value with `%XX` decoded; nil when something stands there that may not stand in a field.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension SettingKind where Value == TraceHeaders? {
    /// The headers themselves, or `file:` and the path of the file that holds them.
    ///
    /// Neither messages nor ``Setting/print(_:)`` tell them.
    static let traceHeaders: SettingKind = {
        let expectation =
            "none, name=value with commas between, such as Authorization=Bearer%20x, or file: and the path of a file"
            + " that holds that"
        return SettingKind(
            form: "none, list of name=value, or file:/path",
            expectation: expectation,
            isSecret: true,
            parse: { text throws(ValueError) in
                if text == "none" { return nil }
                guard text.hasPrefix("file:") else {
                    guard text.utf8.count <= TraceHeaders.longest, let lines = TraceHeaders.lines(in: text) else {
                        throw ValueError("***", "expected \(expectation)")
                    }
                    return TraceHeaders(path: nil, lines: lines)
                }
                let path = String(text.dropFirst("file:".count))
                guard path == escaped(path), kindOfFile(path) == .regular,
                    let data = FileManager.default.contents(atPath: path)
                else { throw ValueError(text, "expected a readable file after file:") }
                var bytes = Array(data.prefix(TraceHeaders.longest))
                // What an editor or echo puts at the end is not meant.
                while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
                guard let content = String(validating: bytes, as: UTF8.self),
                    let lines = TraceHeaders.lines(in: content)
                else { throw ValueError(text, "expected name=value with commas between in the file") }
                return TraceHeaders(path: path, lines: lines)
            },
            print: { headers in
                guard let headers else { return "none" }
                return headers.path.map { "file:\($0)" } ?? "***"
            }
        )
    }()
}

extension SettingKind where Value == Int {
    /// `0`, or one of so many: `1/100`; the value is how many, or 0.
    static let traceSample = SettingKind(
        form: "0 or 1/1 to 1/1000000",
        expectation: "0 or a part such as 1/100",
        parse: { text throws(ValueError) in
            if text == "0" { return 0 }
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "1", let count = wholeNumber(parts[1]), (1...1_000_000).contains(count)
            else {
                throw ValueError(text, "expected 0 or a part between 1/1 and 1/1000000, such as 1/100")
            }
            return count
        },
        print: { $0 == 0 ? "0" : "1/\($0)" }
    )
}
