// Sends spans to a collector, beside the workers.

internal import Dispatch
internal import EventLoop
public import Logging
public import Telemetry
internal import Upstream

/// Exports what is in a ``SpanQueue``, on a thread of its own: nothing of it is on the way of a request.
///
/// Any thread.
public final class SpanExporter: Sendable {
    /// What other threads tell it.
    enum Message: Sendable {
        /// Spans wait.
        case spans(isMany: Bool)
        /// Export what there is, and end.
        case stop
    }

    /// How long the last spans may take to be exported.
    static let flushTime: UInt64 = 1_000_000_000

    let queue: SpanQueue
    let endpoint: TraceEndpoint
    let headers: [String]
    let envelope: SpanEnvelope
    let diagnostics: Logger
    let mailbox = Mailbox<Message>()
    private let running = DispatchGroup()

    /// - Parameter name: this balancer's name, which spans say they are from.
    public init(
        _ queue: SpanQueue,
        to endpoint: TraceEndpoint,
        headers: TraceHeaders?,
        name: String,
        diagnostics: Logger
    ) {
        self.queue = queue
        self.endpoint = endpoint
        self.headers = ["Content-Type: application/json"] + (headers?.lines ?? [])
        envelope = SpanEnvelope(name: name, version: VersionReport.programVersion, host: InstanceName.hostName)
        self.diagnostics = diagnostics
    }

    public func start() {
        queue.onWaiting { [mailbox] isMany in mailbox.post(.spans(isMany: isMany)) }
        DispatchQueue(label: "curl-lb.spans").async(group: running) { [self] in SpanExportLoop(self).run() }
    }

    /// Exports what there is, for a second at most; what is left then is lost.
    public func stop() {
        mailbox.post(.stop)
        running.wait()
    }
}
