// The form that programs read: one object a line.

extension AccessLogRecord {
    /// Keys in the fields' order; what is not known is left out.
    func appendJSON(to line: inout LineBuffer, _ fields: [AccessLogField], clock: WallClock) {
        let beginning = line.count
        for field in fields where isKnown(field) {
            line.append(field.jsonKey)
            appendValue(of: field, to: &line, clock: clock)
        }
        if line.count == beginning { line.append(UInt8(ascii: ",")) }
        line.replace(at: beginning, with: UInt8(ascii: "{"))
        line.append(UInt8(ascii: "}"))
    }

    private func isKnown(_ field: AccessLogField) -> Bool {
        switch field {
        case .referer: !referer.isEmpty
        case .userAgent: !userAgent.isEmpty
        case .firstByte: timeToFirstByte != nil
        case .queue: queued > 0
        case .notes: !notes.isEmpty
        case .dns: dns != nil
        case .connect: connect != nil
        case .tls: tls != nil
        case .wait: wait != nil
        case .body: body != nil
        case .backend: backend != nil
        case .failedAttempts: !failedAttempts.isEmpty
        case .reason: reason != nil
        case .traceID: !traceID.isEmpty
        default: true
        }
    }

    private func appendValue(of field: AccessLogField, to line: inout LineBuffer, clock: WallClock) {
        switch field {
        case .time:
            line.append(UInt8(ascii: "\""))
            clock.appendTimestamp(to: &line)
            line.append(UInt8(ascii: "\""))
        case .client: appendString(client, to: &line)
        case .request:
            line.append(UInt8(ascii: "\""))
            line.append(escapedForJSON: method)
            line.append(UInt8(ascii: " "))
            line.append(escapedForJSON: target)
            line.append(UInt8(ascii: "\""))
        case .method: appendString(method, to: &line)
        case .target: appendString(target, to: &line)
        case .protocol:
            line.append(UInt8(ascii: "\""))
            appendProtocol(to: &line)
            line.append(UInt8(ascii: "\""))
        case .host: appendString(host, to: &line)
        case .referer: appendString(referer, to: &line)
        case .userAgent: appendString(userAgent, to: &line)
        case .status: line.append(decimal: UInt64(status))
        case .bytesIn: line.append(decimal: bytesIn)
        case .bytesOut: line.append(decimal: bytesOut)
        case .duration: line.append(milliseconds: duration)
        case .firstByte: line.append(milliseconds: timeToFirstByte ?? 0)
        case .queue: line.append(milliseconds: queued)
        case .dns: line.append(milliseconds: dns ?? 0)
        case .connect: line.append(milliseconds: connect ?? 0)
        case .tls: line.append(milliseconds: tls ?? 0)
        case .wait: line.append(milliseconds: wait ?? 0)
        case .body: line.append(milliseconds: body ?? 0)
        case .backend: appendString(backend ?? "", to: &line)
        case .attempts: line.append(decimal: UInt64(attempts))
        case .failedAttempts: appendFailedAttempts(to: &line)
        case .notes:
            line.append(UInt8(ascii: "["))
            notes.append(to: &line, quote: "\"")
            line.append(UInt8(ascii: "]"))
        case .reason: appendString(reason ?? "", to: &line)
        case .sample: line.append(decimal: UInt64(sample))
        case .id: appendString(requestID, to: &line)
        case .traceID: appendString(traceID, to: &line)
        }
    }

    private func appendString(_ bytes: UnsafeRawBufferPointer, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        line.append(escapedForJSON: bytes)
        line.append(UInt8(ascii: "\""))
    }

    private func appendString(_ text: String, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        line.append(escapedForJSON: text)
        line.append(UInt8(ascii: "\""))
    }

    private func appendFailedAttempts(to line: inout LineBuffer) {
        line.append(UInt8(ascii: "["))
        for (index, attempt) in failedAttempts.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            line.append("{\"backend\":")
            appendString(attempt.backend, to: &line)
            line.append(",\"reason\":")
            appendString(attempt.reason, to: &line)
            if let code = attempt.code {
                line.append(",\"code\":")
                line.append(decimal: UInt64(max(0, code)))
            }
            line.append(",\"text\":")
            appendString(attempt.text, to: &line)
            line.append(",\"ms\":")
            line.append(milliseconds: attempt.nanoseconds)
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "]"))
    }
}
