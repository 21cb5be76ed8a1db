// What we send: the request head as a backend gets it.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import MessageIO
internal import Telemetry

/// Writes the head that goes upstream for a request that came downstream (RFC 9110 section 7.6).
///
/// Hop-by-hop fields stay behind, framing is said anew, everything else goes on byte for byte and in order. What a client claims
/// about who it is and how it came (`Forwarded`, `X-Forwarded-*`) is not believed: it is replaced by what we saw. What a trusted
/// proxy claims goes on (`X-Forwarded-*`), with its own address behind those that it names.
struct UpstreamRequest {
    /// Field lines that never go on as they came.
    private static let replaced: UInt64 =
        FieldName.contentLength.bit | FieldName.xForwardedFor.bit | FieldName.xForwardedProto.bit
        | FieldName.xForwardedHost.bit | FieldName.xForwardedPort.bit | FieldName.xForwardedOther.bit
        | FieldName.forwarded.bit | FieldName.xRealIP.bit

    /// Those of a trusted proxy.
    ///
    /// It has set what we take its word for; what it may have let through from its client stays behind.
    private static let replacedOfTrusted: UInt64 =
        FieldName.contentLength.bit | FieldName.xForwardedFor.bit | FieldName.forwarded.bit | FieldName.xRealIP.bit

    /// More than everything that is added to a head, names and values together, but for the host, which may be twice
    /// as long as it came.
    static let maximumAddition = 1024 + maximumHost

    /// More than a `Host` of a backend's own takes: a name of DNS, and a port.
    static let maximumHost = 512

    /// The longest host that `Forwarded` tells; no name is longer (RFC 1035 section 2.3.4), even with a port behind it.
    private static let longestForwardedHost = 261

    /// The size of the buffers that requests go upstream from: a head that names its host twice, all that can have arrived
    /// with it, and the framing around that.
    static func bufferCapacity(for limits: HeadLimits) -> Int {
        2 * limits.maxHeadBytes + maximumAddition + RequestReader.bufferCapacity(for: limits) + bodyFraming
    }

    /// The most that framing adds to a piece of a body: a chunk's size and ends, and a trailer section that may yet come.
    static let bodyFraming = Buffer.chunkHeadroom + Buffer.chunkTailroom + ChunkedLimits().maxTrailerBytes

    let reader: RequestReader
    let peer: PeerAddress
    /// Whether the peer is a proxy that is believed about its clients.
    var isPeerTrusted = false
    /// Whether `Forwarded` is sent beside `X-Forwarded-For` (RFC 7239).
    var addsForwarded = false
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
    /// What the backend gets in place of the client's `traceparent`; nil passes that on.
    var traceContext: TraceContext?
    /// Whether the trace begins here: then a `tracestate` belongs to none (W3C trace context, section 4.3).
    var beginsTrace = false

    /// Appends the head, with its empty line.
    func write(to buffer: Buffer) { write(reader.head, to: buffer) }

    private func write(_ head: RequestHead, to buffer: Buffer) {
        let fields = head.fields
        let forwardsLeft = reader.forwardsLeft
        appendRequestLine(head, to: buffer)

        // An absolute target's authority takes the place of the Host field (RFC 9112 section 3.2.2).
        var dropped = isPeerTrusted ? Self.replacedOfTrusted : Self.replaced
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
        if traceContext != nil { dropped |= FieldName.traceparent.bit }
        if beginsTrace { dropped |= FieldName.tracestate.bit }
        if isPeerTrusted, fields.contains(.xForwardedOther) {
            buffer.appendLines(of: fields, from: reader.headBytes) {
                !$0.isHopByHop && $0.name.bit & dropped == 0 && !isDisguised($0)
            }
        } else if fields.names & dropped == 0 {
            buffer.appendLines(of: fields, from: reader.headBytes) { !$0.isHopByHop }
        } else {
            buffer.appendLines(of: fields, from: reader.headBytes) { !$0.isHopByHop && $0.name.bit & dropped == 0 }
        }
        appendOrigin(head, forwardsLeft: forwardsLeft, to: buffer)
        appendConnection(head, to: buffer)
        appendFraming(head.framing, to: buffer)
        appendTraceparent(to: buffer)
        buffer.append("\r\n")
    }

    private func appendTraceparent(to buffer: Buffer) {
        guard let traceContext else { return }
        buffer.append("traceparent: ")
        precondition(buffer.room >= TraceContext.length, "the value fits")
        traceContext.write(
            to: UnsafeMutableRawBufferPointer(start: buffer.base + buffer.end, count: TraceContext.length)
        )
        buffer.end += TraceContext.length
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

    /// Whether a field's name has `_` where that of a claim has `-`: what gateways in the manner of CGI take for the other, and
    /// proxies that set the one let through.
    private func isDisguised(_ line: FieldLine) -> Bool {
        line.name == .xForwardedOther && reader.headBytes(line.nameRange).contains(UInt8(ascii: "_"))
    }

    /// Whether a trusted proxy has said it already.
    private func hasTold(_ name: FieldName, _ fields: FieldSection) -> Bool {
        isPeerTrusted && fields.contains(name)
    }

    /// Appends what a trusted proxy says of those before it, as one list; false when it says nothing.
    private func appendTold(_ name: FieldName, _ fields: FieldSection, to buffer: Buffer) -> Bool {
        guard isPeerTrusted, fields.contains(name) else { return false }
        var isFirst = true
        for index in 0..<fields.count {
            let line = fields.lines[index]
            guard line.name == name, !line.valueRange.isEmpty else { continue }
            if !isFirst { buffer.append(", ") }
            buffer.append(reader.headBytes(line.valueRange))
            isFirst = false
        }
        return !isFirst
    }

    private func appendPeer(to buffer: Buffer) {
        let room = UnsafeMutableRawBufferPointer(start: buffer.base + buffer.end, count: PeerAddress.maximumTextLength)
        buffer.end += peer.writeHost(to: room)
    }

    /// Who asks, by which way, under which name.
    ///
    /// - Parameter forwardsLeft: how often the request may still be forwarded, if it says so (RFC 9110 section 7.6.2).
    private func appendOrigin(_ head: RequestHead, forwardsLeft: Int?, to buffer: Buffer) {
        buffer.append("X-Forwarded-For: ")
        let isTold = appendTold(.xForwardedFor, head.fields, to: buffer)
        // A proxy at a Unix-domain socket has no address that could follow.
        if !isTold || peer.family != .unix {
            if isTold { buffer.append(", ") }
            appendPeer(to: buffer)
        }
        buffer.append("\r\n")
        if !hasTold(.xForwardedProto, head.fields) { buffer.append("X-Forwarded-Proto: http\r\n") }
        if let authority = head.effectiveAuthorityRange, !authority.isEmpty, !hasTold(.xForwardedHost, head.fields) {
            buffer.append("X-Forwarded-Host: ")
            buffer.append(reader.headBytes(authority))
            buffer.append("\r\n")
        }
        if addsForwarded { appendForwarded(head, to: buffer) }
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

    /// The same in one field (RFC 7239 section 4): an IPv6 address and a host with a port need quotes.
    private func appendForwarded(_ head: RequestHead, to buffer: Buffer) {
        buffer.append("Forwarded: ")
        if appendTold(.forwarded, head.fields, to: buffer) { buffer.append(", ") }
        buffer.append("for=")
        switch peer.family {
        case .unix: buffer.append("unknown")
        case .ipv4: appendPeer(to: buffer)
        case .ipv6:
            buffer.append("\"[")
            appendPeer(to: buffer)
            buffer.append("]\"")
        }
        if let authority = head.effectiveAuthorityRange, !authority.isEmpty,
            authority.count <= Self.longestForwardedHost
        {
            buffer.append(";host=\"")
            buffer.append(reader.headBytes(authority))
            buffer.append("\"")
        }
        buffer.append(";proto=http\r\n")
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
