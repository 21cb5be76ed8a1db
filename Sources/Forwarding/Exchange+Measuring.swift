// What is measured of an exchange: for the counters, and for its line in the access log.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

/// Moments of an exchange, and what the last attempt's parts took.
struct ExchangeMeasures {
    /// The counters of the backend of the current or last attempt.
    var meter: BackendMeter?
    /// When the current attempt's request had been sent whole.
    var requestSent: MonotonicTime?
    /// From then to the response head, in nanoseconds.
    var wait: UInt64?
    /// What the attempt's connection took, if the attempt made one.
    var connect: ConnectTimes?
    /// Request body bytes that have been counted.
    var countedUpload: UInt64 = 0
    /// Time in the queue that has been counted, in nanoseconds.
    var countedQueue: UInt64 = 0

    /// Another attempt begins.
    mutating func beginAttempt(_ meter: BackendMeter) {
        self.meter = meter
        requestSent = nil
        wait = nil
        connect = nil
    }

    /// Goes on with an attempt that was made beside.
    mutating func adoptAttempt(of other: ExchangeMeasures) {
        meter = other.meter
        requestSent = other.requestSent
        wait = other.wait
        connect = other.connect
    }

    /// The attempt's connection may just have been made.
    mutating func noteConnection(of stream: Stream) {
        guard let times = stream.takeConnectTimes() else { return }
        connect = times
        meter?.record(.dns, times.lookup)
        meter?.record(.connect, times.connect)
        if let handshake = times.handshake { meter?.record(.tls, handshake) }
    }

    /// The response head has come.
    mutating func countHead(_ head: ResponseHead, at now: MonotonicTime) {
        guard let meter else { return }
        meter.response(head.status)
        guard let requestSent, !head.switchesProtocols else { return }
        let wait = now.since(requestSent)
        self.wait = wait
        meter.record(.wait, wait)
    }
}

extension Exchange {
    /// An attempt begins, on a kept connection or a new one.
    func countAttempt(_ meter: BackendMeter, isReused: Bool) {
        measures.beginAttempt(meter)
        meter.add(.attempts)
        if attemptCount > 1 { meter.add(.retries) }
        meter.add(isReused ? .connectionsReused : .connectionsOpened)
        if queueNanoseconds > measures.countedQueue {
            meter.record(.queue, queueNanoseconds - measures.countedQueue)
            measures.countedQueue = queueNanoseconds
        }
    }

    /// An attempt has failed.
    func countFailure(_ row: ExchangeFailure, _ meter: BackendMeter?) {
        guard let meter, !meter.failure(row.label) else { return }
        worker.meter.add(.unknownReasons)
    }

    /// The protocol has been switched.
    func countTunnel() { worker.meter.add(.tunnelsOpened) }

    /// The first byte of a backend's response goes out.
    func countFirstByte() {
        if !isTunnel { measures.meter?.record(.firstByte, loop.now.since(startTime)) }
    }

    /// Body bytes have come from the backend and go out.
    func countDownload(_ count: Int) {
        measures.meter?.add(.bytesReceived, UInt64(count))
        worker.meter.add(.bytesSent, UInt64(count))
    }

    /// Body bytes may have come from the client.
    func countUpload() { countUpload(reader) }

    private func countUpload(_ reader: RequestReader) {
        let count = reader.bodyBytes &- measures.countedUpload
        guard count > 0 else { return }
        measures.countedUpload &+= count
        worker.meter.add(.bytesReceived, count)
        measures.meter?.add(.bytesSent, count)
    }

    /// The exchange is over.
    func countEnd() {
        let meter = worker.meter
        let reader = reader
        countUpload(reader)
        meter.request(method: Int(reader.head.method.rawValue), status: isResponseBegun ? status : nil)
        if let failure, failure.isFailure { meter.failure(failure.label) }
        if isTunnel {
            meter.add(.tunnelsClosed)
            return
        }
        let now = loop.now
        let duration = now.since(startTime)
        meter.record(.request, duration)
        guard isResponseBegun else { return }
        guard responder != nil else {
            meter.add(.bytesSent, bytesOut)
            return
        }
        guard let meter = measures.meter else { return }
        meter.record(.request, duration)
        if let firstByteTime { meter.record(.body, now.since(firstByteTime)) }
    }
}
