// What is measured of an exchange: for the counters, and for its line in the access log.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry
internal import Upstream

/// Moments of an exchange, and what the last attempt's parts took.
struct ExchangeMeasures {
    /// What is counted of the backend of the current or last attempt.
    private(set) var meter: BackendMeter? { didSet { counters = meter?.counters } }
    /// Its counters, which it holds.
    private(set) var counters: BackendCounters?
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
        counters?.record(.dns, times.lookup)
        counters?.record(.connect, times.connect)
        if let handshake = times.handshake { counters?.record(.tls, handshake) }
    }

    /// The response head has come.
    mutating func countHead(_ head: ResponseHead, at now: MonotonicTime) {
        guard let counters else { return }
        counters.response(head.status)
        guard let requestSent, !head.switchesProtocols else { return }
        let wait = now.since(requestSent)
        self.wait = wait
        counters.record(.wait, wait)
    }
}

extension Exchange {
    /// An attempt begins, on a kept connection or a new one.
    func countAttempt(_ meter: BackendMeter, isReused: Bool) {
        measures.beginAttempt(meter)
        let counters = meter.counters
        counters.add(.attempts)
        if attemptCount > 1 { counters.add(.retries) }
        counters.add(isReused ? .connectionsReused : .connectionsOpened)
        if queueNanoseconds > measures.countedQueue {
            counters.record(.queue, queueNanoseconds - measures.countedQueue)
            measures.countedQueue = queueNanoseconds
        }
    }

    /// An attempt has failed.
    func countFailure(_ row: ExchangeFailure, _ meter: BackendMeter?) {
        guard let meter, !meter.failure(row.label) else { return }
        worker.counters.add(.unknownReasons)
    }

    /// The protocol has been switched.
    func countTunnel() { worker.counters.add(.tunnelsOpened) }

    /// The first byte of a backend's response goes out.
    func countFirstByte() {
        if !isTunnel { measures.counters?.record(.firstByte, loop.now.since(startTime)) }
    }

    /// Body bytes have come from the backend and go out.
    func countDownload(_ count: Int) {
        measures.counters?.add(.bytesReceived, UInt64(count))
        worker.counters.add(.bytesSent, UInt64(count))
    }

    /// Body bytes may have come from the client.
    func countUpload() { countUpload(reader) }

    private func countUpload(_ reader: RequestReader) {
        let count = reader.bodyBytes &- measures.countedUpload
        guard count > 0 else { return }
        measures.countedUpload &+= count
        worker.counters.add(.bytesReceived, count)
        measures.counters?.add(.bytesSent, count)
    }

    /// The exchange is over.
    func countEnd(_ reader: RequestReader) {
        let counters = worker.counters
        countUpload(reader)
        counters.request(method: Int(reader.head.method.rawValue), status: isResponseBegun ? status : nil)
        if let failure, failure.isFailure { worker.meter.failure(failure.label) }
        if isTunnel {
            counters.add(.tunnelsClosed)
            return
        }
        let now = loop.now
        let duration = counters.measured(now.since(startTime))
        counters.record(.request, duration)
        guard isResponseBegun else { return }
        guard responder != nil else {
            counters.add(.bytesSent, bytesOut)
            return
        }
        guard let backend = measures.counters else { return }
        backend.record(.request, duration)
        if let firstByteTime { backend.record(.body, now.since(firstByteTime)) }
    }
}
