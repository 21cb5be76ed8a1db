// An exchange's line in the access log.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Logging
internal import Telemetry
internal import Upstream

extension Exchange {
    /// Leaves what its line tells, unless it is one that sampling leaves out.
    func log(_ reader: RequestReader) {
        // Not retained: the worker has it for as long as its exchanges end.
        Unmanaged.passUnretained(worker.log)._withUnsafeGuaranteedRef { log(reader, in: $0) }
    }

    private func log(_ reader: RequestReader, in log: WorkerLog) {
        // What did not go well is always told.
        let isPlain = failure?.isFailure != true && failedAttempts.isEmpty && status < 500
        let sample = log.sample
        guard !isPlain || sample == 1 || worker.sampler.draws(oneOf: sample) else {
            worker.counters.add(.logLinesSampledOut)
            return
        }
        let hasMore = failure != nil || !failedAttempts.isEmpty || isHedged || isRetryBudgetExhausted
        // What few have is told of one line only.
        if hasMore { log.writeKept() }
        let line = log.next
        line.pointee.client = standing.forwarded?.address ?? client.peer
        line.pointee.setTrace(trace.context)
        describe(reader, in: &line.pointee.facts)
        if log.namesClientProgram { describeProgram(reader, in: &line.pointee.facts) }
        if log.namesPhases { describePhases(in: &line.pointee.facts) }
        line.pointee.facts.sample = isPlain ? UInt64(sample) : 1
        var backend = responder?.name ?? ""
        backend.withUTF8 { backend in
            line.pointee.facts.backend = UnsafeRawBufferPointer(backend)
            requestID.withWord { word in
                line.pointee.facts.requestID = word
                if hasMore { log.write { describeMore(in: $0) } } else { log.keep() }
            }
        }
    }

    private func describe(_ reader: RequestReader, in facts: inout AccessLogFacts) {
        facts.method = reader.headBytes(reader.head.methodRange)
        facts.target = reader.headBytes(reader.head.targetRange)
        facts.requestNumber = requestID.ownNumber
        facts.minorVersion = reader.head.minorVersion
        facts.host = reader.headBytes(reader.head.effectiveAuthorityRange ?? 0..<0)
        facts.status = UInt64(isResponseBegun ? status : failure?.status ?? 0)
        facts.bytesIn = reader.bodyBytes
        facts.bytesOut = bytesOut
        facts.attempts = UInt64(attemptCount)
        let now = loop.now
        facts.end = now.nanoseconds
        facts.duration = LoggedDuration(now.since(startTime))
        facts.timeToFirstByte = LoggedDuration(firstByteTime.map { $0.since(startTime) })
        facts.queued = LoggedDuration(queueNanoseconds > 0 ? queueNanoseconds : nil)
    }

    private func describeProgram(_ reader: RequestReader, in facts: inout AccessLogFacts) {
        facts.referer = reader.headBytes(reader.head.fields.value(.referer) ?? 0..<0)
        facts.userAgent = reader.headBytes(reader.head.fields.value(.userAgent) ?? 0..<0)
    }

    private func describePhases(in facts: inout AccessLogFacts) {
        facts.dns = LoggedDuration(measures.connect?.lookup)
        facts.connect = LoggedDuration(measures.connect?.connect)
        facts.tls = LoggedDuration(measures.connect?.handshake)
        facts.wait = LoggedDuration(measures.wait)
        facts.body = LoggedDuration(responder == nil ? nil : firstByteTime.map { loop.now.since($0) })
    }

    private func describeMore(in record: AccessLogRecord) {
        if !failedAttempts.isEmpty { record.failedAttempts = failedAttempts }
        if let failure { record.reason = failure.label }
        if isRetryBudgetExhausted { record.notes.insert(.retryBudgetExhausted) }
        guard isHedged else { return }
        record.notes.insert(.hedged)
        if isOnHedge, isResponseBegun, responder != nil { record.notes.insert(.hedgeWon) }
    }

    // MARK: Repeating a failed attempt

    /// Writes the command that sends the backend the same request, at debug level.
    func tellHowToReproduce(_ row: ExchangeFailure, at backend: Backend?) {
        guard let reproductions = worker.reproductions, let backend else { return }
        let text = reproduction(at: worker.streams(to: backend).pool.origin)
        reproductions.debug("\(row.label) at \(backend.name) (request \(requestID.text)); reproduce with: \(text)")
    }

    /// The command that sends a backend the request as it was sent.
    func reproduction(at origin: Origin) -> String {
        let buffer = worker.requestBuffers.take()
        defer { worker.requestBuffers.give(buffer) }
        _ = writeHead(to: buffer, host: origin.hostField, span: trace.attempt.span)
        return ReproduceCommand(head: buffer.bytes, to: origin).text
    }
}
