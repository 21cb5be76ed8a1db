// The forms that are made of chosen fields: an object a line for programs, words and columns for people.

extension AccessLogRecord {
    /// One object; what is not known is left out.
    func appendJSON(
        _ facts: UnsafePointer<AccessLogFacts>,
        to line: inout LineBuffer,
        _ style: AccessLogStyle,
        clock: WallClock
    ) {
        line.append(UInt8(ascii: "{"))
        let beginning = line.count
        append(facts, style, parts(of: style), to: &line, escape: "\\u00", clock: clock)
        if line.count > beginning {
            line.replaceLast(with: UInt8(ascii: "}"))
        } else {
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "\n"))
    }

    /// One space between fields; what is not known is a dash, or left out where it would mostly be.
    func appendText(
        _ facts: UnsafePointer<AccessLogFacts>,
        to line: inout LineBuffer,
        _ style: AccessLogStyle,
        clock: WallClock
    ) {
        let beginning = line.count
        let parts = parts(of: style)
        if style.isForTerminal {
            for index in 0..<parts.count { appendColumn(facts, style, parts[index], to: &line, clock: clock) }
        } else {
            append(facts, style, parts, to: &line, escape: "\\x", clock: clock)
        }
        if line.count > beginning {
            line.replaceLast(with: UInt8(ascii: "\n"))
        } else {
            line.append(UInt8(ascii: "\n"))
        }
    }

    // MARK: Fields

    /// Those that the line may have.
    private func parts(of style: AccessLogStyle) -> AccessLogParts { isRemarkable ? style.parts : style.plainParts }

    /// The most that a field takes whose length is not that of bytes of the facts.
    private static let fieldLength =
        2 * ShortText.capacity
        + max(TextPlace.mostDigits + 1, TextPlace.identifierLength, WallClock.timestampLength)

    /// The fields one after the other, but for those that are not known and left out then.
    ///
    /// Room is made for all of them at once: what is written does not look at the memory's end.
    @inline(__always)
    private func append(
        _ facts: UnsafePointer<AccessLogFacts>,
        _ style: AccessLogStyle,
        _ parts: AccessLogParts,
        to line: inout LineBuffer,
        escape: StaticString,
        clock: WallClock
    ) {
        let room = parts.count &* Self.fieldLength &+ facts.pointee.length(withProgram: style.namesClientProgram)
        var place = line.place(for: room)
        for index in 0..<parts.count {
            let part = parts.start + index
            let fact = UnsafeRawPointer(facts) + part.pointee.offset
            switch part.pointee.kind {
            case .clock:
                place.write(part.pointee.prefix)
                clock.writeTimestamp(to: &place, at: facts.pointee.end)
            case .plain, .bytes:
                let bytes = fact.load(as: UnsafeRawBufferPointer.self)
                guard !bytes.isEmpty else {
                    writeUnknown(part, to: &place)
                    continue
                }
                place.write(part.pointee.prefix)
                guard part.pointee.kind == .bytes else {
                    place.write(bytes)
                    break
                }
                let plain = place.writePlain(bytes)
                if plain < bytes.count {
                    line.end(at: place)
                    line.appendEscaping(UnsafeRawBufferPointer(rebasing: bytes[plain...]), escape: escape)
                    place = line.place(for: room)
                }
            case .number:
                place.write(part.pointee.prefix)
                place.write(decimal: fact.load(as: UInt64.self))
            case .duration:
                guard let nanoseconds = fact.load(as: LoggedDuration.self).nanoseconds else {
                    writeUnknown(part, to: &place)
                    continue
                }
                place.write(part.pointee.prefix)
                place.write(milliseconds: nanoseconds)
            case .identifier:
                let (word, number) = (facts.pointee.requestID, facts.pointee.requestNumber)
                guard number != (0, 0) || !word.isEmpty else {
                    writeUnknown(part, to: &place)
                    continue
                }
                place.write(part.pointee.prefix)
                if word.isEmpty { place.write(hexadecimal: number) } else { place.write(word) }
            case .remark, .composed:
                line.end(at: place)
                appendComposed(facts, part, to: &line, escape: escape)
                place = line.place(for: room)
                continue
            }
            part.pointee.writeSuffix(to: &place)
        }
        line.end(at: place)
    }

    @inline(__always)
    private func writeUnknown(_ part: UnsafePointer<AccessLogPart>, to place: inout TextPlace) {
        guard part.pointee.whenUnknown != .nothing else { return }
        place.write(part.pointee.prefix)
        if part.pointee.whenUnknown == .dash { place.write(UInt8(ascii: "-")) }
        part.pointee.writeSuffix(to: &place)
    }

    // MARK: What is put together

    @inline(never)
    private func appendComposed(
        _ facts: UnsafePointer<AccessLogFacts>,
        _ part: UnsafePointer<AccessLogPart>,
        to line: inout LineBuffer,
        escape: StaticString
    ) {
        let isKnown =
            switch part.pointee.field {
            case .request: !facts.pointee.method.isEmpty
            case .failedAttempts: !failedAttempts.isEmpty
            case .notes: !notes.isEmpty
            case .reason: reason != nil
            default: true
            }
        guard isKnown else {
            var place = line.place(for: Self.fieldLength)
            writeUnknown(part, to: &place)
            line.end(at: place)
            return
        }
        line.append(part.pointee.prefix)
        switch part.pointee.field {
        case .request:
            line.append(facts.pointee.method, escape: escape)
            line.append(UInt8(ascii: " "))
            line.append(facts.pointee.target, escape: escape)
        case .failedAttempts: appendFailedAttempts(asJSON: part.pointee.isJSON, to: &line)
        case .notes:
            if part.pointee.isJSON { line.append(UInt8(ascii: "[")) }
            notes.append(to: &line, quote: part.pointee.isJSON ? "\"" : "")
            if part.pointee.isJSON { line.append(UInt8(ascii: "]")) }
        case .reason: line.append(reason ?? "")
        default: appendProtocol(facts, to: &line)
        }
        var place = line.place(for: ShortText.capacity)
        part.pointee.writeSuffix(to: &place)
        line.end(at: place)
    }

    /// Backend, reason, libcurl's number, libcurl's text and time of each; in text: `[a connection_refused 7 "…" 0.400ms]`.
    private func appendFailedAttempts(asJSON isJSON: Bool, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "["))
        for (index, attempt) in failedAttempts.enumerated() {
            if index > 0 { line.append(isJSON ? "," : ", ") }
            if isJSON { appendObject(attempt, to: &line) } else { appendWords(attempt, to: &line) }
        }
        line.append(UInt8(ascii: "]"))
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

    func appendProtocol(_ facts: UnsafePointer<AccessLogFacts>, to line: inout LineBuffer) {
        line.append("HTTP/1.")
        line.append(decimal: UInt64(facts.pointee.minorVersion))
    }

    // MARK: For a terminal

    /// A field in its column: fields of several lines stand under one another, and what went wrong stands out.
    private func appendColumn(
        _ facts: UnsafePointer<AccessLogFacts>,
        _ style: AccessLogStyle,
        _ parts: AccessLogParts,
        to line: inout LineBuffer,
        clock: WallClock
    ) {
        let beginning = line.count
        let field = parts.start.pointee.field
        let color = color(of: field, facts.pointee.status)
        if let color { line.append(color) }
        let start = line.count
        append(facts, style, parts, to: &line, escape: "\\x", clock: clock)
        guard line.count > start else {
            line.truncate(to: beginning)
            return
        }
        // What separates it from the next one stands behind its column.
        line.truncate(to: line.count - 1)
        line.pad(from: start, to: field.columns)
        if color != nil { line.append("\u{1B}[0m") }
        line.append(UInt8(ascii: " "))
    }

    /// The sequence of ECMA-48 that a field begins with on a terminal.
    private func color(of field: AccessLogField, _ status: UInt64) -> StaticString? {
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
