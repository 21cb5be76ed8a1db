// What one exchange leaves in the access log, and the two forms of a line.

/// The form of an access log line.
public enum AccessLogFormat: String, Sendable, CaseIterable {
    case text
    case json
}

/// One failed attempt, as the log tells it.
public struct AccessLogAttempt {
    public var backend: String
    /// The label of the failure, from the failure table.
    public var reason: String
    /// libcurl's text, or ours.
    public var text: String
    /// How long the attempt took, in nanoseconds.
    public var nanoseconds: UInt64

    public init(backend: String, reason: String, text: String, nanoseconds: UInt64) {
        self.backend = backend
        self.reason = reason
        self.text = text
        self.nanoseconds = nanoseconds
    }
}

/// What is told of an exchange beside its outcome.
public struct AccessLogNotes: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A further attempt was not made, because too many requests were being repeated.
    public static let retryBudgetExhausted = Self(rawValue: 1 << 0)

    /// The notes with their words.
    private static let words: [(Self, StaticString)] = [(.retryBudgetExhausted, "retry_budget_exhausted")]

    /// Appends the words, with commas between them, each between quotes if any are given.
    fileprivate func append(to line: inout [UInt8], quote: StaticString = "") {
        var isFirst = true
        for (note, word) in Self.words where contains(note) {
            if !isFirst { line.append(UInt8(ascii: ",")) }
            isFirst = false
            line.append(quote)
            line.append(word)
            line.append(quote)
        }
    }
}

/// The facts of one exchange.
///
/// The byte ranges are borrowed for as long as the line is being written.
public struct AccessLogRecord {
    /// The client's address in textual form.
    public var client: UnsafeRawBufferPointer
    /// Empty when no request line could be read.
    public var method: UnsafeRawBufferPointer
    public var target: UnsafeRawBufferPointer
    public var host: UnsafeRawBufferPointer
    public var requestID: UnsafeRawBufferPointer
    /// The status sent to the client; 499 when the client left before one was sent.
    public var status: Int
    /// Body bytes received from and sent to the client, without framing.
    public var bytesIn: UInt64
    public var bytesOut: UInt64
    /// From the request head's end to the response's end, in nanoseconds.
    public var duration: UInt64
    /// From the request head's end to the first response byte handed to the client; nil when there was none.
    public var timeToFirstByte: UInt64?
    /// The backend whose response was used; nil when the answer is our own.
    public var backend: String?
    /// How long the request waited for a place at a backend, in nanoseconds.
    public var queued: UInt64
    /// How often a backend was asked, the successful attempt included.
    public var attempts: Int
    public var failedAttempts: [AccessLogAttempt]
    public var notes: AccessLogNotes
    /// Why the exchange did not end well; nil when it did.
    public var reason: String?

    public init(
        client: UnsafeRawBufferPointer,
        method: UnsafeRawBufferPointer,
        target: UnsafeRawBufferPointer,
        host: UnsafeRawBufferPointer,
        requestID: UnsafeRawBufferPointer,
        status: Int,
        bytesIn: UInt64,
        bytesOut: UInt64,
        duration: UInt64,
        timeToFirstByte: UInt64?,
        backend: String?,
        queued: UInt64 = 0,
        attempts: Int,
        failedAttempts: [AccessLogAttempt],
        notes: AccessLogNotes = [],
        reason: String?
    ) {
        self.client = client
        self.method = method
        self.target = target
        self.host = host
        self.requestID = requestID
        self.status = status
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.duration = duration
        self.timeToFirstByte = timeToFirstByte
        self.backend = backend
        self.queued = queued
        self.attempts = attempts
        self.failedAttempts = failedAttempts
        self.notes = notes
        self.reason = reason
    }
}

extension AccessLogRecord {
    /// Appends the record as one line, its line feed included.
    public func append(to line: inout [UInt8], format: AccessLogFormat, clock: WallClock) {
        switch format {
        case .text: appendText(to: &line, clock: clock)
        case .json: appendJSON(to: &line, clock: clock)
        }
    }

    /// The readable form: time, client, request line, status, then `name=value` pairs.
    private func appendText(to line: inout [UInt8], clock: WallClock) {
        clock.appendTimestamp(to: &line)
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: client)
        line.append(" \"")
        if method.isEmpty {
            line.append("-")
        } else {
            line.append(escapedForText: method)
            line.append(UInt8(ascii: " "))
            line.append(escapedForText: target)
        }
        line.append("\" ")
        line.append(decimal: UInt64(status))
        line.append(" in=")
        line.append(decimal: bytesIn)
        line.append(" out=")
        line.append(decimal: bytesOut)
        line.append(" ms=")
        line.append(milliseconds: duration)
        line.append(" ttfb=")
        if let timeToFirstByte { line.append(milliseconds: timeToFirstByte) } else { line.append("-") }
        line.append(" backend=")
        if let backend { line.append(contentsOf: backend.utf8) } else { line.append("-") }
        if queued > 0 {
            line.append(" queue_ms=")
            line.append(milliseconds: queued)
        }
        line.append(" attempts=")
        line.append(decimal: UInt64(attempts))
        if !failedAttempts.isEmpty {
            line.append(" failed=[")
            for (index, attempt) in failedAttempts.enumerated() {
                if index > 0 { line.append(", ") }
                line.append(contentsOf: attempt.backend.utf8)
                line.append(UInt8(ascii: " "))
                line.append(contentsOf: attempt.reason.utf8)
                line.append(UInt8(ascii: " "))
                line.append(milliseconds: attempt.nanoseconds)
                line.append("ms \"")
                var text = attempt.text
                text.withUTF8 { line.append(escapedForText: UnsafeRawBufferPointer($0)) }
                line.append("\"")
            }
            line.append("]")
        }
        if !notes.isEmpty {
            line.append(" notes=")
            notes.append(to: &line)
        }
        if let reason {
            line.append(" reason=")
            line.append(contentsOf: reason.utf8)
        }
        line.append(" id=")
        line.append(escapedForText: requestID)
        line.append(UInt8(ascii: "\n"))
    }

    private func appendJSON(to line: inout [UInt8], clock: WallClock) {
        line.append("{\"time\":\"")
        clock.appendTimestamp(to: &line)
        line.append("\",\"client\":\"")
        line.append(contentsOf: client)
        line.append("\",\"method\":\"")
        line.append(escapedForJSON: method)
        line.append("\",\"target\":\"")
        line.append(escapedForJSON: target)
        line.append("\",\"host\":\"")
        line.append(escapedForJSON: host)
        line.append("\",\"status\":")
        line.append(decimal: UInt64(status))
        line.append(",\"bytes_in\":")
        line.append(decimal: bytesIn)
        line.append(",\"bytes_out\":")
        line.append(decimal: bytesOut)
        line.append(",\"duration_ms\":")
        line.append(milliseconds: duration)
        if let timeToFirstByte {
            line.append(",\"ttfb_ms\":")
            line.append(milliseconds: timeToFirstByte)
        }
        if let backend {
            line.append(",\"backend\":\"")
            line.append(escapedForJSON: backend)
            line.append("\"")
        }
        if queued > 0 {
            line.append(",\"queue_ms\":")
            line.append(milliseconds: queued)
        }
        line.append(",\"attempts\":")
        line.append(decimal: UInt64(attempts))
        if !failedAttempts.isEmpty {
            line.append(",\"failed_attempts\":[")
            for (index, attempt) in failedAttempts.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                line.append("{\"backend\":\"")
                line.append(escapedForJSON: attempt.backend)
                line.append("\",\"reason\":\"")
                line.append(contentsOf: attempt.reason.utf8)
                line.append("\",\"text\":\"")
                line.append(escapedForJSON: attempt.text)
                line.append("\",\"ms\":")
                line.append(milliseconds: attempt.nanoseconds)
                line.append("}")
            }
            line.append("]")
        }
        if !notes.isEmpty {
            line.append(",\"notes\":[")
            notes.append(to: &line, quote: "\"")
            line.append("]")
        }
        if let reason {
            line.append(",\"reason\":\"")
            line.append(contentsOf: reason.utf8)
            line.append("\"")
        }
        line.append(",\"id\":\"")
        line.append(escapedForJSON: requestID)
        line.append("\"}\n")
    }
}

extension [UInt8] {
    fileprivate mutating func append(escapedForJSON text: String) {
        var text = text
        text.withUTF8 { append(escapedForJSON: UnsafeRawBufferPointer($0)) }
    }
}
