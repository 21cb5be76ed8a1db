// What a client gets: the head of a backend's response, as it is sent on.

internal import EventLoop
internal import HTTPWire
internal import MessageIO

/// How a response's body is framed towards the client, whatever its framing upstream was.
enum ClientFraming {
    /// No body.
    case none
    /// Content-Length.
    case length
    /// Chunks: HTTP/1.1 clients, when the length is not known.
    case chunked
    /// The connection's end: HTTP/1.0 clients, when the length is not known.
    case untilClose
    /// None: the protocol has been switched, and bytes are passed on as they come.
    case tunnel
}

/// Writes response heads for the client (RFC 9110 section 7.6).
enum ClientResponse {
    /// Field lines that never go on as they came.
    private static let replaced = FieldName.contentLength.bit

    /// More than everything that is added to a head.
    static let maximumAddition = 256

    /// How the body will be framed for a client of that minor version of HTTP/1.
    static func framing(of head: ResponseHead, clientMinorVersion: UInt8) -> ClientFraming {
        if head.switchesProtocols { return .tunnel }
        return switch head.framing {
        case .none: .none
        case .length: .length
        case .chunked, .untilClose: clientMinorVersion >= 1 ? .chunked : .untilClose
        }
    }

    /// Appends the head of a final response, with its empty line.
    ///
    /// - Parameters:
    ///   - date: when it came, if it does not say when it was made (RFC 9110 section 6.6.1).
    ///   - panicAt: our name, if the backend was chosen although none was thought to be usable.
    ///   - appendFields: appends whole field lines that are this client's alone.
    static func write(
        _ head: ResponseHead,
        from bytes: UnsafeRawPointer,
        framing: ClientFraming,
        clientMinorVersion: UInt8,
        acceptsTrailers: Bool,
        keepAlive: Bool,
        date: [UInt8]?,
        panicAt: String? = nil,
        to buffer: Buffer,
        adding appendFields: (Buffer) -> Void = { _ in }
    ) {
        appendStatusLine(head, from: bytes, to: buffer)
        let fields = head.fields
        // The announcement of trailers goes where the trailers go.
        let dropped = acceptsTrailers && framing == .chunked ? replaced : replaced | FieldName.trailer.bit
        if fields.names & dropped == 0 {
            buffer.appendLines(of: fields, from: bytes) { !$0.isHopByHop }
        } else {
            buffer.appendLines(of: fields, from: bytes) { !$0.isHopByHop && $0.name.bit & dropped == 0 }
        }
        if let date {
            buffer.append("Date: ")
            buffer.append(date)
            buffer.append("\r\n")
        }
        if let panicAt {
            // Behind those of the servers that the response has come through (RFC 9209 section 2).
            buffer.append("Proxy-Status: ")
            buffer.append(text: panicAt)
            buffer.append("; details=\"panic\"\r\n")
        }
        appendFields(buffer)
        if framing == .tunnel {
            buffer.append("Connection: Upgrade\r\n")
            buffer.appendLines(of: fields, from: bytes) { $0.name == .upgrade }
            buffer.append("\r\n")
            return
        }
        // A 204 has none, whatever the backend says (RFC 9110 section 8.6).
        if let length = head.declaredLength, head.status != 204 {
            // Also without a body: what a GET would have got (HEAD, 304).
            buffer.append("Content-Length: ")
            buffer.append(decimal: UInt64(length))
            buffer.append("\r\n")
        } else if framing == .chunked {
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
        // The one response that has to say which protocol would do (RFC 9110 section 15.5.22).
        let namesProtocols = head.status == 426 && fields.contains(.upgrade)
        if namesProtocols { buffer.appendLines(of: fields, from: bytes) { $0.name == .upgrade } }
        appendConnection(
            keepAlive: keepAlive,
            clientMinorVersion: clientMinorVersion,
            namesProtocols: namesProtocols,
            to: buffer
        )
        buffer.append("\r\n")
    }

    /// Appends the head of an interim (1xx) response, with its empty line.
    static func writeInterim(_ head: ResponseHead, from bytes: UnsafeRawPointer, to buffer: Buffer) {
        appendStatusLine(head, from: bytes, to: buffer)
        buffer.appendLines(of: head.fields, from: bytes) {
            !$0.isHopByHop && $0.name.bit & (replaced | FieldName.trailer.bit) == 0
        }
        buffer.append("\r\n")
    }

    /// Appends the Connection field where the protocol version's default is not what is meant.
    ///
    /// - Parameter namesProtocols: whether the head has an Upgrade field, which goes no further than the client.
    static func appendConnection(
        keepAlive: Bool,
        clientMinorVersion: UInt8,
        namesProtocols: Bool = false,
        to buffer: Buffer
    ) {
        switch (namesProtocols, keepAlive, clientMinorVersion) {
        case (false, false, _): buffer.append("Connection: close\r\n")
        case (false, true, 0): buffer.append("Connection: keep-alive\r\n")
        case (false, true, _): break
        case (true, false, _): buffer.append("Connection: Upgrade, close\r\n")
        case (true, true, 0): buffer.append("Connection: Upgrade, keep-alive\r\n")
        case (true, true, _): buffer.append("Connection: Upgrade\r\n")
        }
    }

    private static func appendStatusLine(_ head: ResponseHead, from bytes: UnsafeRawPointer, to buffer: Buffer) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(head.status))
        buffer.append(byte: UInt8(ascii: " "))
        buffer.append(UnsafeRawBufferPointer(start: bytes + head.reasonRange.lowerBound, count: head.reasonRange.count))
        buffer.append("\r\n")
    }
}
