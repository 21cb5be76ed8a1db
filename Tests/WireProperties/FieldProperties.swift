// What must hold for every field section, in whichever message it stands, and for the values of its lines.

import HTTPWire

/// The properties of field sections and of list values.
public enum FieldProperties {
    /// Checks an input: the bytes of a field section, and what follows.
    public static func check(_ input: [UInt8]) throws(Violation) {
        let naive = NaiveFields(input, from: 0)
        let request = readRequest(input)
        let response = readResponse(input)
        let (trailers, section) = readTrailers(input)
        try demand((trailers == .complete) == (naive != nil), "what the plain reader accepts is accepted, and no more")
        switch trailers {
        case .complete:
            try demand(request.isPastSyntax && response.isPastSyntax, "a section is accepted everywhere")
        case .open, .refused, .refusedForMeaning:
            try demand(request == trailers && response == trailers, "the same section has the same verdict everywhere")
        }
        guard let naive else { return }
        try demand(section.count == naive.fields.count, "as many lines as the plain reader found")
        for field in naive.fields { try checkValue(field.value, of: input) }
        for (field, next) in zip(naive.fields, naive.fields.dropFirst()) {
            let isSame = input.span.equalsIgnoringCase(field.nameRange, next.nameRange)
            try demand(isSame == (field.name == next.name), "names are compared without case")
        }
    }

    private enum Verdict: Equatable {
        case open
        case complete
        /// Refused for its syntax.
        case refused(String)
        /// Refused for what it says.
        case refusedForMeaning

        var isPastSyntax: Bool { self == .complete || self == .refusedForMeaning }

        /// The reasons that have one name everywhere are reasons of syntax.
        init(_ name: String) {
            self = ChunkedRefusal(rawValue: name) != nil ? .refused(name) : .refusedForMeaning
        }
    }

    private static func readRequest(_ input: [UInt8]) -> Verdict {
        // HTTP/1.0, as 1.1 asks for a Host.
        let bytes = [UInt8]("GET / HTTP/1.0\r\n") + input
        var parser = RequestParser(limits: HeadLimits(maxHeadBytes: 1 << 20, maxFieldCount: maxFieldCount))
        var head = RequestHead()
        switch parser.parse(bytes.span, into: &head) {
        case .needMore: return .open
        case .complete: return .complete
        case .refused(let refusal): return Verdict(refusal.rawValue)
        }
    }

    private static func readResponse(_ input: [UInt8]) -> Verdict {
        let bytes = [UInt8]("HTTP/1.1 200\r\n") + input
        let limits = HeadLimits(maxHeadBytes: 1 << 20, maxFieldCount: maxFieldCount)
        var parser = ResponseParser(requestMethod: .get, limits: limits)
        var head = ResponseHead()
        switch parser.parse(bytes.span, into: &head) {
        case .needMore: return .open
        case .complete: return .complete
        case .refused(let refusal): return Verdict(refusal.rawValue)
        }
    }

    private static func readTrailers(_ input: [UInt8]) -> (Verdict, FieldSection) {
        let bytes = [UInt8]("0\r\n") + input
        let limits = ChunkedLimits(maxTrailerBytes: 1 << 20, maxTrailerCount: maxFieldCount)
        var decoder = ChunkedDecoder(limits: limits)
        var section = FieldSection()
        var position = 0
        switch decoder.step(bytes.span, at: &position, trailers: &section) {
        case .needMore, .data: return (.open, section)
        case .finished: return (.complete, section)
        case .refused(let refusal): return (Verdict(refusal.rawValue), section)
        }
    }

    /// More than any input has: the plain reader knows no limit.
    private static let maxFieldCount = 1 << 20

    private static func checkValue(_ value: ArraySlice<UInt8>, of input: [UInt8]) throws(Violation) {
        let range = value.startIndex..<value.endIndex
        var found: [[UInt8]] = []
        var position = range.lowerBound
        while let member = input.span.nextListMember(from: &position, upTo: range.upperBound) {
            try demand(range.contains(member.lowerBound) && member.upperBound <= range.upperBound, "a member is inside")
            found.append(input[member].lowercased)
        }
        try demand(found == value.tokens, "the plain reader finds the same list members")
        try demand(
            PageFormat.preferred(in: input.span, accept: range) == preferred(found),
            "a page has the format that is named first"
        )
    }

    private static func preferred(_ members: [[UInt8]]) -> PageFormat {
        for member in members {
            let type = String(decoding: member.prefix { $0 != 0x3B }[...].trimmed, as: UTF8.self)
            switch type {
            case "text/html", "application/xhtml+xml": return .html
            case "application/json": return .json
            case "text/plain": return .text
            default: if type.hasSuffix("+json") { return .json }
            }
        }
        return .text
    }
}
