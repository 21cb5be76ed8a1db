// What one exchange leaves in the access log.

/// One failed attempt, as the log tells it.
public struct AccessLogAttempt: Sendable {
    public var backend: String
    /// The label of the failure, from the failure table.
    public var reason: String
    /// libcurl's number for it; nil where libcurl had nothing to report.
    public var code: Int32?
    /// libcurl's text, or ours.
    public var text: String
    /// How long the attempt took, in nanoseconds.
    public var nanoseconds: UInt64

    public init(backend: String, reason: String, code: Int32? = nil, text: String, nanoseconds: UInt64) {
        self.backend = backend
        self.reason = reason
        self.code = code
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

    /// A second backend was asked while the first one had not answered.
    public static let hedged = Self(rawValue: 1 << 1)
    /// And it was the one that answered.
    public static let hedgeWon = Self(rawValue: 1 << 2)

    /// The notes with their words.
    private static let words: [(Self, StaticString)] = [
        (.retryBudgetExhausted, "retry_budget_exhausted"), (.hedged, "hedged"), (.hedgeWon, "hedge_won"),
    ]

    /// Appends the words, with commas between them, each between quotes if any are given.
    func append(to line: inout LineBuffer, quote: StaticString = "") {
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

/// The facts of one exchange; durations in nanoseconds.
///
/// The byte ranges are borrowed for as long as the line is being written.
public struct AccessLogRecord {
    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// The client's address and port in textual form.
    public var client = nothing
    /// Empty when no request line could be read.
    public var method = nothing
    public var target = nothing
    /// The minor version of HTTP/1 that the client spoke.
    public var minorVersion: UInt8 = 1
    public var host = nothing
    public var referer = nothing
    public var userAgent = nothing
    public var requestID = nothing
    /// Empty when the request belongs to no trace.
    public var traceID = nothing
    /// The status sent to the client; 499 when the client left before one was sent.
    public var status = 0
    /// Body bytes received from and sent to the client, without framing.
    public var bytesIn: UInt64 = 0
    public var bytesOut: UInt64 = 0
    /// From the request head's end to the response's end.
    public var duration: UInt64 = 0
    /// From the request head's end to the first response byte handed to the client; nil when there was none.
    public var timeToFirstByte: UInt64?
    /// What the connection took that the request made; nil when it made none.
    public var dns: UInt64?
    public var connect: UInt64?
    public var tls: UInt64?
    /// From the request's last byte to the response head.
    public var wait: UInt64?
    /// From the first response byte to the last.
    public var body: UInt64?
    /// The backend whose response was used; nil when the answer is our own.
    public var backend: String?
    /// How long the request waited for a place at a backend, in nanoseconds.
    public var queued: UInt64 = 0
    /// How often a backend was asked, the successful attempt included.
    public var attempts = 0
    public var failedAttempts: [AccessLogAttempt] = []
    public var notes: AccessLogNotes = []
    /// Why the exchange did not end well; nil when it did.
    public var reason: String?
    /// How many requests the line stands for.
    public var sample = 1

    public init() {}

    /// Appends the record as one line, its line feed included.
    public func append(to line: inout LineBuffer, _ style: AccessLogStyle, clock: WallClock) {
        switch style.format {
        case .text where style.isForTerminal: appendColumns(to: &line, style.fields, clock: clock)
        case .text: appendText(to: &line, style.fields, clock: clock)
        case .combined: appendCombined(to: &line, clock: clock)
        case .json: appendJSON(to: &line, style.fields, clock: clock)
        }
        line.append(UInt8(ascii: "\n"))
    }
}

@available(*, unavailable)
extension AccessLogRecord: Sendable {}
