// One health probe, or one report: a connection that is made and closed, or a request through libcurl's own HTTP engine.

internal import CCurl
public import EventLoop

/// What a probe asks for.
public struct ProbeRequest: Sendable {
    /// The path to GET, or to POST to; nil only connects, and for `https` shakes hands.
    public var path: String?
    /// What is POSTed; nil for a GET.
    public var content: [UInt8]?
    /// Further field lines, such as `Content-Type: application/json`.
    public var fieldLines: [String] = []
    /// Who asks.
    public var userAgent = "curl-lb-health"
    /// The limit of all of it, in milliseconds.
    public var timeoutMilliseconds: Int
    /// Body bytes that are kept; what comes beyond them is not waited for.
    ///
    /// With 0 the end of the head is the end: a body may never end.
    public var bodyLimit: Int

    public init(path: String?, timeoutMilliseconds: Int, bodyLimit: Int = 0) {
        self.path = path
        self.timeoutMilliseconds = timeoutMilliseconds
        self.bodyLimit = bodyLimit
    }
}

/// How a probe ended.
public enum ProbeResult: Sendable {
    /// The connection was made.
    case connected
    case answered(ProbeAnswer)
    /// What libcurl says of it.
    case failed(String)
}

/// The answer to a probe.
public struct ProbeAnswer: Sendable {
    public var status: Int
    /// Field lines of the final head; names in small letters.
    public var fields: [(name: String, value: String)] = []
    public var body: [UInt8] = []

    public init(status: Int) { self.status = status }

    /// The value of the first field of that name, which is given in small letters.
    public func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Makes one probe or report with the options of the backend's origin, on a connection of its own.
///
/// The corresponding option is CURLOPT_CONNECT_ONLY for probes without a path. Whoever makes a probe keeps it until it has
/// finished. Loop thread only.
public final class Probe: CurlUser {
    private let connection: CurlConnection
    private let multi: CurlMulti
    private let request: ProbeRequest
    private var finished: ((ProbeResult) -> Void)?
    private var fieldLines: UnsafeMutablePointer<curl_slist>?

    private var answer = ProbeAnswer(status: 0)
    /// Whether the latest head has come to its end: libcurl takes a head that was cut for a whole one.
    private var isHeadComplete = false
    /// Whether the latest head is that of an interim response.
    private var isInterim = false
    /// Whether enough has come, and the rest is not waited for.
    private var isEnough = false

    /// Begins a probe.
    ///
    /// - Parameter finished: called once, unless the probe is cancelled before.
    public init(
        of origin: Origin,
        _ request: ProbeRequest,
        on multi: CurlMulti,
        loop: EventLoop,
        finished: @escaping (ProbeResult) -> Void
    ) {
        self.multi = multi
        self.request = request
        self.finished = finished
        connection = CurlConnection(to: origin, connectTimeoutMilliseconds: request.timeoutMilliseconds)
        super.init(loop: loop)
        connection.setUser(self)
        connection.set(.timeoutMilliseconds, to: request.timeoutMilliseconds)
        if let path = request.path { prepareTransfer(of: path) }
        multi.add(connection)
    }

    deinit {
        assert(finished == nil, "a probe is finished or cancelled before it goes away")
        curl_slist_free_all(fieldLines)
    }

    private func prepareTransfer(of path: String) {
        connection.set(.connectOnly, to: 0)
        connection.set(.forbidReuse, to: 1)
        connection.set(.requestTarget, to: path)
        connection.set(.userAgent, to: request.userAgent)
        // Without a word of expectation, which libcurl would have for a large body: it is sent at once.
        for line in ["Connection: close"] + (request.content == nil ? [] : ["Expect:"]) + request.fieldLines {
            fieldLines = curl_slist_append(fieldLines, line)
        }
        if let fieldLines { connection.set(.fieldLines, to: UnsafeMutableRawPointer(fieldLines)) }
        if let content = request.content { connection.setContent(content) }
        // Unretained: libcurl calls only while the handle is in the multi, which the probe takes it out of before it goes away.
        let context = Unmanaged.passUnretained(self).toOpaque()
        connection.setReceiver(.headReceiver, onHeadLine, .headContext, context)
        connection.setReceiver(.bodyReceiver, onBody, .bodyContext, context)
    }

    /// Ends the probe without a result.
    public func cancel() {
        guard finished != nil else { return }
        finished = nil
        multi.remove(connection)
    }

    override func curlFinished(_ code: CURLcode) {
        guard let finished else { return }
        self.finished = nil
        let result = result(code)
        multi.remove(connection)
        finished(result)
    }

    private func result(_ code: CURLcode) -> ProbeResult {
        guard code == CURLE_OK || isEnough else { return .failed(connection.failureText(code)) }
        guard request.path != nil else { return .connected }
        guard isHeadComplete, !isInterim else {
            return .failed("the connection ended in the middle of the response head")
        }
        answer.status = connection.responseStatus
        return .answered(answer)
    }

    // MARK: What libcurl receives

    /// Takes a line of a head; false when no more is wanted.
    fileprivate func receiveHeadLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let line = String(decoding: bytes, as: UTF8.self)
        // A head begins; an interim one may have come before it.
        if line.hasPrefix("HTTP/") {
            answer.fields = []
            isHeadComplete = false
            isInterim = line.drop { $0 != " " }.drop { $0 == " " }.first == "1"
            return true
        }
        guard let colon = line.firstIndex(of: ":") else {
            isHeadComplete = isHeadComplete || line.allSatisfy(\.isWhitespace)
            isEnough = isHeadComplete && !isInterim && request.bodyLimit == 0
            return !isEnough
        }
        // What comes behind the body is a trailer.
        guard !isHeadComplete, answer.fields.count < 256 else { return true }
        answer.fields.append((line[..<colon].lowercased(), trimmed(line[line.index(after: colon)...])))
        return true
    }

    private func trimmed(_ text: Substring) -> String {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }

    /// Takes body bytes; false when no more are wanted.
    fileprivate func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        answer.body.append(contentsOf: bytes.prefix(request.bodyLimit - answer.body.count))
        isEnough = answer.body.count >= request.bodyLimit
        return !isEnough
    }
}

/// One line of a head; another count than the one that came ends the transfer. CURLOPT_HEADERFUNCTION(3)
private func onHeadLine(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    // Unretained: see `prepareTransfer(of:)`.
    let probe = Unmanaged<Probe>.fromOpaque(context).takeUnretainedValue()
    return probe.receiveHeadLine(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

/// Bytes of a body; another count than the one that came ends the transfer. CURLOPT_WRITEFUNCTION(3)
private func onBody(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    // Unretained: see `prepareTransfer(of:)`.
    let probe = Unmanaged<Probe>.fromOpaque(context).takeUnretainedValue()
    return probe.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}
