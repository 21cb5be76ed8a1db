// The forms that are made of chosen fields: an object a line for programs, words and columns for people.

extension AccessLogRecord {
    /// One object; what is not known is left out.
    func appendJSON(to line: inout LineBuffer, _ style: AccessLogStyle, clock: WallClock) {
        line.append(UInt8(ascii: "{"))
        let beginning = line.count
        for index in 0..<style.partCount { append(style.parts + index, to: &line, escape: "\\u00", clock: clock) }
        if line.count > beginning {
            line.replaceLast(with: UInt8(ascii: "}"))
        } else {
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "\n"))
    }

    /// One space between fields; what is not known is a dash, or left out where it would mostly be.
    func appendText(to line: inout LineBuffer, _ style: AccessLogStyle, clock: WallClock) {
        let beginning = line.count
        if style.isForTerminal {
            for index in 0..<style.partCount { appendColumn(style.parts + index, to: &line, clock: clock) }
        } else {
            for index in 0..<style.partCount { append(style.parts + index, to: &line, escape: "\\x", clock: clock) }
        }
        if line.count > beginning {
            line.replaceLast(with: UInt8(ascii: "\n"))
        } else {
            line.append(UInt8(ascii: "\n"))
        }
    }

    /// A field, unless it is not known and left out then.
    @inline(__always)
    private func append(
        _ part: UnsafePointer<AccessLogPart>,
        to line: inout LineBuffer,
        escape: StaticString,
        clock: WallClock
    ) {
        switch part.pointee.kind {
        case .text: appendText(texts[Int(part.pointee.index)], part, to: &line, escape: escape)
        case .number: appendNumber(numbers[Int(part.pointee.index)], part, to: &line)
        case .time: appendTime(times[Int(part.pointee.index)], part, to: &line)
        case .other: appendOther(part, to: &line, escape: escape, clock: clock)
        }
    }

    @inline(never)
    private func appendOther(
        _ part: UnsafePointer<AccessLogPart>,
        to line: inout LineBuffer,
        escape: StaticString,
        clock: WallClock
    ) {
        switch part.pointee.field {
        case .time:
            line.append(part.pointee.prefix)
            clock.appendTimestamp(to: &line, turn: turn)
            line.append(part.pointee.suffix)
        case .request: appendRequest(part, to: &line, escape: escape)
        case .protocol:
            line.append(part.pointee.prefix)
            appendProtocol(to: &line)
            line.append(part.pointee.suffix)
        case .failedAttempts: if !failedAttempts.isEmpty { appendFailedAttempts(part, to: &line) }
        case .notes: if !notes.isEmpty { appendNotes(part, to: &line) }
        default: appendReason(part, to: &line)
        }
    }

    // MARK: Values

    @inline(__always)
    private func appendText(
        _ bytes: UnsafeRawBufferPointer,
        _ part: UnsafePointer<AccessLogPart>,
        to line: inout LineBuffer,
        escape: StaticString
    ) {
        guard !bytes.isEmpty else {
            appendUnknown(part, to: &line)
            return
        }
        var place = line.place(for: 2 * ShortText.capacity + bytes.count)
        place.write(part.pointee.prefix)
        let plain = place.writePlain(bytes)
        if plain < bytes.count {
            line.end(at: place)
            line.appendEscaping(UnsafeRawBufferPointer(rebasing: bytes[plain...]), escape: escape)
            place = line.place(for: ShortText.capacity)
        }
        place.write(part.pointee.suffix)
        line.end(at: place)
    }

    @inline(__always)
    private func appendNumber(_ number: UInt64, _ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        var place = line.place(for: 2 * ShortText.capacity + TextPlace.mostDigits)
        place.write(part.pointee.prefix)
        place.write(decimal: number)
        place.write(part.pointee.suffix)
        line.end(at: place)
    }

    @inline(__always)
    private func appendTime(_ nanoseconds: UInt64, _ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        guard nanoseconds != Self.unknown else {
            appendUnknown(part, to: &line)
            return
        }
        var place = line.place(for: 2 * ShortText.capacity + TextPlace.mostDigits + 1)
        place.write(part.pointee.prefix)
        place.write(milliseconds: nanoseconds)
        place.write(part.pointee.suffix)
        line.end(at: place)
    }

    private func appendUnknown(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        guard part.pointee.whenUnknown != .nothing else { return }
        line.append(part.pointee.prefix)
        if part.pointee.whenUnknown == .dash { line.append(UInt8(ascii: "-")) }
        line.append(part.pointee.suffix)
    }

    private func appendRequest(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer, escape: StaticString) {
        guard !method.isEmpty else {
            appendUnknown(part, to: &line)
            return
        }
        line.append(part.pointee.prefix)
        line.append(method, escape: escape)
        line.append(UInt8(ascii: " "))
        line.append(target, escape: escape)
        line.append(part.pointee.suffix)
    }

    private func appendReason(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        guard let reason else {
            appendUnknown(part, to: &line)
            return
        }
        line.append(part.pointee.prefix)
        line.append(reason)
        line.append(part.pointee.suffix)
    }

    private func appendNotes(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        line.append(part.pointee.prefix)
        if part.pointee.isJSON { line.append(UInt8(ascii: "[")) }
        notes.append(to: &line, quote: part.pointee.isJSON ? "\"" : "")
        if part.pointee.isJSON { line.append(UInt8(ascii: "]")) }
        line.append(part.pointee.suffix)
    }

    /// Backend, reason, libcurl's number, libcurl's text and time of each; in text: `[a connection_refused 7 "…" 0.400ms]`.
    private func appendFailedAttempts(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer) {
        line.append(part.pointee.prefix)
        line.append(UInt8(ascii: "["))
        for (index, attempt) in failedAttempts.enumerated() {
            if index > 0 { line.append(part.pointee.isJSON ? "," : ", ") }
            if part.pointee.isJSON { appendObject(attempt, to: &line) } else { appendWords(attempt, to: &line) }
        }
        line.append(UInt8(ascii: "]"))
        line.append(part.pointee.suffix)
    }

    private func appendObject(_ attempt: AccessLogAttempt, to line: inout LineBuffer) {
        line.append("{\"backend\":\"")
        line.append(escapedForJSON: attempt.backend)
        line.append("\",\"reason\":\"")
        line.append(escapedForJSON: attempt.reason)
        if let code = attempt.code {
            line.append("\",\"code\":")
            line.append(decimal: UInt64(max(0, code)))
            line.append(",\"text\":\"")
        } else {
            line.append("\",\"text\":\"")
        }
        line.append(escapedForJSON: attempt.text)
        line.append("\",\"ms\":")
        line.append(milliseconds: attempt.nanoseconds)
        line.append(UInt8(ascii: "}"))
    }

    private func appendWords(_ attempt: AccessLogAttempt, to line: inout LineBuffer) {
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

    func appendProtocol(to line: inout LineBuffer) {
        line.append("HTTP/1.")
        line.append(decimal: UInt64(minorVersion))
    }

    // MARK: For a terminal

    /// A field in its column: fields of several lines stand under one another, and what went wrong stands out.
    private func appendColumn(_ part: UnsafePointer<AccessLogPart>, to line: inout LineBuffer, clock: WallClock) {
        let beginning = line.count
        let color = color(of: part.pointee.field)
        if let color { line.append(color) }
        let start = line.count
        append(part, to: &line, escape: "\\x", clock: clock)
        guard line.count > start else {
            line.truncate(to: beginning)
            return
        }
        // What separates it from the next one stands behind its column.
        line.truncate(to: line.count - 1)
        line.pad(from: start, to: part.pointee.field.columns)
        if color != nil { line.append("\u{1B}[0m") }
        line.append(UInt8(ascii: " "))
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
}
