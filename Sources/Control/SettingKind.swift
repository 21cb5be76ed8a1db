// The kinds of values settings take: how each is described, parsed and printed.

import Glibc
import Telemetry

/// What stands for a secret where a value is printed.
let secretStars = "***"

/// How a value of one type is written.
struct SettingKind<Value: Sendable>: Sendable {
    /// What a value looks like, for tables; plain text.
    let form: String
    /// What was expected, for messages: continues "expected …".
    let expectation: String
    /// Whether an empty text is a value.
    var acceptsEmpty = false
    /// Whether a value is a secret, for which `print` writes ``secretStars``.
    var isSecret = false
    /// Reads a value; the error carries each reason to refuse it.
    let parse: @Sendable (String) throws(ValueError) -> Value
    /// Writes a value so that `parse` reads the same value back.
    let print: @Sendable (Value) -> String
}

/// Why a value is refused: one or more reasons.
struct ValueError: Error, Equatable {
    /// One reason.
    struct Refusal: Equatable {
        /// The offending value, or the offending part of a list; not escaped.
        let value: String
        /// What was expected instead, without control characters.
        let reason: String
    }

    /// Never empty.
    let refusals: [Refusal]

    init(_ refusals: [Refusal]) {
        self.refusals = refusals
    }

    init(_ value: String, _ reason: String) {
        refusals = [Refusal(value: value, reason: reason)]
    }
}

extension SettingKind where Value == Int {
    /// A whole number in ASCII digits.
    static func count(_ range: ClosedRange<Int>) -> SettingKind {
        let expectation = "a whole number between \(range.lowerBound) and \(range.upperBound)"
        return SettingKind(
            form: "whole number, \(range.lowerBound) to \(range.upperBound)",
            expectation: expectation,
            parse: { text throws(ValueError) in
                guard let value = wholeNumber(text), range.contains(value) else {
                    throw ValueError(text, "expected \(expectation)")
                }
                return value
            },
            print: { String($0) }
        )
    }

    /// A number of bytes, plain or in KiB or MiB.
    ///
    /// Decimal and one-letter units are refused: too many programs read `64kB` or `64K` as 65536 and as many as 64000.
    static func size(_ range: ClosedRange<Int>) -> SettingKind {
        let bounds = (printSize(range.lowerBound), printSize(range.upperBound))
        let expectation = "a size in bytes, KiB or MiB between \(bounds.0) and \(bounds.1), such as 65536 or 64KiB"
        return SettingKind(
            form: "size, \(bounds.0) to \(bounds.1)",
            expectation: expectation,
            parse: { text throws(ValueError) in
                guard let value = parseSize(text), range.contains(value) else {
                    throw ValueError(text, "expected \(expectation)")
                }
                return value
            },
            print: { printSize($0) }
        )
    }
}

extension SettingKind where Value == Bool {
    /// `on` or `off`.
    static let onOrOff = SettingKind(
        form: "on or off",
        expectation: "on or off",
        parse: { text throws(ValueError) in
            guard text == "on" || text == "off" else { throw ValueError(text, "expected on or off") }
            return text == "on"
        },
        print: { $0 ? "on" : "off" }
    )
}

extension SettingKind where Value == Duration {
    /// A number with one of the units ms, s, m and h; a bare 0 where the range includes zero.
    static func duration(_ range: ClosedRange<Duration>) -> SettingKind {
        let acceptsZero = range.contains(.zero)
        let lowest = printDuration(max(range.lowerBound, .milliseconds(1)))
        let highest = printDuration(range.upperBound)
        let expectation =
            (acceptsZero ? "0 or " : "")
            + "a duration with a unit between \(lowest) and \(highest), such as 250ms, 2s or 5m"
        return SettingKind(
            form: "duration, " + (acceptsZero ? "0 or " : "") + "\(lowest) to \(highest)",
            expectation: expectation,
            parse: { text throws(ValueError) in
                if acceptsZero, text == "0" { return .zero }
                guard let value = parseDuration(text), range.contains(value) else {
                    throw ValueError(text, "expected \(expectation)")
                }
                return value
            },
            print: { printDuration($0) }
        )
    }
}

extension SettingKind where Value == BodyPace? {
    /// `off`, or a size and a duration with a slash between them.
    static let pace: SettingKind = {
        let expectation = "off or a size per duration, such as 1KiB/60s"
        return SettingKind(
            form: "off or size/duration",
            expectation: expectation,
            parse: { text throws(ValueError) in
                if text == "off" { return nil }
                let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, let bytes = parseSize(parts[0]), let interval = parseDuration(parts[1]) else {
                    throw ValueError(text, "expected \(expectation)")
                }
                guard (1...1024 * 1024 * 1024).contains(bytes),
                    (.milliseconds(100) ... .seconds(3600)).contains(interval)
                else { throw ValueError(text, "expected a size between 1 and 1024MiB, and between 100ms and 1h") }
                return BodyPace(bytes: bytes, interval: interval)
            },
            print: { pace in
                guard let pace else { return "off" }
                return "\(printSize(pace.bytes))/\(printDuration(pace.interval))"
            }
        )
    }()
}

extension SettingKind where Value == String {
    /// A name that can stand in a field value, a log line and a metric's label without quoting.
    static let name = SettingKind(
        form: "name",
        expectation: nameExpectation,
        parse: { text throws(ValueError) in
            guard isName(text) else { throw ValueError(text, "expected \(nameExpectation)") }
            return text
        },
        print: { $0 }
    )
}

extension SettingKind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the words that the type's cases spell.
    static func word() -> SettingKind {
        let words = Value.allCases.map(\.rawValue)
        let expectation = alternatives(words)
        return SettingKind(
            form: expectation,
            expectation: expectation,
            parse: { text throws(ValueError) in
                guard let value = Value(rawValue: text) else {
                    throw ValueError(text, "expected \(expectation)" + suggestion(for: text, among: words))
                }
                return value
            },
            print: { $0.rawValue }
        )
    }
}

extension SettingKind where Value == AccessLogDestination {
    /// `off`, `stdout` or a path, which needs a slash so that a misspelt word does not become a file.
    static let accessLog: SettingKind = {
        let expectation = "off, stdout or a file's path with a slash, such as /var/log/curl-lb.log"
        return SettingKind(
            form: "off, stdout or a path with a slash",
            expectation: expectation,
            parse: { text throws(ValueError) in
                switch text {
                case "off": return .off
                case "stdout": return .standardOutput
                default: break
                }
                guard text.contains("/") else {
                    throw ValueError(text, "expected \(expectation)" + suggestion(for: text, among: ["off", "stdout"]))
                }
                guard text == escaped(text) else {
                    throw ValueError(text, "expected a path without control characters, quotes and backslashes")
                }
                let directory = text[..<(text.lastIndex(of: "/") ?? text.startIndex)]
                guard kindOfFile(directory.isEmpty ? "/" : String(directory)) == .directory else {
                    throw ValueError(text, "expected a path in a directory that exists")
                }
                guard !text.hasSuffix("/"), kindOfFile(text) != .directory else {
                    throw ValueError(text, "expected a file's path, not a directory's")
                }
                return .file(path: text)
            },
            print: {
                switch $0 {
                case .off: "off"
                case .standardOutput: "stdout"
                case .file(let path): path
                }
            }
        )
    }()
}

/// What ``isName(_:)`` takes, for messages.
let nameExpectation = "1 to 64 letters, digits, dots, dashes or underscores"

/// Whether a text can name this balancer or a backend.
func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
}

/// Whether a text can name a field or a cookie: one or more `tchar` (RFC 9110 section 5.6.2).
func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "!#$%&'*+-.^_`|~".contains($0)) }
}

/// The entries of a list, which commas, white space or both separate; empty entries do not count.
func listEntries(_ text: String) -> [String] {
    text.split { $0 == "," || $0.isWhitespace }.map(String.init)
}

/// A non-negative number in ASCII digits; nil for anything else, signs included.
func wholeNumber(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
        return nil
    }
    return Int(text)
}

/// Milliseconds per unit, longest unit first.
private let durationUnits: [(name: String, milliseconds: Int)] = [
    ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
]

/// Reads `250ms`, `2s`, `1.5m`; nil when malformed, without a unit, or finer than a millisecond.
func parseDuration(_ text: String) -> Duration? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let unit = durationUnits.first(where: { $0.name == text[number.endIndex...] }) else { return nil }
    let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    // Nine digits are more than any range needs and keep the products below within Int.
    guard parts.allSatisfy({ $0.count <= 9 }), let whole = wholeNumber(parts[0]) else { return nil }
    var milliseconds = whole * unit.milliseconds
    if parts.count == 2 {
        guard let fraction = wholeNumber(parts[1]) else { return nil }
        let scale = parts[1].reduce(1) { product, _ in product * 10 }
        guard (fraction * unit.milliseconds).isMultiple(of: scale) else { return nil }
        milliseconds += fraction * unit.milliseconds / scale
    }
    return .milliseconds(milliseconds)
}

/// Writes a duration of whole milliseconds in the unit that reads best: `250ms`, `1.5s`, `60s`, `5m`, `1h`, `0`.
func printDuration(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    switch milliseconds {
    case 0: return "0"
    case _ where milliseconds.isMultiple(of: 3_600_000): return "\(milliseconds / 3_600_000)h"
    case 60_001... where milliseconds.isMultiple(of: 60_000): return "\(milliseconds / 60_000)m"
    case ..<1000: return "\(milliseconds)ms"
    default:
        guard !milliseconds.isMultiple(of: 1000) else { return "\(milliseconds / 1000)s" }
        var fraction = String(milliseconds % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(milliseconds / 1000).\(fraction)s"
    }
}

/// Bytes per unit, largest unit first.
private let sizeUnits: [(name: String, bytes: Int)] = [("MiB", 1024 * 1024), ("KiB", 1024), ("", 1)]

/// Reads `65536`, `64KiB`, `1MiB`; nil for anything else.
func parseSize(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && $0.isNumber }
    guard let unit = sizeUnits.first(where: { $0.name == text[number.endIndex...] }),
        let count = wholeNumber(number)
    else { return nil }
    let (bytes, overflows) = count.multipliedReportingOverflow(by: unit.bytes)
    return overflows ? nil : bytes
}

/// Writes a number of bytes in the largest unit that divides it.
func printSize(_ bytes: Int) -> String {
    for unit in sizeUnits where bytes.isMultiple(of: unit.bytes) && bytes > 0 {
        return "\(bytes / unit.bytes)\(unit.name)"
    }
    return "\(bytes)"
}

/// What stands at a path.
enum FileKind: Equatable {
    case regular, directory, other
}

/// What stands at a path, symbolic links followed; nil when nothing does or it cannot be reached.
func kindOfFile(_ path: String) -> FileKind? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .regular
    case S_IFDIR: .directory
    default: .other
    }
}
