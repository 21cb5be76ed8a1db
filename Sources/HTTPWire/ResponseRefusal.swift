// Why a response of a backend is refused: one name for the log line, one sentence for a person.

/// A reason to refuse a response, close the connection to the backend, and answer 502.
///
/// The raw value is the name in logs and metrics; where the fault is the same, it is that of ``RequestRefusal``.
public enum ResponseRefusal: String, Sendable, CaseIterable, Error {
    case notHTTP = "not_http"
    case unsupportedVersion = "unsupported_version"
    case malformedStatusLine = "malformed_status_line"
    case malformedStatus = "malformed_status"
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
    case malformedContentLength = "malformed_content_length"
    case contentLengthTooLarge = "content_length_too_large"
    case conflictingContentLength = "conflicting_content_length"
    case lengthAndTransferEncoding = "length_and_transfer_encoding"
    case transferEncodingInHTTP10 = "transfer_encoding_in_http_1_0"
    case malformedTransferEncoding = "malformed_transfer_encoding"
    case chunkedNotFinal = "chunked_not_final"
    case chunkedRepeated = "chunked_repeated"
    case unsupportedTransferCoding = "unsupported_transfer_coding"

    /// One sentence that tells a person what was wrong.
    public var explanation: String {
        switch self {
        case .notHTTP: "The backend's answer does not start with an HTTP version."
        case .unsupportedVersion: "The backend's answer has an HTTP version that is not 1.0 or 1.1."
        case .malformedStatusLine: "The status line is not a version, a status and a reason with one space between."
        case .malformedStatus: "The status is not a number of three digits from 100 on."
        case .bareCarriageReturn: "A carriage return is not followed by a line feed."
        case .bareLineFeed: "A line ends with a line feed alone."
        case .nulByte: "The head of the response holds a NUL byte."
        case .controlByte: "The head of the response holds a control byte."
        case .obsoleteFolding: "A field line starts with white space."
        case .whitespaceBeforeColon: "White space stands in a field name or before its colon."
        case .emptyFieldName: "A field line has no name."
        case .malformedFieldName: "A field name holds a byte that is not allowed in names."
        case .missingColon: "A field line has no colon."
        case .headTooLarge: "The response head is too large."
        case .tooManyFields: "The response has too many field lines."
        case .tooManyConnectionOptions: "The Connection field has too many options."
        case .malformedContentLength: "The Content-Length field is not a number."
        case .contentLengthTooLarge: "The Content-Length is larger than any body can be."
        case .conflictingContentLength: "Two different Content-Length values are given."
        case .lengthAndTransferEncoding: "Both Content-Length and Transfer-Encoding are given."
        case .transferEncodingInHTTP10: "An HTTP/1.0 response has a Transfer-Encoding field."
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
        // The same length again is no reason in a response.
        case .repeatedContentLength, .conflictingContentLength: self = .conflictingContentLength
        case .lengthAndTransferEncoding: self = .lengthAndTransferEncoding
        case .transferEncodingInHTTP10: self = .transferEncodingInHTTP10
        case .malformedTransferEncoding: self = .malformedTransferEncoding
        case .chunkedNotFinal: self = .chunkedNotFinal
        case .chunkedRepeated: self = .chunkedRepeated
        case .unsupportedTransferCoding: self = .unsupportedTransferCoding
        }
    }
}
