// A file of settings: NAME=value lines, in the syntax of systemd's EnvironmentFile.

/// What a file of settings says, and where.
///
/// As for systemd.exec(5): blank lines and lines that begin with `#` or `;` say nothing; a value may stand in single quotes, where
/// every character is itself, or in double quotes, where a backslash stands before `"`, `\`, `` ` `` and `$`; quoted values may go over
/// several lines, and a line that ends in a backslash goes on in the next. What systemd would read in a surprising way, or pass over, is
/// a mistake here.
struct EnvironmentFile: Sendable, Equatable {
    /// One line `NAME=value`.
    struct Assignment: Sendable, Equatable {
        let name: String
        let value: String
        /// The line of the name, from 1.
        let line: Int
        /// Where the value stands in the file's bytes, with its quotes.
        let range: Range<Int>
    }

    /// A line that cannot be understood.
    struct Mistake: Sendable, Equatable {
        let line: Int
        let text: String
    }

    let bytes: [UInt8]
    let assignments: [Assignment]
    let mistakes: [Mistake]

    init(_ bytes: [UInt8]) {
        var reader = EnvironmentFileReader(bytes)
        reader.read()
        self.bytes = bytes
        assignments = reader.assignments
        mistakes = reader.mistakes
    }

    subscript(name: String) -> Assignment? { assignments.first { $0.name == name } }

    /// The file with another value of a setting that stands in it; every other byte is as it was.
    func replacing(_ assignment: Assignment, with value: String) -> [UInt8] {
        Array(bytes[..<assignment.range.lowerBound]) + Self.written(value) + bytes[assignment.range.upperBound...]
    }

    /// The file with one more line.
    func adding(_ name: String, _ value: String) -> [UInt8] {
        let isLineOpen = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
        return bytes + (isLineOpen ? [UInt8(ascii: "\n")] : []) + Array("\(name)=".utf8) + Self.written(value)
            + [UInt8(ascii: "\n")]
    }

    /// A value as it is to be written: plain where that is read back as it is, else in double quotes.
    private static func written(_ value: String) -> [UInt8] {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { (0x21..<0x7F).contains($0) && !#""'\`$#;"#.utf8.contains($0) }
        // A semicolon or a number sign matters at the beginning of a line only, but not everyone who reads it knows.
        guard !isPlain else { return Array(value.utf8) }
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in value.utf8 {
            if #""\`$"#.utf8.contains(byte) { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
        return text + [UInt8(ascii: "\"")]
    }
}

/// Reads such a file, byte by byte.
private struct EnvironmentFileReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private(set) var assignments: [EnvironmentFile.Assignment] = []
    private(set) var mistakes: [EnvironmentFile.Mistake] = []

    private static let newline = UInt8(ascii: "\n")
    private static let backslash = UInt8(ascii: "\\")

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func read() {
        while position < bytes.count {
            skipBlanks()
            guard let byte = next else { return }
            switch byte {
            case Self.newline: advance()
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipComment()
            default: readAssignment()
            }
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance() {
        if bytes[position] == Self.newline { line += 1 }
        position += 1
    }

    /// Blanks within a line; a carriage return is one.
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private mutating func skipBlanks() { while let next, Self.isBlank(next) { advance() } }

    /// The rest of the line, without its end and the blanks before it.
    private mutating func restOfLine() -> ArraySlice<UInt8> {
        let start = position
        while let next, next != Self.newline { advance() }
        var end = position
        while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
        return bytes[start..<end]
    }

    private mutating func skipComment() {
        let (number, text) = (line, restOfLine())
        if text.last == Self.backslash {
            note(number, "a comment ends in a backslash: systemd takes the next line as a part of it")
        }
    }

    private mutating func note(_ line: Int, _ text: String) {
        mistakes.append(EnvironmentFile.Mistake(line: line, text: text))
    }

    private mutating func readAssignment() {
        let (start, number) = (position, line)
        while let next, next != UInt8(ascii: "="), next != Self.newline { advance() }
        guard next == UInt8(ascii: "=") else {
            note(number, "expected NAME=value, not \(quoted(text(start..<position)))")
            return
        }
        let name = text(start..<position).trimmed
        advance()
        skipBlanks()
        let valueStart = position
        let value: [UInt8]?
        switch next {
        case UInt8(ascii: "'"): value = readSingleQuoted(number)
        case UInt8(ascii: "\""): value = readDoubleQuoted(number)
        default: value = readPlain()
        }
        guard let value else { return }
        let range = valueStart..<max(valueStart, valueEnd)
        guard isVariableName(name) else {
            let hint = name.hasPrefix("export ") ? "; leave export out" : ""
            note(number, "expected the name of a setting, not \(quoted(name))\(hint)")
            return
        }
        guard let text = String(validating: value, as: UTF8.self), !value.contains(0) else {
            note(number, "\(name): expected text in UTF-8")
            return
        }
        if let former = assignments.first(where: { $0.name == name }) {
            note(number, "\(name) stands on line \(former.line) already")
            return
        }
        assignments.append(EnvironmentFile.Assignment(name: name, value: text, line: number, range: range))
    }

    /// Where the value that was read last ends in the file.
    private var valueEnd = 0

    private mutating func readPlain() -> [UInt8]? {
        var value: [UInt8] = []
        var length = 0
        valueEnd = position
        while let byte = next, byte != Self.newline {
            advance()
            if byte == Self.backslash, let escaped = nextBehindBackslash() {
                advance(over: escaped)
                if escaped != Self.newline { value.append(escaped) }
                length = value.count
                valueEnd = position
            } else {
                value.append(byte)
                if !Self.isBlank(byte) {
                    length = value.count
                    valueEnd = position
                }
            }
        }
        return Array(value[..<length])
    }

    /// What a backslash stands before; the end of a line is one character, however it is written.
    private func nextBehindBackslash() -> UInt8? {
        guard let next else { return nil }
        let isEnd = next == 0x0D && position + 1 < bytes.count && bytes[position + 1] == Self.newline
        return isEnd ? Self.newline : next
    }

    private mutating func advance(over character: UInt8) {
        if character == Self.newline, next == 0x0D { advance() }
        advance()
    }

    private mutating func readSingleQuoted(_ number: Int) -> [UInt8]? {
        advance()
        var value: [UInt8] = []
        while let byte = next {
            advance()
            if byte == UInt8(ascii: "'") { return end(of: value, number) }
            value.append(byte)
        }
        note(number, "the quote is not closed")
        return nil
    }

    private mutating func readDoubleQuoted(_ number: Int) -> [UInt8]? {
        advance()
        var value: [UInt8] = []
        while let byte = next {
            advance()
            switch byte {
            case UInt8(ascii: "\""):
                return end(of: value, number)
            case Self.backslash:
                guard let escaped = nextBehindBackslash() else { break }
                if escaped == Self.newline {
                    advance(over: escaped)
                } else if #""\`$"#.utf8.contains(escaped) {
                    value.append(escaped)
                    advance()
                } else {
                    value.append(byte)
                }
            default:
                value.append(byte)
            }
        }
        note(number, "the quote is not closed")
        return nil
    }

    /// What is behind a closing quote must be nothing.
    private mutating func end(of value: [UInt8], _ number: Int) -> [UInt8]? {
        valueEnd = position
        let rest = restOfLine()
        guard rest.allSatisfy(Self.isBlank) else {
            note(
                number,
                "expected nothing behind the closing quote, not \(quoted(String(decoding: rest, as: UTF8.self)))"
            )
            return nil
        }
        return value
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

extension String {
    /// Without the blanks at its ends.
    fileprivate var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}

/// Whether a text can be the name of an environment variable.
private func isVariableName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
    }
}
