// An exchange's line in the access log.

internal import Balancing
internal import EventLoop
internal import Front
internal import HTTPWire
internal import Logging
internal import Telemetry
internal import Upstream

extension Exchange {
    /// Writes the line, unless it is one that sampling leaves out.
    func log(_ style: AccessLogStyle) {
        // What did not go well is always told.
        let isPlain = failure?.isFailure != true && failedAttempts.isEmpty && status < 500
        guard !isPlain || style.sample == 1 || worker.sampler.draws(oneOf: style.sample) else {
            worker.meter.add(.logLinesSampledOut)
            return
        }
        let client = client
        let reader = client.reader
        let traceLength = trace.context == nil ? 0 : TraceContext.identifierLength
        let size = PeerAddress.maximumTextLength + traceLength
        var backend = responder?.name ?? ""
        backend.withUTF8 { backend in
            requestID.withUnsafeBytes { requestID in
                withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { text in
                    let address = standing.forwarded?.address ?? client.peer
                    let length = address.write(to: text)
                    let traceText = UnsafeMutableRawBufferPointer(rebasing: text[PeerAddress.maximumTextLength...])
                    trace.context?.writeIdentifier(to: traceText)
                    let record = worker.logRecord
                    record.client = UnsafeRawBufferPointer(rebasing: text[..<length])
                    record.traceID = UnsafeRawBufferPointer(traceText)
                    record.requestID = requestID
                    record.backend = UnsafeRawBufferPointer(backend)
                    describeRequest(reader, in: record, style)
                    record.status = isResponseBegun ? status : failure?.status ?? 0
                    record.bytesIn = reader.bodyBytes
                    record.bytesOut = bytesOut
                    describeTimes(in: record)
                    record.queued = queueNanoseconds > 0 ? queueNanoseconds : nil
                    record.attempts = attemptCount
                    if !failedAttempts.isEmpty { record.failedAttempts = failedAttempts }
                    record.notes = notes
                    if let failure { record.reason = failure.label }
                    record.sample = isPlain ? style.sample : 1
                    worker.log(style)
                }
            }
        }
    }

    private var notes: AccessLogNotes {
        var notes: AccessLogNotes = isRetryBudgetExhausted ? .retryBudgetExhausted : []
        guard isHedged else { return notes }
        notes.insert(.hedged)
        if isOnHedge, isResponseBegun, responder != nil { notes.insert(.hedgeWon) }
        return notes
    }

    private func describeRequest(_ reader: RequestReader, in record: AccessLogRecord, _ style: AccessLogStyle) {
        record.method = reader.headBytes(reader.head.methodRange)
        record.target = reader.headBytes(reader.head.targetRange)
        record.minorVersion = reader.head.minorVersion
        record.host = reader.headBytes(reader.head.effectiveAuthorityRange ?? 0..<0)
        if style.namesClientProgram {
            record.referer = reader.headBytes(reader.head.fields.value(.referer) ?? 0..<0)
            record.userAgent = reader.headBytes(reader.head.fields.value(.userAgent) ?? 0..<0)
        }
    }

    private func describeTimes(in record: AccessLogRecord) {
        let now = loop.now
        record.turn = loop.turnNumber
        record.duration = now.since(startTime)
        record.timeToFirstByte = firstByteTime.map { $0.since(startTime) }
        if let connect = measures.connect {
            record.dns = connect.lookup
            record.connect = connect.connect
            record.tls = connect.handshake
        }
        record.wait = measures.wait
        if responder != nil, let firstByteTime { record.body = now.since(firstByteTime) }
    }

    // MARK: Repeating a failed attempt

    /// Writes the command that sends the backend the same request, at debug level.
    func tellHowToReproduce(_ row: ExchangeFailure, at backend: Backend?) {
        guard let reproductions = worker.reproductions, let backend else { return }
        let text = reproduction(at: worker.streams(to: backend).pool.origin)
        let id = String(decoding: requestID, as: UTF8.self)
        reproductions.debug("\(row.label) at \(backend.name) (request \(id)); reproduce with: \(text)")
    }

    /// The command that sends a backend the request as it was sent.
    func reproduction(at origin: Origin) -> String {
        let buffer = worker.requestBuffers.take()
        defer { worker.requestBuffers.give(buffer) }
        _ = writeHead(to: buffer, host: origin.hostField, span: trace.attempt.span)
        return ReproduceCommand(head: buffer.bytes, to: origin).text
    }
}
