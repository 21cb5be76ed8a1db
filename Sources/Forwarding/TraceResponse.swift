// The answer to a TRACE whose way ends here: the request as it came.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO

/// Reflects a request to its client (RFC 9110 section 9.3.8).
struct TraceResponse {
    /// Fields that carry secrets, which a page's script must not get to see in this way.
    private static let secret: UInt64 =
        FieldName.authorization.bit | FieldName.proxyAuthorization.bit | FieldName.cookie.bit

    /// More than everything but the reflected request.
    static let maximumAddition = 1024

    let reader: RequestReader
    let requestID: [UInt8]
    /// The Date field's value.
    let date: [UInt8]
    let keepAlive: Bool

    /// Appends head and body; returns the body's length.
    func write(to buffer: Buffer) -> Int {
        let head = reader.head
        let kept = head.fields.lines.filter { $0.name.bit & Self.secret == 0 }
        let version: StaticString = head.minorVersion == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n"
        let length =
            head.methodRange.count + 1 + head.targetRange.count + version.utf8CodeUnitCount
            + kept.reduce(0) { $0 + $1.lineRange.count } + 2
        buffer.append("HTTP/1.1 200 OK\r\nDate: ")
        buffer.append(date)
        buffer.append("\r\nContent-Type: message/http\r\nContent-Length: ")
        buffer.append(decimal: UInt64(length))
        buffer.append("\r\nCache-Control: no-store\r\nX-Request-Id: ")
        buffer.append(requestID)
        buffer.append("\r\n")
        ClientResponse.appendConnection(
            keepAlive: keepAlive,
            clientMinorVersion: head.minorVersion,
            to: buffer
        )
        buffer.append("\r\n")
        buffer.append(reader.headBytes(head.methodRange))
        buffer.append(byte: UInt8(ascii: " "))
        buffer.append(reader.headBytes(head.targetRange))
        buffer.append(version)
        for line in kept { buffer.append(reader.headBytes(line.lineRange)) }
        buffer.append("\r\n")
        return length
    }
}
