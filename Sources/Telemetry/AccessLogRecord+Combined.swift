// Apache's combined form, which many programs read.

extension AccessLogRecord {
    /// Apache's `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`.
    ///
    /// Source: httpd.apache.org/docs/2.4/logs.html.
    func appendCombined(_ facts: UnsafePointer<AccessLogFacts>, to line: inout LineBuffer, clock: WallClock) {
        line.append(host(of: facts.pointee.client))
        line.append(" - - [")
        clock.appendLogTime(to: &line, at: facts.pointee.end)
        line.append("] \"")
        if facts.pointee.method.isEmpty {
            line.append("-")
        } else {
            line.append(escapedForText: facts.pointee.method)
            line.append(UInt8(ascii: " "))
            line.append(escapedForText: facts.pointee.target)
            line.append(UInt8(ascii: " "))
            appendProtocol(facts, to: &line)
        }
        line.append("\" ")
        line.append(decimal: facts.pointee.status)
        line.append(UInt8(ascii: " "))
        if facts.pointee.bytesOut > 0 { line.append(decimal: facts.pointee.bytesOut) } else { line.append("-") }
        line.append(UInt8(ascii: " "))
        appendQuoted(facts.pointee.referer, to: &line)
        line.append(UInt8(ascii: " "))
        appendQuoted(facts.pointee.userAgent, to: &line)
        line.append(UInt8(ascii: "\n"))
    }

    private func appendQuoted(_ bytes: UnsafeRawBufferPointer, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        if bytes.isEmpty { line.append("-") } else { line.append(escapedForText: bytes) }
        line.append(UInt8(ascii: "\""))
    }

    /// The client without its port, and an IPv6 address without brackets.
    private func host(of client: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if client.first == UInt8(ascii: "["), let end = client.lastIndex(of: UInt8(ascii: "]")) {
            return UnsafeRawBufferPointer(rebasing: client[1..<end])
        }
        // Without a port an IPv6 address has no brackets, and colons of its own.
        guard let colon = client.lastIndex(of: UInt8(ascii: ":")), client.firstIndex(of: UInt8(ascii: ":")) == colon
        else {
            return client
        }
        return UnsafeRawBufferPointer(rebasing: client[..<colon])
    }
}
