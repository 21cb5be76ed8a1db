// Event streams of the admin API: messages are made once for all readers, and none of them is waited for.

internal import EventLoop
internal import Front
internal import HTTPWire
internal import Telemetry

/// The latest messages of one kind, numbered, for readers that each have a place.
struct EventBacklog {
    /// The number of the next message.
    private(set) var next: UInt64 = 0
    private var messages: [[UInt8]] = []
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    mutating func append(_ message: [UInt8]) {
        if messages.count == capacity { messages.removeFirst() }
        messages.append(message)
        next += 1
    }

    /// The message at a place, or the oldest that is kept, with the place behind it; nil when there is none yet.
    func message(from place: UInt64) -> (bytes: [UInt8], next: UInt64)? {
        let oldest = next - UInt64(messages.count)
        let place = max(place, oldest)
        guard place < next else { return nil }
        return (messages[Int(place - oldest)], place + 1)
    }
}

/// Makes the messages.
///
/// Nothing happens while nobody reads. Loop thread only.
final class EventHub: EventHandler {
    static let contentType = "text/event-stream"
    /// How often failures and changes are looked for.
    private static let tick: UInt64 = 250_000_000
    /// How often the state is made; less often where that takes long: a tenth of a processor is enough for it.
    static func statsInterval(cost: UInt64) -> UInt64 { min(10_000_000_000, max(1_000_000_000, cost * 10)) }

    private let sources: AdminSources
    private var readers: [EventStream] = []
    private var failurePlace = FailureFeed.Place()
    private var changePlace: UInt64 = 0
    private var statsTime: MonotonicTime?
    /// What making the latest state took, in nanoseconds.
    private var statsCost: UInt64 = 0
    private(set) var failures = EventBacklog(capacity: FailureFeed.kept)
    private(set) var changes = EventBacklog(capacity: ChangeJournal.kept)
    /// The latest state, and which one it is.
    private(set) var stats: (bytes: [UInt8], number: UInt64) = ([], 0)

    init(_ sources: AdminSources, on loop: EventLoop) {
        self.sources = sources
        super.init(loop: loop)
    }

    /// Keeps a reader supplied until it leaves.
    func join(_ reader: EventStream) {
        readers.append(reader)
        gather()
        if deadline == .never { setDeadline(loop.now + Self.tick) }
    }

    func leave(_ reader: EventStream) { readers.removeAll { $0 === reader } }

    func stop() {
        readers = []
        setDeadline(.never)
        loop.unregister(self)
    }

    override func deadlineReached() {
        guard !readers.isEmpty else { return }
        gather()
        // A reader that is found gone leaves.
        for reader in readers { reader.supply() }
        setDeadline(loop.now + Self.tick)
    }

    private func gather() {
        for record in sources.failures.records(after: &failurePlace) {
            failures.append(Self.message("failure", record))
        }
        for record in sources.journal.records(after: &changePlace) { changes.append(Self.message("change", record)) }
        let interval = Self.statsInterval(cost: statsCost)
        // A tick early is in time.
        if let statsTime, loop.now.since(statsTime) + Self.tick / 2 < interval { return }
        // Those that have not taken the last one would not get it.
        guard readers.contains(where: \.mayTakeMore) else { return }
        statsTime = loop.now
        let begin = MonotonicTime.now
        stats = (Self.message("stats", sources.snapshot()), stats.number + 1)
        statsCost = MonotonicTime.now.since(begin)
    }

    /// One message; JSON has no line break outside of strings, and escapes those inside.
    private static func message(_ event: String, _ value: some Encodable) -> [UInt8] {
        Array("event: \(event)\ndata: ".utf8) + (AdminJSON.encode(value) ?? Array("null".utf8)) + Array("\n\n".utf8)
    }
}

/// One reader of events.
///
/// It has at most one buffer on its way. One that is slow misses states, and of failures and changes those that are not kept any
/// longer. Loop thread only.
final class EventStream: ClientExchange {
    /// After so long without a message a comment is sent.
    private static let silence: UInt64 = 10_000_000_000
    private static let comment: [UInt8] = Array(":\n\n".utf8)

    private unowned let admin: AdminLoop
    private unowned let client: ClientConnection
    private var output = PieceSender()
    private var failurePlace: UInt64 = 0
    private var changePlace: UInt64 = 0
    private var statsNumber: UInt64 = 0
    private var lastSent: MonotonicTime

    init(_ admin: AdminLoop, _ client: ClientConnection) {
        self.admin = admin
        self.client = client
        lastSent = client.loop.now
    }

    func start() {
        output.append(
            AdminResponse.events.head(
                date: admin.clock.dateFieldValue(),
                keepAlive: false,
                clientMinorVersion: client.reader.head.minorVersion
            )
        )
        client.setDeadline(.never)
        admin.hub.join(self)
        supply()
    }

    /// Whether the client has taken what was sent before.
    var mayTakeMore: Bool { !client.hasPendingOutput }

    /// Sends what is new, if the client has taken what was sent before.
    func supply() {
        while output.send(on: client, from: admin.buffers) {
            guard let message = nextMessage() else {
                client.setDeadline(.never)
                return
            }
            lastSent = client.loop.now
            output.append(message)
        }
        // What does not move for long is not waited for.
        if client.deadline == .never { client.setDeadline(client.loop.now + AdminLoop.patience) }
    }

    private func nextMessage() -> [UInt8]? {
        let hub = admin.hub
        if statsNumber == 0, hub.stats.number > 0 {
            statsNumber = hub.stats.number
            return hub.stats.bytes
        }
        if let (message, next) = hub.failures.message(from: failurePlace) {
            failurePlace = next
            return message
        }
        if let (message, next) = hub.changes.message(from: changePlace) {
            changePlace = next
            return message
        }
        if statsNumber != hub.stats.number {
            statsNumber = hub.stats.number
            return hub.stats.bytes
        }
        return client.loop.now.since(lastSent) >= Self.silence ? Self.comment : nil
    }

    func responseIsDrained() {
        client.setDeadline(.never)
        supply()
    }

    func responseIsMoving() { client.setDeadline(client.loop.now + AdminLoop.patience) }

    func bodyIsReadable() {}

    func clientIsGone() { admin.hub.leave(self) }

    func processStops() {
        admin.hub.leave(self)
        if !client.hasPendingOutput, output.isEmpty { client.finishExchange(keepAlive: false) }
    }

    func deadlineReached() {
        admin.hub.leave(self)
        client.abort()
    }
}

@available(*, unavailable)
extension EventStream: Sendable {}
