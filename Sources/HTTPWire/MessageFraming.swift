// How the end of a body is found (RFC 9112 section 6.3).

/// How a body ends.
@frozen
public enum MessageFraming: Sendable, Equatable {
    /// There is no body, and nothing says how long one would be.
    case none
    /// The body has this many bytes; zero is said explicitly.
    case length(Int)
    /// The body comes in chunks.
    case chunked
    /// The body ends with the connection: responses only.
    case untilClose
}

/// Why the framing of a message cannot be trusted.
enum FramingRefusal {
    case malformedContentLength
    case contentLengthTooLarge
    case repeatedContentLength
    case conflictingContentLength
    case lengthAndTransferEncoding
    case transferEncodingInHTTP10
    case malformedTransferEncoding
    case chunkedNotFinal
    case chunkedRepeated
    case unsupportedTransferCoding
}

/// What the field lines say about the length of the body, before the method and the status have their say.
enum DeclaredFraming {
    case nothing
    case length(Int)
    case chunked
    case refused(FramingRefusal)
}

extension FieldSection {
    /// Reads `Content-Length` and `Transfer-Encoding`.
    ///
    /// - Parameters:
    ///   - toleratesRepeatedLength: Whether the same length may be given more than once, in a list or on several lines.
    ///     RFC 9112 section 6.3 leaves it open. Responses may, and get one length onward; in requests it is refused, since
    ///     no client does it and an attacker would.
    func declaredFraming(
        _ bytes: Span<UInt8>,
        minorVersion: UInt8,
        toleratesRepeatedLength: Bool
    ) -> DeclaredFraming {
        if contains(.transferEncoding) {
            if contains(.contentLength) { return .refused(.lengthAndTransferEncoding) }
            if minorVersion == 0 { return .refused(.transferEncodingInHTTP10) }
            if let refusal = transferEncodingRefusal(bytes) { return .refused(refusal) }
            return .chunked
        }
        guard contains(.contentLength) else { return .nothing }
        return contentLength(bytes, toleratesRepetition: toleratesRepeatedLength)
    }

    private func contentLength(_ bytes: Span<UInt8>, toleratesRepetition: Bool) -> DeclaredFraming {
        var length: Int?
        var isRepeated = false
        for index in 0..<lines.count where lines[index].name == .contentLength {
            let value = lines[index].valueRange
            var position = value.lowerBound
            // Unlike other lists, this one has no empty members: an empty length is malformed.
            repeat {
                let start = position
                while position < value.upperBound, bytes[position] != Byte.comma { position &+= 1 }
                switch bytes.decimal(bytes.trimmed(start..<position)) {
                case .value(let value):
                    if let length, length != value { return .refused(.conflictingContentLength) }
                    isRepeated = isRepeated || length != nil
                    length = value
                case .malformed: return .refused(.malformedContentLength)
                case .tooLarge: return .refused(.contentLengthTooLarge)
                }
                position &+= 1
            } while position <= value.upperBound
        }
        guard let length else { return .nothing }
        return isRepeated && !toleratesRepetition ? .refused(.repeatedContentLength) : .length(length)
    }

    /// Accepts one `chunked` and nothing else (RFC 9112 section 6.1); empty list members are refused too.
    private func transferEncodingRefusal(_ bytes: Span<UInt8>) -> FramingRefusal? {
        var hasChunked = false
        var hasUnknown = false
        for index in 0..<lines.count where lines[index].name == .transferEncoding {
            let value = lines[index].valueRange
            var position = value.lowerBound
            repeat {
                let start = position
                while position < value.upperBound, bytes[position] != Byte.comma { position &+= 1 }
                let coding = bytes.trimmed(start..<position)
                // "chunked" with its letters in reverse order.
                let isChunked = coding.count == 7 && bytes.lowercasedWord(coding) == 0x64_656B_6E75_6863
                if hasChunked { return isChunked ? .chunkedRepeated : .chunkedNotFinal }
                if isChunked {
                    hasChunked = true
                } else if bytes.isTransferCoding(coding) {
                    hasUnknown = true
                } else {
                    return .malformedTransferEncoding
                }
                position &+= 1
            } while position <= value.upperBound
        }
        return hasUnknown ? .unsupportedTransferCoding : nil
    }
}

extension Span where Element == UInt8 {
    /// Whether a list member starts with a token that is not `chunked`; parameters may follow, as no coding is known.
    ///
    /// `chunked` has no parameters, and to give it some is an error (RFC 9112 section 7.1).
    fileprivate func isTransferCoding(_ member: Range<Int>) -> Bool {
        var end = member.lowerBound
        while end < member.upperBound, self[end] != Byte.semicolon { end &+= 1 }
        let name = trimmed(member.lowerBound..<end)
        let isChunked = name.count == 7 && lowercasedWord(name) == 0x64_656B_6E75_6863
        return isToken(name) && !isChunked
    }
}
