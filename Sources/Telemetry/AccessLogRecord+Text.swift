// The forms that people read: fields with their names, in columns and colour on a terminal, and Apache's combined form.

extension AccessLogRecord {
    /// One space between fields; what is not known is a dash, or left out where it would mostly be.
    func appendText(to line: inout LineBuffer, _ fields: [AccessLogField], clock: WallClock) {
        var isFirst = true
        for field in fields where isShown(field) {
            if !isFirst { line.append(UInt8(ascii: " ")) }
            isFirst = false
            appendField(field, to: &line, clock: clock)
        }
    }

    /// The same for a terminal: fields stand under one another, and what went wrong stands out.
    func appendColumns(to line: inout LineBuffer, _ fields: [AccessLogField], clock: WallClock) {
        var isFirst = true
        for field in fields where isShown(field) {
            if !isFirst { line.append(UInt8(ascii: " ")) }
            isFirst = false
            let color = color(of: field)
            if let color { line.append(color) }
            let start = line.count
            appendField(field, to: &line, clock: clock)
            line.pad(from: start, to: field.columns)
            if color != nil { line.append("\u{1B}[0m") }
        }
    }

    /// The sequence of ECMA-48 that a field begins with on a terminal.
    private func color(of field: AccessLogField) -> StaticString? {
        switch field {
        case .time, .id, .traceID: "\u{1B}[2m"
        case .status:
            switch status {
            case ..<300: "\u{1B}[32m"
            case ..<400: "\u{1B}[36m"
            case ..<500: "\u{1B}[33m"
            default: "\u{1B}[31m"
            }
        case .failedAttempts: "\u{1B}[33m"
        case .reason: "\u{1B}[31m"
        default: nil
        }
    }

    private func isShown(_ field: AccessLogField) -> Bool {
        switch field {
        case .queue: queued > 0
        case .notes: !notes.isEmpty
        case .dns: dns != nil
        case .connect: connect != nil
        case .tls: tls != nil
        case .wait: wait != nil
        case .body: body != nil
        case .reason: reason != nil
        case .traceID: !traceID.isEmpty
        case .failedAttempts: !failedAttempts.isEmpty
        default: true
        }
    }

    private func appendField(_ field: AccessLogField, to line: inout LineBuffer, clock: WallClock) {
        if let key = field.textKey { line.append(key) }
        switch field {
        case .time: clock.appendTimestamp(to: &line)
        case .client: line.append(client)
        case .request: appendRequest(to: &line)
        case .method: appendQuoted(method, to: &line)
        case .target: appendQuoted(target, to: &line)
        case .protocol: appendProtocol(to: &line)
        case .host: appendQuoted(host, to: &line)
        case .referer: appendQuoted(referer, to: &line)
        case .userAgent: appendQuoted(userAgent, to: &line)
        case .status: line.append(decimal: UInt64(status))
        case .bytesIn: line.append(decimal: bytesIn)
        case .bytesOut: line.append(decimal: bytesOut)
        case .duration: line.append(milliseconds: duration)
        case .firstByte: appendTime(timeToFirstByte, to: &line)
        case .queue: line.append(milliseconds: queued)
        case .dns: appendTime(dns, to: &line)
        case .connect: appendTime(connect, to: &line)
        case .tls: appendTime(tls, to: &line)
        case .wait: appendTime(wait, to: &line)
        case .body: appendTime(body, to: &line)
        case .backend: if let backend { line.append(escapedForText: backend) } else { line.append("-") }
        case .attempts: line.append(decimal: UInt64(attempts))
        case .failedAttempts: appendFailedAttempts(to: &line)
        case .notes: notes.append(to: &line)
        case .reason: if let reason { line.append(reason) } else { line.append("-") }
        case .sample: line.append(decimal: UInt64(sample))
        case .id: line.append(escapedForText: requestID)
        case .traceID: line.append(escapedForText: traceID)
        }
    }

    private func appendTime(_ nanoseconds: UInt64?, to line: inout LineBuffer) {
        if let nanoseconds { line.append(milliseconds: nanoseconds) } else { line.append("-") }
    }

    private func appendQuoted(_ bytes: UnsafeRawBufferPointer, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        if bytes.isEmpty { line.append("-") } else { line.append(escapedForText: bytes) }
        line.append(UInt8(ascii: "\""))
    }

    private func appendRequest(to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        if method.isEmpty {
            line.append("-")
        } else {
            line.append(escapedForText: method)
            line.append(UInt8(ascii: " "))
            line.append(escapedForText: target)
        }
        line.append(UInt8(ascii: "\""))
    }

    func appendProtocol(to line: inout LineBuffer) {
        line.append("HTTP/1.")
        line.append(decimal: UInt64(minorVersion))
    }

    /// Backend, reason, libcurl's number, libcurl's text and time of each: `[a connection_refused 7 "…" 0.400ms]`.
    private func appendFailedAttempts(to line: inout LineBuffer) {
        line.append(UInt8(ascii: "["))
        for (index, attempt) in failedAttempts.enumerated() {
            if index > 0 { line.append(", ") }
            line.append(escapedForText: attempt.backend)
            line.append(UInt8(ascii: " "))
            line.append(attempt.reason)
            line.append(UInt8(ascii: " "))
            if let code = attempt.code { line.append(decimal: UInt64(max(0, code))) } else { line.append("-") }
            line.append(" \"")
            line.append(escapedForText: attempt.text)
            line.append("\" ")
            line.append(milliseconds: attempt.nanoseconds)
            line.append("ms")
        }
        line.append(UInt8(ascii: "]"))
    }

    // MARK: Combined

    /// Apache's `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`.
    ///
    /// Source: httpd.apache.org/docs/2.4/logs.html.
    func appendCombined(to line: inout LineBuffer, clock: WallClock) {
        line.append(clientHost)
        line.append(" - - [")
        clock.appendLogTime(to: &line)
        line.append("] \"")
        if method.isEmpty {
            line.append("-")
        } else {
            line.append(escapedForText: method)
            line.append(UInt8(ascii: " "))
            line.append(escapedForText: target)
            line.append(UInt8(ascii: " "))
            appendProtocol(to: &line)
        }
        line.append("\" ")
        line.append(decimal: UInt64(status))
        line.append(UInt8(ascii: " "))
        if bytesOut > 0 { line.append(decimal: bytesOut) } else { line.append("-") }
        line.append(UInt8(ascii: " "))
        appendQuoted(referer, to: &line)
        line.append(UInt8(ascii: " "))
        appendQuoted(userAgent, to: &line)
    }

    /// The client without its port, and an IPv6 address without brackets.
    private var clientHost: UnsafeRawBufferPointer {
        if client.first == UInt8(ascii: "["), let end = client.lastIndex(of: UInt8(ascii: "]")) {
            return UnsafeRawBufferPointer(rebasing: client[1..<end])
        }
        guard let colon = client.lastIndex(of: UInt8(ascii: ":")) else { return client }
        return UnsafeRawBufferPointer(rebasing: client[..<colon])
    }
}
