// A plain reader of field sections: the section cut at each CRLF, each line at its first colon.

import HTTPWire

/// One field line as the plain reader sees it.
struct NaiveField {
    /// The name in lower case.
    let name: [UInt8]
    let nameRange: Range<Int>
    /// The value without white space around it, as a slice of the input.
    let value: ArraySlice<UInt8>
    /// The line with its CRLF.
    let lineRange: Range<Int>
}

/// A field section that keeps RFC 9112 section 5, and where it ends.
struct NaiveFields {
    private(set) var fields: [NaiveField] = []
    /// Behind the empty line.
    private(set) var end: Int

    /// Nil if the section is incomplete or malformed.
    init?(_ input: [UInt8], from start: Int) {
        end = start
        while let field = NaiveFields.line(of: input, from: end) {
            end = field.lineRange.upperBound
            fields.append(field)
        }
        guard input.has("\r\n", at: end) else { return nil }
        end += 2
    }

    private static func line(of input: [UInt8], from start: Int) -> NaiveField? {
        guard let end = input[start...].firstIndex(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }),
            input.has("\r\n", at: end), let colon = input[start..<end].firstIndex(of: 0x3A),
            input[start..<colon].isToken
        else { return nil }
        return NaiveField(
            name: input[start..<colon].lowercased,
            nameRange: start..<colon,
            value: input[(colon + 1)..<end].trimmed,
            lineRange: start..<(end + 2)
        )
    }

    /// The values of all lines of a name.
    func values(_ name: String) -> [ArraySlice<UInt8>] {
        fields.filter { $0.name.elementsEqual(name.utf8) }.map(\.value)
    }

    /// The tokens of all lines of a name.
    func tokens(_ name: String) -> [[UInt8]] { values(name).flatMap(\.tokens) }

    func hasToken(_ token: String, _ name: String) -> Bool { tokens(name).contains([UInt8](token)) }

    func has(_ name: String) -> Bool { fields.contains { $0.name.elementsEqual(name.utf8) } }

    /// The names in lower case that go no further than the next hop (RFC 9110 section 7.6.1).
    var hopByHopNames: Set<[UInt8]> {
        var names = Set(tokens("connection"))
        names.formUnion(NaiveFields.alwaysHopByHop)
        return names.filter { !NaiveFields.isNeverHopByHop($0) }
    }

    /// Whether a name in lower case is one that no `Connection` option removes; `X_Real-Ip` and the like count as `X-Real-IP`.
    private static func isNeverHopByHop(_ name: [UInt8]) -> Bool {
        let plain = name.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        return neverHopByHop.contains(name) || plain.elementsEqual("x-real-ip".utf8)
            || plain.starts(with: "x-forwarded-".utf8)
    }

    private static let neverHopByHop = [
        "host", "content-length", "forwarded", "via", "max-forwards", "early-data", "x-request-id", "traceparent",
        "authorization", "cookie", "date",
    ].map { [UInt8]($0) }

    private static let alwaysHopByHop = [
        "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings",
        "proxy-authenticate", "proxy-authorization", "proxy-authentication-info",
    ].map { [UInt8]($0) }

    /// The one length that the section declares, if it declares one and one only.
    var contentLength: Int? {
        let lengths = values("content-length").flatMap(\.members)
        guard let first = lengths.first?.number, lengths.allSatisfy({ $0.number == first }) else { return nil }
        return first
    }
}

extension FieldSection {
    /// Demands that the section holds what the plain reader read, offsets counted from the same start.
    func demandSame(as naive: NaiveFields) throws(Violation) {
        try demand(count == naive.fields.count, "as many lines as the plain reader found")
        var names: UInt64 = 0
        var repeated: UInt64 = 0
        for (line, field) in zip(lines, naive.fields) {
            try demand(line.lineRange == field.lineRange, "a line is where it is")
            try demand(line.nameRange == field.nameRange, "a name is where it is")
            let value = line.valueRange
            try demand(value.isEmpty == field.value.isEmpty, "a value is empty only if there is none")
            try demand(value.isEmpty || value == field.value.startIndex..<field.value.endIndex, "a value is trimmed")
            try demand(
                value.lowerBound >= line.nameRange.upperBound + 1 && value.upperBound <= line.lineRange.upperBound - 2,
                "a value lies between its colon and its line's end"
            )
            try demand(line.name == knownName(field.name), "a name is recognised")
            repeated |= names & line.name.bit
            names |= line.name.bit
        }
        try demand(self.names == names, "the set of names is that of the lines")
        let other = FieldName.other.bit
        try demand(repeatedNames & ~other == repeated & ~other, "the set of repeated names is that of the lines")
    }

    /// Demands that exactly those lines are marked that must not be forwarded.
    func demandMarks(_ names: Set<[UInt8]>, of naive: NaiveFields) throws(Violation) {
        for (line, field) in zip(lines, naive.fields) {
            try demand(
                line.isHopByHop == names.contains(field.name),
                "a line is marked hop-by-hop if and only if it is"
            )
        }
    }

    /// Whether two sections hold the same lines with the same marks.
    func isSame(as other: FieldSection) -> Bool {
        names == other.names && repeatedNames == other.repeatedNames && connectionOptions == other.connectionOptions
            && lines.elementsEqual(other.lines) {
                $0.name == $1.name && $0.isHopByHop == $1.isHopByHop && $0.lineRange == $1.lineRange
                    && $0.nameRange == $1.nameRange && $0.valueRange == $1.valueRange
            }
    }
}

private let knownNames: [[UInt8]: FieldName] = .init(
    uniqueKeysWithValues: FieldName.allCases.filter { !$0.spelling.isEmpty }.map { ($0.spelling.utf8.lowercased, $0) }
)

/// What a name in lower case means; a claim to an origin may have `_` for any `-`.
private func knownName(_ name: [UInt8]) -> FieldName {
    if let known = knownNames[name] { return known }
    let text = String(decoding: name, as: UTF8.self).replacing("_", with: "-")
    return text.hasPrefix("x-forwarded-") || text == "x-real-ip" ? .xForwardedOther : .other
}
