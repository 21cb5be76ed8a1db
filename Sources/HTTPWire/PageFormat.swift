// Which kind of error page a client would rather read.

/// The format of a page that the proxy writes itself.
public enum PageFormat: Sendable, Equatable {
    case html
    case json
    case text

    /// Chooses by the value of `Accept`: the format named first wins, quality values aside; text if none is named.
    ///
    /// Browsers name HTML first, programs JSON, and curl says `*/*`, which is text here.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the request.
    ///   - accept: The value of its `Accept` field, if it has one.
    public static func preferred(in bytes: Span<UInt8>, accept: Range<Int>?) -> PageFormat {
        guard let accept else { return .text }
        var position = accept.lowerBound
        while let member = bytes.nextListMember(from: &position, upTo: accept.upperBound) {
            var end = member.lowerBound
            while end < member.upperBound, bytes[end] != Byte.semicolon { end += 1 }
            let type = bytes.trimmed(member.lowerBound..<end)
            if bytes.equalsIgnoringCase(type, "text/html") || bytes.equalsIgnoringCase(type, "application/xhtml+xml") {
                return .html
            }
            let suffix = Swift.max(type.lowerBound, type.upperBound - 5)..<type.upperBound
            if bytes.equalsIgnoringCase(type, "application/json") || bytes.equalsIgnoringCase(suffix, "+json") {
                return .json
            }
            if bytes.equalsIgnoringCase(type, "text/plain") { return .text }
        }
        return .text
    }
}
