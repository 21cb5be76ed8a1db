// Why a request is refused: one name for the log line, one status for the client, one sentence for a person.

/// A reason to refuse a request and close the connection.
///
/// The raw value is the name in logs and metrics.
public enum RequestRefusal: String, Sendable, CaseIterable, Error {
    case extraEmptyLine = "extra_empty_line"
    case tlsHandshake = "tls_handshake"
    case malformedMethod = "malformed_method"
    case methodTooLong = "method_too_long"
    case malformedRequestLine = "malformed_request_line"
    case malformedTarget = "malformed_target"
    case nonASCIITarget = "non_ascii_target"
    case fragmentInTarget = "fragment_in_target"
    case targetTooLong = "target_too_long"
    case unsupportedScheme = "unsupported_scheme"
    case userinfoInTarget = "userinfo_in_target"
    case malformedAuthority = "malformed_authority"
    case asteriskWithoutOptions = "asterisk_without_options"
    case connectRefused = "connect_refused"
    case malformedVersion = "malformed_version"
    case unsupportedVersion = "unsupported_version"
    case bareCarriageReturn = "bare_carriage_return"
    case bareLineFeed = "bare_line_feed"
    case nulByte = "nul_byte"
    case controlByte = "control_byte"
    case obsoleteFolding = "obsolete_folding"
    case whitespaceBeforeColon = "whitespace_before_colon"
    case emptyFieldName = "empty_field_name"
    case malformedFieldName = "malformed_field_name"
    case missingColon = "missing_colon"
    case headTooLarge = "head_too_large"
    case tooManyFields = "too_many_fields"
    case tooManyConnectionOptions = "too_many_connection_options"
    case missingHost = "missing_host"
    case repeatedHost = "repeated_host"
    case malformedHost = "malformed_host"
    case malformedContentLength = "malformed_content_length"
    case contentLengthTooLarge = "content_length_too_large"
    case repeatedContentLength = "repeated_content_length"
    case conflictingContentLength = "conflicting_content_length"
    case lengthAndTransferEncoding = "length_and_transfer_encoding"
    case transferEncodingInHTTP10 = "transfer_encoding_in_http_1_0"
    case malformedTransferEncoding = "malformed_transfer_encoding"
    case chunkedNotFinal = "chunked_not_final"
    case chunkedRepeated = "chunked_repeated"
    case unsupportedTransferCoding = "unsupported_transfer_coding"

    /// The status to answer with: 400, 405, 413, 414, 431, 501 or 505.
    public var status: Int {
        switch self {
        case .connectRefused: 405
        case .contentLengthTooLarge: 413
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .tooManyConnectionOptions: 431
        case .methodTooLong, .unsupportedTransferCoding: 501
        case .unsupportedVersion: 505
        case .extraEmptyLine, .tlsHandshake, .malformedMethod, .malformedRequestLine, .malformedTarget,
            .nonASCIITarget, .fragmentInTarget, .unsupportedScheme, .userinfoInTarget, .malformedAuthority,
            .asteriskWithoutOptions, .malformedVersion, .bareCarriageReturn, .bareLineFeed, .nulByte, .controlByte,
            .obsoleteFolding, .whitespaceBeforeColon, .emptyFieldName, .malformedFieldName, .missingColon,
            .missingHost, .repeatedHost, .malformedHost, .malformedContentLength, .repeatedContentLength,
            .conflictingContentLength, .lengthAndTransferEncoding, .transferEncodingInHTTP10,
            .malformedTransferEncoding, .chunkedNotFinal, .chunkedRepeated:
            400
        }
    }

    /// One sentence that tells a person what was wrong.
    public var explanation: String {
        switch self {
        case .extraEmptyLine: "More than one empty line stands before the request line."
        case .tlsHandshake: "The client speaks TLS to a port that expects plain HTTP."
        case .malformedMethod: "The request does not start with a method."
        case .methodTooLong: "The method is longer than any known one."
        case .malformedRequestLine: "The request line is not a method, a target and a version with one space between."
        case .malformedTarget: "The request target is neither a path nor an absolute URL, or holds a control byte."
        case .nonASCIITarget: "The request target holds bytes that are not ASCII and should be percent-encoded."
        case .fragmentInTarget: "The request target holds a '#'."
        case .targetTooLong: "The request target is too long."
        case .unsupportedScheme: "The scheme of the request target is neither http nor https."
        case .userinfoInTarget: "The request target holds a user name or a password."
        case .malformedAuthority: "The host or the port in the request target is malformed."
        case .asteriskWithoutOptions: "The request target '*' goes with OPTIONS only."
        case .connectRefused: "CONNECT is not offered: this is not a forward proxy."
        case .malformedVersion: "The request line does not end with an HTTP version."
        case .unsupportedVersion: "The HTTP version is not 1.0 or 1.1."
        case .bareCarriageReturn: "A carriage return is not followed by a line feed."
        case .bareLineFeed: "A line ends with a line feed alone."
        case .nulByte: "A field line holds a NUL byte."
        case .controlByte: "A field line holds a control byte."
        case .obsoleteFolding: "A field line starts with white space."
        case .whitespaceBeforeColon: "White space stands in a field name or before its colon."
        case .emptyFieldName: "A field line has no name."
        case .malformedFieldName: "A field name holds a byte that is not allowed in names."
        case .missingColon: "A field line has no colon."
        case .headTooLarge: "The request head is too large."
        case .tooManyFields: "The request has too many field lines."
        case .tooManyConnectionOptions: "The Connection field has too many options."
        case .missingHost: "The request has no Host field."
        case .repeatedHost: "The request has more than one Host field."
        case .malformedHost: "The Host field is not a host with an optional port."
        case .malformedContentLength: "The Content-Length field is not a number."
        case .contentLengthTooLarge: "The Content-Length is larger than any body can be."
        case .repeatedContentLength: "The Content-Length is given more than once."
        case .conflictingContentLength: "Two different Content-Length values are given."
        case .lengthAndTransferEncoding: "Both Content-Length and Transfer-Encoding are given."
        case .transferEncodingInHTTP10: "An HTTP/1.0 request has a Transfer-Encoding field."
        case .malformedTransferEncoding: "The Transfer-Encoding field is malformed."
        case .chunkedNotFinal: "The chunked transfer coding is not the last one."
        case .chunkedRepeated: "The chunked transfer coding is given more than once."
        case .unsupportedTransferCoding: "The only transfer coding understood is chunked."
        }
    }

    init(_ refusal: FieldRefusal) {
        switch refusal {
        case .bareCarriageReturn: self = .bareCarriageReturn
        case .bareLineFeed: self = .bareLineFeed
        case .nulByte: self = .nulByte
        case .controlByte: self = .controlByte
        case .obsoleteFolding: self = .obsoleteFolding
        case .whitespaceBeforeColon: self = .whitespaceBeforeColon
        case .emptyFieldName: self = .emptyFieldName
        case .malformedFieldName: self = .malformedFieldName
        case .missingColon: self = .missingColon
        case .tooManyFields: self = .tooManyFields
        }
    }

    init(_ refusal: FramingRefusal) {
        switch refusal {
        case .malformedContentLength: self = .malformedContentLength
        case .contentLengthTooLarge: self = .contentLengthTooLarge
        case .repeatedContentLength: self = .repeatedContentLength
        case .conflictingContentLength: self = .conflictingContentLength
        case .lengthAndTransferEncoding: self = .lengthAndTransferEncoding
        case .transferEncodingInHTTP10: self = .transferEncodingInHTTP10
        case .malformedTransferEncoding: self = .malformedTransferEncoding
        case .chunkedNotFinal: self = .chunkedNotFinal
        case .chunkedRepeated: self = .chunkedRepeated
        case .unsupportedTransferCoding: self = .unsupportedTransferCoding
        }
    }
}
