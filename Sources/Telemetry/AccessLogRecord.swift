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
/// One for all lines of a worker, filled in anew for each. The byte ranges are borrowed for as long as the line is being written.
public final class AccessLogRecord {
    /// What others have chosen, or was made of it.
    enum Text: Int, CaseIterable {
        case client, method, target, host, referer, userAgent, backend, requestID, traceID
    }

    enum Number: Int, CaseIterable {
        case status, bytesIn, bytesOut, attempts, sample
    }

    /// How long something took.
    enum Time: Int, CaseIterable {
        case duration, firstByte, queue, dns, connect, tls, wait, body
    }

    static let unknown = UInt64.max

    /// By ``Text``; empty where nothing is known.
    let texts: UnsafeMutablePointer<UnsafeRawBufferPointer>
    /// By ``Number``.
    let numbers: UnsafeMutablePointer<UInt64>
    /// By ``Time``; ``unknown`` where nothing is known.
    let times: UnsafeMutablePointer<UInt64>

    /// The minor version of HTTP/1 that the client spoke.
    public var minorVersion: UInt8 = 1
    public var failedAttempts: [AccessLogAttempt] = []
    public var notes: AccessLogNotes = []
    /// Why the exchange did not end well; nil when it did.
    public var reason: String?
    /// What is the same for all exchanges that ended in one turn of the loop, whose lines have one time; without it each has its own.
    public var turn: UInt64?

    public init() {
        texts = .allocate(capacity: Text.allCases.count)
        texts.initialize(repeating: UnsafeRawBufferPointer(start: nil, count: 0), count: Text.allCases.count)
        numbers = .allocate(capacity: Number.allCases.count)
        numbers.initialize(repeating: 0, count: Number.allCases.count)
        times = .allocate(capacity: Time.allCases.count)
        times.initialize(repeating: Self.unknown, count: Time.allCases.count)
        sample = 1
    }

    deinit {
        texts.deallocate()
        numbers.deallocate()
        times.deallocate()
    }

    /// Forgets the exchange whose line has been written.
    public func reset() {
        texts.update(repeating: UnsafeRawBufferPointer(start: nil, count: 0), count: Text.allCases.count)
        times.update(repeating: Self.unknown, count: Time.allCases.count)
        if !failedAttempts.isEmpty { failedAttempts = [] }
        if reason != nil { reason = nil }
        notes = []
    }

    /// Appends the record as one line, its line feed included.
    public func append(to line: inout LineBuffer, _ style: AccessLogStyle, clock: WallClock) {
        switch style.format {
        case .text: appendText(to: &line, style, clock: clock)
        case .combined: appendCombined(to: &line, clock: clock)
        case .json: appendJSON(to: &line, style, clock: clock)
        }
    }
}

extension AccessLogRecord {
    // MARK: Texts

    /// The client's address and port in textual form.
    public var client: UnsafeRawBufferPointer {
        get { texts[Text.client.rawValue] }
        set { texts[Text.client.rawValue] = newValue }
    }
    /// Empty when no request line could be read.
    public var method: UnsafeRawBufferPointer {
        get { texts[Text.method.rawValue] }
        set { texts[Text.method.rawValue] = newValue }
    }
    public var target: UnsafeRawBufferPointer {
        get { texts[Text.target.rawValue] }
        set { texts[Text.target.rawValue] = newValue }
    }
    public var host: UnsafeRawBufferPointer {
        get { texts[Text.host.rawValue] }
        set { texts[Text.host.rawValue] = newValue }
    }
    public var referer: UnsafeRawBufferPointer {
        get { texts[Text.referer.rawValue] }
        set { texts[Text.referer.rawValue] = newValue }
    }
    public var userAgent: UnsafeRawBufferPointer {
        get { texts[Text.userAgent.rawValue] }
        set { texts[Text.userAgent.rawValue] = newValue }
    }
    /// The name of the backend whose response was used; empty when the answer is our own.
    public var backend: UnsafeRawBufferPointer {
        get { texts[Text.backend.rawValue] }
        set { texts[Text.backend.rawValue] = newValue }
    }
    public var requestID: UnsafeRawBufferPointer {
        get { texts[Text.requestID.rawValue] }
        set { texts[Text.requestID.rawValue] = newValue }
    }
    /// Empty when the request belongs to no trace.
    public var traceID: UnsafeRawBufferPointer {
        get { texts[Text.traceID.rawValue] }
        set { texts[Text.traceID.rawValue] = newValue }
    }

    // MARK: Numbers

    /// The status sent to the client; 499 when the client left before one was sent.
    public var status: Int {
        get { Int(truncatingIfNeeded: numbers[Number.status.rawValue]) }
        set { numbers[Number.status.rawValue] = UInt64(newValue) }
    }
    /// Body bytes received from the client, without framing.
    public var bytesIn: UInt64 {
        get { numbers[Number.bytesIn.rawValue] }
        set { numbers[Number.bytesIn.rawValue] = newValue }
    }
    /// Body bytes sent to the client, without framing.
    public var bytesOut: UInt64 {
        get { numbers[Number.bytesOut.rawValue] }
        set { numbers[Number.bytesOut.rawValue] = newValue }
    }
    /// How often a backend was asked, the successful attempt included.
    public var attempts: Int {
        get { Int(truncatingIfNeeded: numbers[Number.attempts.rawValue]) }
        set { numbers[Number.attempts.rawValue] = UInt64(newValue) }
    }
    /// How many requests the line stands for.
    public var sample: Int {
        get { Int(truncatingIfNeeded: numbers[Number.sample.rawValue]) }
        set { numbers[Number.sample.rawValue] = UInt64(newValue) }
    }

    // MARK: Times

    private static func stored(_ time: UInt64?) -> UInt64 { time.map { min($0, unknown - 1) } ?? unknown }

    private func known(_ time: Time) -> UInt64? {
        let value = times[time.rawValue]
        return value == Self.unknown ? nil : value
    }

    /// From the request head's end to the response's end.
    public var duration: UInt64? {
        get { known(.duration) }
        set { times[Time.duration.rawValue] = Self.stored(newValue) }
    }
    /// From the request head's end to the first response byte handed to the client; nil when there was none.
    public var timeToFirstByte: UInt64? {
        get { known(.firstByte) }
        set { times[Time.firstByte.rawValue] = Self.stored(newValue) }
    }
    /// How long the request waited for a place at a backend; nil when it did not.
    public var queued: UInt64? {
        get { known(.queue) }
        set { times[Time.queue.rawValue] = Self.stored(newValue) }
    }
    /// What the connection took that the request made; nil when it made none.
    public var dns: UInt64? {
        get { known(.dns) }
        set { times[Time.dns.rawValue] = Self.stored(newValue) }
    }
    public var connect: UInt64? {
        get { known(.connect) }
        set { times[Time.connect.rawValue] = Self.stored(newValue) }
    }
    public var tls: UInt64? {
        get { known(.tls) }
        set { times[Time.tls.rawValue] = Self.stored(newValue) }
    }
    /// From the request's last byte to the response head.
    public var wait: UInt64? {
        get { known(.wait) }
        set { times[Time.wait.rawValue] = Self.stored(newValue) }
    }
    /// From the first response byte to the last.
    public var body: UInt64? {
        get { known(.body) }
        set { times[Time.body.rawValue] = Self.stored(newValue) }
    }
}

@available(*, unavailable)
extension AccessLogRecord: Sendable {}
