// One request to the admin API with its response.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry

/// Reads a body if one is wanted, and sends a response.
///
/// Confined to the loop of its connection.
final class AdminExchange: ClientExchange {
    private static let goOn: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    private unowned let admin: AdminLoop
    private unowned let client: ClientConnection
    /// Makes the response of the body; nil when no body is waited for.
    private var answer: (([UInt8]) -> AdminResponse)?
    private var body: [UInt8] = []
    private var response: AdminResponse?
    private var keepAlive: Bool
    private var output = PieceSender()

    /// Answers whatever the body is.
    ///
    /// - Parameter isLast: Whether no request may follow, since this one was not understood.
    init(_ admin: AdminLoop, _ client: ClientConnection, _ response: AdminResponse, isLast: Bool = false) {
        self.admin = admin
        self.client = client
        self.response = response
        keepAlive = !isLast
    }

    /// Answers by the body.
    init(_ admin: AdminLoop, _ client: ClientConnection, _ answer: @escaping ([UInt8]) -> AdminResponse) {
        self.admin = admin
        self.client = client
        self.answer = answer
        keepAlive = true
    }

    func start() {
        keepAlive = keepAlive && client.reader.head.isPersistent
        guard answer != nil else {
            // Nobody wants the rest of the body: it is not read, however long it is.
            keepAlive = keepAlive && isBodyDropped()
            send()
            return
        }
        client.setDeadline(client.loop.now + AdminLoop.patience)
        let isEmpty: Bool =
            switch client.bufferedBody() {
            case .pending: true
            case .content, .end, .gone, .refused: false
            }
        if isEmpty, client.reader.head.expectsContinue {
            output.append(Self.goOn)
            guard output.send(on: client, from: admin.buffers) else { return }
        }
        bodyIsReadable()
    }

    // MARK: The body

    func bodyIsReadable() {
        guard answer != nil else { return }
        while true {
            switch client.readBody() {
            case .content(let isEnd):
                body += client.reader.content
                client.reader.discardContent()
                guard body.count <= AdminAPI.longestBody else {
                    refuse(.bodyTooLarge, "Expected a body of at most \(AdminAPI.longestBody) bytes.")
                    return
                }
                guard isEnd else { continue }
                bodyHasCome()
                return
            case .end:
                bodyHasCome()
                return
            case .pending: return
            case .gone:
                client.abort()
                return
            case .refused(let refusal):
                refuse(.malformedBody, "The body's chunks cannot be read: \(refusal).")
                return
            }
        }
    }

    /// Drops what has come of a body, and tells whether that was all of it.
    private func isBodyDropped() -> Bool {
        while true {
            switch client.bufferedBody() {
            case .content(let isEnd):
                client.reader.discardContent()
                if isEnd { return true }
            case .end: return true
            case .pending, .gone, .refused: return false
            }
        }
    }

    private func bodyHasCome() {
        response = answer?(body)
        answer = nil
        send()
    }

    private func refuse(_ kind: Problem.Kind, _ detail: String) {
        keepAlive = false
        answer = nil
        response = Problem(kind, detail).response
        send()
    }

    // MARK: The response

    private func send() {
        guard let response else { preconditionFailure("there is a response to send") }
        let head = client.reader.head
        // What was not read of the body, the connection reads; but who waits for 100 Continue may never send it.
        keepAlive = keepAlive && (client.reader.isBodyComplete || !head.expectsContinue)
        output.append(
            response.head(
                date: admin.clock.dateFieldValue(),
                keepAlive: keepAlive,
                clientMinorVersion: head.minorVersion
            )
        )
        if head.method != .head { output.append(response.body) }
        client.setDeadline(client.loop.now + AdminLoop.patience)
        responseIsDrained()
    }

    func responseIsDrained() {
        guard output.send(on: client, from: admin.buffers) else { return }
        // After an interim response.
        if answer != nil { bodyIsReadable() } else { client.finishExchange(keepAlive: keepAlive) }
    }

    func responseIsMoving() { client.setDeadline(client.loop.now + AdminLoop.patience) }

    // MARK: Ends

    func clientIsGone() {}

    func processStops() {}

    func deadlineReached() {
        if answer != nil, !client.hasPendingOutput {
            refuse(.requestTimeout, "The request's body did not arrive in time.")
        } else {
            client.abort()
        }
    }
}

/// Bytes on their way to a client, in pieces of a buffer's size.
struct PieceSender {
    private var waiting: [[UInt8]] = []
    /// How much of the first has been sent.
    private var offset = 0

    /// Whether nothing waits to be handed over.
    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ bytes: [UInt8]) { if !bytes.isEmpty { waiting.append(bytes) } }

    /// Hands bytes over as long as the client takes them; true when all have left.
    mutating func send(on client: ClientConnection, from buffers: BufferPool) -> Bool {
        if client.hasPendingOutput { return false }
        while !waiting.isEmpty {
            let buffer = buffers.take()
            fill(buffer)
            guard client.send(buffer) else { return false }
        }
        return true
    }

    private mutating func fill(_ buffer: Buffer) {
        var done = 0
        while done < waiting.count, buffer.room > 0 {
            let count = min(buffer.room, waiting[done].count - offset)
            waiting[done].withUnsafeBytes { bytes in
                buffer.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
            }
            offset += count
            if offset == waiting[done].count {
                done += 1
                offset = 0
            }
        }
        waiting.removeFirst(done)
    }
}
