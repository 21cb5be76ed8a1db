// The field names a proxy has to know, and how they are recognised.

/// A field name that means something to a proxy; any other is ``other`` and is known by its bytes alone.
///
/// The raw value is the name's bit in ``FieldSection/names``, so there can be at most 64.
@frozen
public enum FieldName: UInt8, Sendable, CaseIterable {
    case other
    case host
    case connection
    case contentLength
    case transferEncoding
    case te
    case trailer
    case upgrade
    case keepAlive
    case proxyConnection
    case proxyAuthenticate
    case proxyAuthorization
    case proxyAuthenticationInfo
    case http2Settings
    case via
    case forwarded
    case xForwardedFor
    case xForwardedProto
    case xForwardedHost
    case xForwardedPort
    /// Any other `X-Forwarded-…`, and what backends may take for one of these or for `X-Real-IP`: `_` in place of `-`.
    case xForwardedOther
    case xRealIP
    case xRequestID
    case traceparent
    case tracestate
    case expect
    case maxForwards
    case earlyData
    case date
    case server
    case accept
    case acceptEncoding
    case contentType
    case contentEncoding
    case cookie
    case setCookie
    case authorization
    case location
    case retryAfter
    case proxyStatus
    case userAgent
    case referer
    case origin
    case cacheControl
    case age
    case altSvc
    case secWebSocketKey
    case secWebSocketAccept

    /// The name's bit in a set of names.
    @inlinable
    public var bit: UInt64 { 1 &<< UInt64(rawValue) }

    /// Whether a field of this name is for one connection only and is never forwarded (RFC 9110 section 7.6.1).
    ///
    /// `Trailer` is not: it announces what travels end to end (section 6.6.2). The three `Proxy-Auth…` fields are: they
    /// speak to the next proxy, and that is us (section 11.7).
    @inlinable
    public var isHopByHop: Bool { FieldName.hopByHop & bit != 0 }

    @usableFromInline
    static var hopByHop: UInt64 {
        FieldName.connection.bit | FieldName.keepAlive.bit | FieldName.proxyConnection.bit | FieldName.te.bit
            | FieldName.transferEncoding.bit | FieldName.upgrade.bit | FieldName.http2Settings.bit
            | FieldName.proxyAuthenticate.bit | FieldName.proxyAuthorization.bit
            | FieldName.proxyAuthenticationInfo.bit
    }
}

extension FieldName {
    /// Recognises the name in a range of bytes, in upper or lower case.
    ///
    /// Setting bit 0x20 makes letters lower-case and leaves digits and `-` alone. The only other bytes that it turns into
    /// one of these are control bytes: the range must hold none but HTAB, as field names and checked values do.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let start = range.lowerBound
        let length = range.count
        guard length >= 2, length <= 25 else {
            self = length > 25 && FieldName.claimsOrigin(bytes, range) ? .xForwardedOther : .other
            return
        }
        let short = length < 8
        let fold: UInt64 =
            short ? 0x2020_2020_2020_2020 & ((1 &<< UInt64(truncatingIfNeeded: length &* 8)) &- 1) : .repeating(0x20)
        let first = bytes.word(at: start, length: length) | fold
        let last = short ? 0 : bytes.word(at: range.upperBound &- 8, length: 8) | fold
        let middle = length <= 16 ? 0 : bytes.word(at: start &+ 8, length: 8) | fold
        self.init(length: length, first: first, middle: middle, last: last)
        // Twenty-five bytes are one more than the three words cover.
        if self == .proxyAuthenticationInfo, bytes[start &+ 16] | 0x20 != 0x74 { self = .other }
        if self == .other, first & 0xFF == 0x78, FieldName.claimsOrigin(bytes, range) { self = .xForwardedOther }
    }

    /// Whether the name is one that backends read a client's origin from: `X-Forwarded-…`, `X-Real-IP`.
    ///
    /// `_` counts as `-`: gateways in the manner of CGI (RFC 3875 section 4.1.18) make one of the other.
    private static func claimsOrigin(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = range.lowerBound
        func isSeparator(_ offset: Int) -> Bool { bytes[start + offset] == 0x2D || bytes[start + offset] == 0x5F }
        guard range.count == 9 || range.count >= 12, isSeparator(1) else { return false }
        let first = (bytes.word(at: start, length: 8) | .repeating(0x20)) & 0xFFFF_FFFF_FFFF_00FF
        if range.count == 9 {
            return first & 0xFF00_FFFF_FFFF_FFFF == 0x6900_6C61_6572_0078 && isSeparator(6)
                && bytes[start + 8] | 0x20 == 0x70
        }
        let second = bytes.word(at: start + 8, length: 3) | 0x20_2020
        return first == 0x7261_7772_6F66_0078 && second == 0x64_6564 && isSeparator(11)
    }

    /// Tells the name from its length and its first eight, second eight and last eight bytes, lower-cased.
    ///
    /// The words are the letters in reverse order, because the lowest byte is the first letter.
    private init(length: Int, first: UInt64, middle: UInt64, last: UInt64) {
        switch length {
        case 2:
            switch first {
            case 0x6574: self = .te
            default: self = .other
            }
        case 3:
            switch first {
            case 0x61_6976: self = .via
            case 0x65_6761: self = .age
            default: self = .other
            }
        case 4:
            switch first {
            case 0x7473_6F68: self = .host
            case 0x6574_6164: self = .date
            default: self = .other
            }
        case 6:
            switch first {
            case 0x7463_6570_7865: self = .expect
            case 0x7265_7672_6573: self = .server
            case 0x7470_6563_6361: self = .accept
            case 0x6569_6B6F_6F63: self = .cookie
            case 0x6E69_6769_726F: self = .origin
            default: self = .other
            }
        case 7:
            switch first {
            case 0x72_656C_6961_7274: self = .trailer
            case 0x65_6461_7267_7075: self = .upgrade
            case 0x72_6572_6566_6572: self = .referer
            case 0x63_7673_2D74_6C61: self = .altSvc
            default: self = .other
            }
        case 8:
            switch first {
            case 0x6E6F_6974_6163_6F6C: self = .location
            default: self = .other
            }
        case 9:
            switch (first, last) {
            case (0x6564_7261_7772_6F66, 0x6465_6472_6177_726F): self = .forwarded
            case (0x692D_6C61_6572_2D78, 0x7069_2D6C_6165_722D): self = .xRealIP
            default: self = .other
            }
        case 10:
            switch (first, last) {
            case (0x6974_6365_6E6E_6F63, 0x6E6F_6974_6365_6E6E): self = .connection
            case (0x696C_612D_7065_656B, 0x6576_696C_612D_7065): self = .keepAlive
            case (0x6164_2D79_6C72_6165, 0x6174_6164_2D79_6C72): self = .earlyData
            case (0x6B6F_6F63_2D74_6573, 0x6569_6B6F_6F63_2D74): self = .setCookie
            case (0x6567_612D_7265_7375, 0x746E_6567_612D_7265): self = .userAgent
            case (0x6174_7365_6361_7274, 0x6574_6174_7365_6361): self = .tracestate
            default: self = .other
            }
        case 11:
            switch (first, last) {
            case (0x7261_7065_6361_7274, 0x746E_6572_6170_6563): self = .traceparent
            case (0x6661_2D79_7274_6572, 0x7265_7466_612D_7972): self = .retryAfter
            default: self = .other
            }
        case 12:
            switch (first, last) {
            case (0x7365_7571_6572_2D78, 0x6469_2D74_7365_7571): self = .xRequestID
            case (0x7772_6F66_2D78_616D, 0x7364_7261_7772_6F66): self = .maxForwards
            case (0x2D74_6E65_746E_6F63, 0x6570_7974_2D74_6E65): self = .contentType
            case (0x7473_2D79_786F_7270, 0x7375_7461_7473_2D79): self = .proxyStatus
            default: self = .other
            }
        case 13:
            switch (first, last) {
            case (0x7A69_726F_6874_7561, 0x6E6F_6974_617A_6972): self = .authorization
            case (0x6F63_2D65_6863_6163, 0x6C6F_7274_6E6F_632D): self = .cacheControl
            default: self = .other
            }
        case 14:
            switch (first, last) {
            case (0x2D74_6E65_746E_6F63, 0x6874_676E_656C_2D74): self = .contentLength
            case (0x6573_2D32_7074_7468, 0x7367_6E69_7474_6573): self = .http2Settings
            default: self = .other
            }
        case 15:
            switch (first, last) {
            case (0x7261_7772_6F66_2D78, 0x726F_662D_6465_6472): self = .xForwardedFor
            case (0x652D_7470_6563_6361, 0x676E_6964_6F63_6E65): self = .acceptEncoding
            default: self = .other
            }
        case 16:
            switch (first, last) {
            case (0x6F63_2D79_786F_7270, 0x6E6F_6974_6365_6E6E): self = .proxyConnection
            case (0x7261_7772_6F66_2D78, 0x7473_6F68_2D64_6564): self = .xForwardedHost
            case (0x7261_7772_6F66_2D78, 0x7472_6F70_2D64_6564): self = .xForwardedPort
            case (0x2D74_6E65_746E_6F63, 0x676E_6964_6F63_6E65): self = .contentEncoding
            default: self = .other
            }
        case 17:
            switch (first, middle, last) {
            case (0x7265_6673_6E61_7274, 0x6E69_646F_636E_652D, 0x676E_6964_6F63_6E65): self = .transferEncoding
            case (0x7261_7772_6F66_2D78, 0x746F_7270_2D64_6564, 0x6F74_6F72_702D_6465): self = .xForwardedProto
            case (0x7362_6577_2D63_6573, 0x656B_2D74_656B_636F, 0x7965_6B2D_7465_6B63): self = .secWebSocketKey
            default: self = .other
            }
        case 18:
            switch (first, middle, last) {
            case (0x7561_2D79_786F_7270, 0x6163_6974_6E65_6874, 0x6574_6163_6974_6E65): self = .proxyAuthenticate
            default: self = .other
            }
        case 19:
            switch (first, middle, last) {
            case (0x7561_2D79_786F_7270, 0x7461_7A69_726F_6874, 0x6E6F_6974_617A_6972): self = .proxyAuthorization
            default: self = .other
            }
        case 20:
            switch (first, middle, last) {
            case (0x7362_6577_2D63_6573, 0x6361_2D74_656B_636F, 0x7470_6563_6361_2D74): self = .secWebSocketAccept
            default: self = .other
            }
        case 25:
            switch (first, middle, last) {
            case (0x7561_2D79_786F_7270, 0x6163_6974_6E65_6874, 0x6F66_6E69_2D6E_6F69): self = .proxyAuthenticationInfo
            default: self = .other
            }
        default: self = .other
        }
    }
}
