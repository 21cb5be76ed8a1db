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

/// What is known of one exchange beside its facts, and how all of it becomes a line.
///
/// One for all lines of a worker.
public final class AccessLogRecord {
    public var failedAttempts: [AccessLogAttempt] = []
    public var notes: AccessLogNotes = []
    /// Why the exchange did not end well; nil when it did.
    public var reason: String?

    public init() {}

    /// Whether there is something to tell that most exchanges have nothing of.
    var isRemarkable: Bool { !failedAttempts.isEmpty || !notes.isEmpty || reason != nil }

    /// Forgets what few exchanges have of the one whose line has been written.
    public func reset() {
        guard isRemarkable else { return }
        failedAttempts = []
        notes = []
        reason = nil
    }

    /// Appends the facts and what the record tells as one line, its line feed included.
    public func append(
        _ facts: UnsafePointer<AccessLogFacts>,
        to line: inout LineBuffer,
        _ style: AccessLogStyle,
        clock: WallClock
    ) {
        switch style.format {
        case .text: appendText(facts, to: &line, style, clock: clock)
        case .combined: appendCombined(facts, to: &line, clock: clock)
        case .json: appendJSON(facts, to: &line, style, clock: clock)
        }
    }
}

@available(*, unavailable)
extension AccessLogRecord: Sendable {}
