// A request to the admin API, as a value.

internal import Front
internal import HTTPWire

/// What of a request's head the admin API goes by.
struct AdminRequest: Sendable, Equatable {
    var method: Method
    /// The target without its query, as it came.
    var path: String
    /// `Host`, or the authority of an absolute target; nil without one.
    var host: String?
    var origin: String?
    /// What a browser says of the page that makes the request (w3.org/TR/fetch-metadata): `Sec-Fetch-Site`.
    var fetchSite: String?
    /// In lower case, without its parameters.
    var contentType: String?
    var authorization: String?

    init(
        method: Method = .get,
        path: String,
        host: String? = nil,
        origin: String? = nil,
        fetchSite: String? = nil,
        contentType: String? = nil,
        authorization: String? = nil
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.origin = origin
        self.fetchSite = fetchSite
        self.contentType = contentType
        self.authorization = authorization
    }

    /// The head that a reader has read whole.
    init(_ reader: RequestReader) {
        let head = reader.head
        func text(_ range: Range<Int>) -> String { String(decoding: reader.headBytes(range), as: UTF8.self) }
        /// Of several lines that may stand only once none counts.
        func value(_ name: FieldName) -> String? {
            head.fields.isRepeated(name) ? "" : head.fields.value(name).map(text)
        }
        let sites = head.fields.lines.filter {
            $0.name == .other && text($0.nameRange).lowercased() == "sec-fetch-site"
        }
        let target = text(head.pathRange)
        let prefix: String =
            switch head.pathPrefix {
            case .nothing: ""
            case .slash: "/"
            case .asterisk: "*"
            }
        self.init(
            method: head.method,
            path: prefix + target.prefix { $0 != "?" },
            host: head.effectiveAuthorityRange.map(text),
            origin: value(.origin),
            fetchSite: sites.count > 1 ? "" : sites.first.map { text($0.valueRange) },
            contentType: value(.contentType).map { Self.mediaType($0) },
            authorization: value(.authorization)
        )
    }

    /// A media type without its parameters, in lower case.
    static func mediaType(_ value: String) -> String {
        let type = value.prefix { $0 != ";" }
        let end = type.lastIndex { $0 != " " && $0 != "\t" }.map(type.index(after:)) ?? type.startIndex
        return type[..<end].lowercased()
    }
}

/// Decodes `%41` and the like; nil when that is malformed or no UTF-8.
func percentDecoded(_ text: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
            rest.first != UInt8(ascii: "+")
        else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
