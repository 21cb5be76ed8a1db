// Why a chunked body is refused.

/// A reason to refuse the rest of a chunked body and close the connection.
///
/// The raw value is the name in logs and metrics. In a request it calls for status 400, or 431 for what is too large.
public enum ChunkedRefusal: String, Sendable, CaseIterable, Error {
    case missingChunkSize = "missing_chunk_size"
    case malformedChunkSize = "malformed_chunk_size"
    case chunkTooLarge = "chunk_too_large"
    case whitespaceInChunkSize = "whitespace_in_chunk_size"
    case chunkExtensionTooLong = "chunk_extension_too_long"
    case excessiveChunkExtensions = "excessive_chunk_extensions"
    case controlByteInChunkExtension = "control_byte_in_chunk_extension"
    case missingChunkEnd = "missing_chunk_end"
    case bareCarriageReturn = "bare_carriage_return"
    case bareLineFeed = "bare_line_feed"
    case nulByte = "nul_byte"
    case controlByte = "control_byte"
    case obsoleteFolding = "obsolete_folding"
    case whitespaceBeforeColon = "whitespace_before_colon"
    case emptyFieldName = "empty_field_name"
    case malformedFieldName = "malformed_field_name"
    case missingColon = "missing_colon"
    case trailerTooLarge = "trailer_too_large"
    case tooManyTrailerFields = "too_many_trailer_fields"

    /// The status to answer with if the body is that of a request: 400, 413 or 431.
    public var status: Int {
        switch self {
        case .chunkTooLarge: 413
        case .trailerTooLarge, .tooManyTrailerFields: 431
        case .missingChunkSize, .malformedChunkSize, .whitespaceInChunkSize, .chunkExtensionTooLong,
            .excessiveChunkExtensions, .controlByteInChunkExtension, .missingChunkEnd, .bareCarriageReturn,
            .bareLineFeed, .nulByte, .controlByte, .obsoleteFolding, .whitespaceBeforeColon, .emptyFieldName,
            .malformedFieldName, .missingColon:
            400
        }
    }

    /// One sentence that tells a person what was wrong.
    public var explanation: String {
        switch self {
        case .missingChunkSize: "A chunk has no size."
        case .malformedChunkSize: "A chunk size is not a hexadecimal number."
        case .chunkTooLarge: "A chunk size has more than 16 digits or is larger than any body can be."
        case .whitespaceInChunkSize: "White space stands before or behind a chunk size."
        case .chunkExtensionTooLong: "A chunk extension is too long."
        case .excessiveChunkExtensions: "The chunk extensions are out of proportion to the data."
        case .controlByteInChunkExtension: "A chunk extension holds a control byte."
        case .missingChunkEnd: "The data of a chunk is not followed by the end of its line."
        case .bareCarriageReturn: "A carriage return is not followed by a line feed."
        case .bareLineFeed: "A line ends with a line feed alone."
        case .nulByte: "A trailer field line holds a NUL byte."
        case .controlByte: "A trailer field line holds a control byte."
        case .obsoleteFolding: "A trailer field line starts with white space."
        case .whitespaceBeforeColon: "White space stands in the name of a trailer field or before its colon."
        case .emptyFieldName: "A trailer field line has no name."
        case .malformedFieldName: "The name of a trailer field holds a byte that is not allowed in names."
        case .missingColon: "A trailer field line has no colon."
        case .trailerTooLarge: "The trailer section is too large."
        case .tooManyTrailerFields: "There are too many trailer field lines."
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
        case .tooManyFields: self = .tooManyTrailerFields
        }
    }
}
