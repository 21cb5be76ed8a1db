// What we send: the request head as a backend gets it.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO

/// Writes the head that goes upstream for a request that came downstream (RFC 9110 section 7.6).
///
/// Hop-by-hop fields stay behind, framing is said anew, everything else goes on byte for byte and in order. What a client claims
/// about who it is and how it came (`Forwarded`, `X-Forwarded-*`) is not believed: it is replaced by what we saw.
struct UpstreamRequest {
    /// Field lines that never go on as they came.
    private static let replaced: UInt64 =
        FieldName.contentLength.bit | FieldName.xForwardedFor.bit | FieldName.xForwardedProto.bit
        | FieldName.xForwardedHost.bit | FieldName.xForwardedPort.bit | FieldName.xForwardedOther.bit
        | FieldName.forwarded.bit | FieldName.xRealIP.bit

    /// More than everything that is added to a head, names and values together, but for the host, which may be twice
    /// as long as it came.
    static let maximumAddition = 1024 + maximumHost

    /// More than a `Host` of a backend's own takes: a name of DNS, and a port.
    static let maximumHost = 512

    /// The size of the buffers that requests go upstream from: a head that names its host twice, all that can have arrived
    /// with it, and the framing around that.
    static func bufferCapacity(for limits: HeadLimits) -> Int {
        2 * limits.maxHeadBytes + maximumAddition + RequestReader.bufferCapacity(for: limits) + bodyFraming
    }

    /// The most that framing adds to a piece of a body: a chunk's size and ends, and a trailer section that may yet come.
    static let bodyFraming = Buffer.chunkHeadroom + Buffer.chunkTailroom + ChunkedLimits().maxTrailerBytes

    let reader: RequestReader
    let peer: PeerAddress
    /// The `X-Request-Id` to add, when the client sent none.
    let requestID: UnsafeRawBufferPointer
    let isRequestIDNew: Bool
    /// Whether the client's wish for another protocol goes on.
    let isUpgradeAsked: Bool
    /// Our name in `Via`.
    let proxyName: String
    /// The `Host` for a client of HTTP/1.0 that sent none.
    let defaultHost: String
    /// The `Host` that the backend gets in place of the client's; nil for the client's.
    var hostField: String?

    /// Appends the head, with its empty line.
    func write(to buffer: Buffer) { write(reader.head, to: buffer) }

    private func write(_ head: RequestHead, to buffer: Buffer) {
        let fields = head.fields
        let forwardsLeft = head.forwardsLeft
        appendRequestLine(head, to: buffer)

        // An absolute target's authority takes the place of the Host field (RFC 9112 section 3.2.2).
        var dropped = Self.replaced
        if let hostField {
            dropped |= FieldName.host.bit
            buffer.append("Host: ")
            buffer.append(text: hostField)
            buffer.append("\r\n")
        } else if let authority = head.authorityRange {
            dropped |= FieldName.host.bit
            appendHost(reader.headBytes(authority), to: buffer)
        } else if head.hostValueRange == nil {
            buffer.append("Host: ")
            buffer.append(text: defaultHost)
            buffer.append("\r\n")
        }
        if isRequestIDNew { dropped |= FieldName.xRequestID.bit }
        if forwardsLeft != nil { dropped |= FieldName.maxForwards.bit }
        // HTTP/1.0 knows no expectations (RFC 9110 section 10.1.1); what else is expected, the backend is to answer.
        if head.minorVersion == 0 { dropped |= FieldName.expect.bit }
        if fields.names & dropped == 0 {
            buffer.appendLines(of: fields, from: reader.headBytes) { !$0.isHopByHop }
        } else {
            buffer.appendLines(of: fields, from: reader.headBytes) { !$0.isHopByHop && $0.name.bit & dropped == 0 }
        }
        appendOrigin(head, forwardsLeft: forwardsLeft, to: buffer)
        appendConnection(head, to: buffer)
        appendFraming(head.framing, to: buffer)
        buffer.append("\r\n")
    }

    private func appendRequestLine(_ head: RequestHead, to buffer: Buffer) {
        buffer.append(reader.headBytes(head.methodRange))
        buffer.append(byte: UInt8(ascii: " "))
        switch head.pathPrefix {
        case .nothing: break
        case .slash: buffer.append("/")
        case .asterisk: buffer.append("*")
        }
        buffer.append(reader.headBytes(head.pathRange))
        buffer.append(" HTTP/1.1\r\n")
    }

    private func appendHost(_ value: UnsafeRawBufferPointer, to buffer: Buffer) {
        buffer.append("Host: ")
        buffer.append(value)
        buffer.append("\r\n")
    }

    /// Who asks, by which way, under which name.
    ///
    /// - Parameter forwardsLeft: how often the request may still be forwarded, if it says so (RFC 9110 section 7.6.2).
    private func appendOrigin(_ head: RequestHead, forwardsLeft: Int?, to buffer: Buffer) {
        buffer.append("X-Forwarded-For: ")
        let room = UnsafeMutableRawBufferPointer(start: buffer.base + buffer.end, count: PeerAddress.maximumTextLength)
        buffer.end += peer.writeHost(to: room)
        buffer.append("\r\nX-Forwarded-Proto: http\r\n")
        if let authority = head.effectiveAuthorityRange, !authority.isEmpty {
            buffer.append("X-Forwarded-Host: ")
            buffer.append(reader.headBytes(authority))
            buffer.append("\r\n")
        }
        if isRequestIDNew {
            buffer.append("X-Request-Id: ")
            buffer.append(requestID)
            buffer.append("\r\n")
        }
        if let forwardsLeft {
            buffer.append("Max-Forwards: ")
            buffer.append(decimal: UInt64(forwardsLeft - 1))
            buffer.append("\r\n")
        }
        buffer.append(head.minorVersion == 0 ? "Via: 1.0 " : "Via: 1.1 ")
        buffer.append(text: proxyName)
        buffer.append("\r\n")
    }

    /// The hop-by-hop fields that we mean: the wish for another protocol, and that trailers will be passed on.
    private func appendConnection(_ head: RequestHead, to buffer: Buffer) {
        switch (isUpgradeAsked, head.acceptsTrailers) {
        case (false, false): return
        case (false, true): buffer.append("Connection: TE\r\nTE: trailers\r\n")
        case (true, false): buffer.append("Connection: Upgrade\r\n")
        case (true, true): buffer.append("Connection: Upgrade, TE\r\nTE: trailers\r\n")
        }
        if isUpgradeAsked {
            buffer.appendLines(of: head.fields, from: reader.headBytes) { $0.name == .upgrade }
        }
    }

    private func appendFraming(_ framing: MessageFraming, to buffer: Buffer) {
        switch framing {
        case .none, .untilClose:
            break
        case .length(let length):
            buffer.append("Content-Length: ")
            buffer.append(decimal: UInt64(length))
            buffer.append("\r\n")
        case .chunked:
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
    }
}
