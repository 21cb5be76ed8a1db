// Which traces requests belong to: what is made of the client's traceparent, and what backends get.

internal import HTTPWire
public import Telemetry

/// What is done about traces; without it `traceparent` goes on as it came.
public struct TraceSettings: Sendable {
    /// Which of the traces that are begun here are recorded.
    public var sampling: TraceSampling
    /// Whether spans are exported; when they are not, valid contexts of clients go on as they came.
    public var isRecording: Bool

    public init(sampling: TraceSampling, isRecording: Bool) {
        self.sampling = sampling
        self.isRecording = isRecording
    }
}

/// What an exchange knows of its trace.
struct ExchangeTrace {
    /// The trace, and the span that the client sent the request from; nil when the request belongs to none.
    var context: TraceContext?
    /// Whether the trace begins here: what the client sent, if anything, is not passed on.
    var isNew = false
    /// The exchange's own span; 0 when it is not recorded.
    var span: UInt64 = 0
    /// What turns the loop's time into nanoseconds since 1970.
    var clockOffset: UInt64 = 0
    /// The current attempt.
    var attempt = AttemptTrace()

    var isRecorded: Bool { span != 0 }

    /// What the backend of an attempt gets in place of what the client sent; nil when that goes on as it came.
    func replacement(for span: UInt64) -> TraceContext? {
        guard var context, isNew || isRecorded else { return nil }
        // One that has been recorded already is only told how it can be repeated.
        if isRecorded, span != 0 { context.parent = span }
        return context
    }
}

/// What is known of an attempt beside what the exchange and its measures tell.
struct AttemptTrace {
    /// Its span; 0 when it is not recorded, or has been.
    var span: UInt64 = 0
    /// The status of its response; 0 as long as there is none.
    var status = 0
    /// Why it has failed, and more about that.
    private(set) var failure: ExchangeFailure?
    private(set) var text: String?
    var isConnectionReused = false

    init(span: UInt64 = 0) { self.span = span }

    mutating func fail(_ row: ExchangeFailure, _ text: String) {
        failure = row
        self.text = text
    }
}
