// An exchange's part in a trace: the context that it continues or begins, its span, and one for each attempt.

internal import Balancing
internal import EventLoop
internal import Front
internal import Glibc
internal import HTTPWire
internal import Telemetry
internal import Upstream

extension Exchange {
    // MARK: The context

    /// Continues the client's trace, or begins one when traces are followed at all.
    func readTrace() {
        let context = clientContext
        guard let settings = worker.settings.trace else {
            trace.context = context
            return
        }
        if let context {
            trace.context = context
            guard settings.isRecording, context.isSampled, mayAskForRecording(settings) else { return }
        } else {
            let (high, low) = (worker.identifiers.nextWord(), worker.identifiers.nextWord())
            let isSampled = settings.sampling.samples(low)
            trace.isNew = true
            trace.context = TraceContext(
                traceHigh: high,
                traceLow: low,
                parent: worker.identifiers.nextWord(),
                flags: isSampled ? TraceContext.sampled : 0
            )
            guard settings.isRecording, isSampled else { return }
        }
        trace.span = worker.identifiers.nextWord()
        trace.attempt = newAttemptTrace()
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let sinceEpoch = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        trace.clockOffset = sinceEpoch &- MonotonicTime.now.nanoseconds
    }

    /// Whether a trace is recorded because the client wants that: of one that is not trusted by chance, as those that begin here.
    ///
    /// By a draw, not by the trace's identifier, which the client has chosen.
    private func mayAskForRecording(_ settings: TraceSettings) -> Bool {
        client.isTrusted || settings.sampling.samples(worker.identifiers.nextWord())
    }

    /// What the client's `traceparent` says; several of them, or a malformed one, say nothing.
    private var clientContext: TraceContext? {
        let fields = reader.head.fields
        guard fields.contains(.traceparent), !fields.isRepeated(.traceparent),
            let index = fields.first(.traceparent), !fields[index].isHopByHop
        else { return nil }
        return TraceContext(reader.headBytes(fields[index].valueRange))
    }

    // MARK: Attempts

    /// An attempt begins; the first one has its span already, which stands in a head that was written before.
    func beginAttemptTrace() {
        if attemptCount > 0 { trace.attempt = newAttemptTrace() }
    }

    /// What another attempt gets.
    func newAttemptTrace() -> AttemptTrace {
        AttemptTrace(span: trace.isRecorded ? worker.identifiers.nextWord() : 0)
    }

    /// The attempt is over.
    func endAttemptTrace(_ outcome: AttemptOutcome, at backend: Backend) {
        guard trace.attempt.span != 0 else { return }
        append(trace.attempt, attemptNumber, from: attemptStart, measures, outcome, at: backend)
        trace.attempt.span = 0
    }

    /// The attempt beside it is over.
    func endTrace(of hedge: Hedge, _ outcome: AttemptOutcome) {
        guard hedge.trace.span != 0, let backend = hedge.backend else { return }
        append(hedge.trace, hedge.number, from: hedge.start, hedge.measures, outcome, at: backend)
        hedge.trace.span = 0
    }

    private func append(
        _ attempt: AttemptTrace,
        _ number: Int,
        from start: MonotonicTime,
        _ measures: ExchangeMeasures,
        _ outcome: AttemptOutcome,
        at backend: Backend
    ) {
        guard var context = trace.context else { return }
        context.parent = trace.span
        let origin = worker.streams(to: backend).pool.origin
        var span = SpanRecord(.client, context, identifier: attempt.span)
        describe(&span, from: start)
        span.scheme = origin.scheme == .http ? "http" : "https"
        span.backendHost = origin.unixSocketPath ?? origin.host
        span.port = origin.unixSocketPath == nil ? UInt64(origin.port) : 0
        span.status = attempt.status
        span.reason = attempt.failure?.label
        span.text = attempt.text
        span.backend = backend.name
        span.attempts = number
        span.outcome =
            switch outcome {
            case .answered: .answered
            case .failed: .failed
            case .abandoned: .abandoned
            }
        span.isConnectionReused = attempt.isConnectionReused
        span.dns = measures.connect?.lookup
        span.connect = measures.connect?.connect
        span.tls = measures.connect?.handshake
        span.wait = measures.wait
        worker.spans.append(span)
    }

    // MARK: The exchange

    /// The exchange is over.
    func endTrace() {
        guard trace.isRecorded, var context = trace.context else { return }
        if trace.isNew { context.parent = 0 }
        withUnsafeTemporaryAllocation(byteCount: PeerAddress.maximumTextLength, alignment: 1) { text in
            let length = clientAddress.writeHost(to: text)
            requestID.withText { requestID in
                var span = SpanRecord(.server, context, identifier: trace.span)
                describe(&span, from: startTime)
                (span.host, span.port) = reader.hostAndPort
                span.client = UnsafeRawBufferPointer(rebasing: text[..<length])
                span.requestID = requestID
                span.status = isResponseBegun ? status : 0
                span.reason = failure.flatMap { $0.isFailure ? $0.label : nil }
                span.bytesIn = reader.bodyBytes
                span.bytesOut = bytesOut
                span.backend = responder?.name
                span.attempts = attemptCount
                span.queued = queueNanoseconds
                worker.spans.append(span)
            }
        }
    }

    /// What spans of the exchange and of its attempts have in common.
    private func describe(_ span: inout SpanRecord, from start: MonotonicTime) {
        let head = reader.head
        span.start = start.nanoseconds &+ trace.clockOffset
        span.end = loop.now.nanoseconds &+ trace.clockOffset
        span.method = reader.headBytes(head.methodRange)
        span.isMethodKnown = head.method != .other
        let path = reader.headBytes(head.pathRange)
        span.path = UnsafeRawBufferPointer(rebasing: path.prefix { $0 != UInt8(ascii: "?") })
        span.minorVersion = head.minorVersion
        // Several would have to be put together; they go on all the same.
        if !trace.isNew, let state = reader.traceState { span.state = state }
    }
}

extension RequestReader {
    /// The value of the one `tracestate`.
    fileprivate var traceState: UnsafeRawBufferPointer? {
        let fields = head.fields
        guard fields.contains(.tracestate), !fields.isRepeated(.tracestate) else { return nil }
        return fields.value(.tracestate).map { headBytes($0) }
    }

    /// The host that is asked for, without brackets, and the port beside it; 0 when there is none.
    fileprivate var hostAndPort: (host: UnsafeRawBufferPointer, port: UInt64) {
        let authority = headBytes(head.effectiveAuthorityRange ?? 0..<0)
        var host = authority[...]
        var port: UInt64 = 0
        if let colon = authority.lastIndex(of: UInt8(ascii: ":")), authority.last != UInt8(ascii: "]") {
            host = authority[..<colon]
            for digit in authority[(colon + 1)...] { port = min(port * 10 + UInt64(digit &- 48), 65536) }
        }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = host.dropFirst().dropLast() }
        return (UnsafeRawBufferPointer(rebasing: host), port)
    }
}
