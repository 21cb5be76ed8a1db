// A request or a response as it came over a socket.

/// One message: its head to the letter, its body without framing.
struct Message: Sendable {
    /// One field line.
    struct Field: Sendable, Equatable, CustomStringConvertible {
        let name: String
        let value: String

        var description: String { "\(name): \(value)" }
    }

    /// The head as it came, with its empty line.
    let head: String
    /// The first line, without its end.
    let startLine: String
    let fields: [Field]
    /// The body's content.
    var body: [UInt8] = []
    /// Bytes of each chunk, if the body came in chunks.
    var chunkSizes: [Int] = []
    /// The trailer section as it came.
    var trailers = ""

    init(head bytes: [UInt8]) throws {
        head = bytes.text
        var lines = Self.lines(of: bytes)
        guard lines.count >= 2, lines.removeLast().isEmpty, lines.removeLast().isEmpty else {
            throw Disappointment("a head ends with an empty line: \(bytes.text.debugDescription)")
        }
        startLine = lines.removeFirst()
        fields = try lines.map { line in
            let scalars = line.unicodeScalars
            guard let colon = scalars.firstIndex(of: ":") else {
                throw Disappointment("no field line: \(line.debugDescription)")
            }
            let value = scalars[scalars.index(after: colon)...].drop { $0 == " " }
            return Field(name: String(scalars[..<colon]), value: String(value))
        }
    }

    /// The parts between CRLF.
    private static func lines(of bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var start = 0
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A {
                lines.append(bytes[start..<index].text)
                index += 2
                start = index
            } else {
                index += 1
            }
        }
        return lines + [bytes[start...].text]
    }

    /// The values of all fields of that name.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The value of the one field of that name; nil when there is none, or more than one.
    subscript(_ name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }

    /// The status of a response; 0 for a request.
    var status: Int {
        let parts = startLine.split(separator: " ", omittingEmptySubsequences: false)
        return parts.count >= 2 && startLine.hasPrefix("HTTP/") ? Int(parts[1]) ?? 0 : 0
    }

    var isChunked: Bool { values("Transfer-Encoding") == ["chunked"] }

    /// The field lines without those that every forwarded request gets.
    var ownFields: [Field] {
        let added = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "via"]
        return fields.filter { !added.contains($0.name.lowercased()) }
    }
}
