// The admin API on its sockets: a thread of its own with an event loop, beside the workers.

internal import Dispatch
internal import EventLoop
public import Front
internal import HTTPWire
public import Logging
internal import Telemetry

/// The admin API cannot listen.
public struct AdminFailure: Error, CustomStringConvertible {
    public let description: String
}

/// Serves the admin API.
///
/// Any thread.
public final class AdminServer: Sendable {
    enum Message: Sendable {
        case stop
    }

    /// Where it listens, with the port that the kernel chose.
    public let address: ListenAddress
    let listeners: ListenerGroup
    let mailbox = Mailbox<Message>()
    let token: AdminToken?
    let diagnostics: Logger
    private let running = DispatchGroup()

    /// Begins to listen; those who connect wait until it is started.
    ///
    /// - Throws: ``AdminFailure`` when the address cannot be had.
    public init(on address: ListenAddress, token: AdminToken?, diagnostics: Logger) throws(AdminFailure) {
        do throws(ListenError) {
            // Of its user alone: whoever may connect may change everything.
            listeners = try ListenerGroup(
                on: [address],
                socketMode: 0o600,
                workers: 1,
                diagnostics: diagnostics,
                stopped: {}
            )
        } catch {
            throw AdminFailure(description: "\(SettingsTable.adminAddress.name)=\(error.address): \(error.reason)")
        }
        self.address = listeners.addresses[0]
        self.token = token
        self.diagnostics = diagnostics
    }

    /// Serves from now on.
    public func start(_ sources: AdminSources) {
        DispatchQueue(label: "curl-lb.admin").async(group: running) { [self] in AdminLoop(self, sources).run() }
    }

    /// Closes everything.
    public func stop() {
        mailbox.post(.stop)
        running.wait()
    }
}

/// The loop of the admin API, and the connections on it.
///
/// Confined to the queue that runs ``run()``.
final class AdminLoop: RequestHandler {
    /// The most connections, and how many more are told that they are too many.
    static let maximumConnections = 256
    private static let maximumRefused = 16
    private static let second: UInt64 = 1_000_000_000
    /// How long a client may take nothing of a response, and send nothing of its body.
    static let patience: UInt64 = 30 * second
    /// How many bytes of what nobody wants to read are read all the same, so that the answer before them arrives.
    private static let maximumDropped = 256 * 1024

    /// A connection, and what is known of it.
    private struct Guest {
        let connection: ClientConnection
        /// Whether it has had a request that not everyone may make.
        var isAdmitted = false
        /// When its latest request came, or it itself.
        var latest: MonotonicTime
    }

    private let server: AdminServer
    private let api: AdminAPI
    let loop = EventLoop()
    let clock = WallClock()
    let buffers = BufferPool(capacity: 64 * 1024, maximumIdle: 16)
    private(set) lazy var hub = EventHub(api.sources, on: loop)
    private lazy var front = FrontResources(
        loop: loop,
        handler: self,
        settings: FrontSettings(
            limits: HeadLimits(maxHeadBytes: 16 * 1024, maxFieldCount: 128, maxTargetBytes: 8 * 1024),
            idleNanoseconds: 120 * Self.second,
            headNanoseconds: 10 * Self.second,
            maximumPipelined: 16,
            maximumDropped: Self.maximumDropped
        ),
        responseBuffers: buffers
    )
    /// By the connections' ``ClientConnection/listIndex``.
    private var guests: [Guest] = []

    init(_ server: AdminServer, _ sources: AdminSources) {
        self.server = server
        api = AdminAPI(
            access: AdminAccess(address: server.address, token: server.token),
            sources: sources,
            diagnostics: server.diagnostics
        )
    }

    func run() {
        server.mailbox.open(on: loop) { [unowned self] message in
            switch message {
            case .stop: loop.stop()
            }
        }
        let acceptors = server.listeners.accept(on: loop) { [unowned self] in serve($0) }
        loop.run()
        _ = server.mailbox.closeAndDrain()
        acceptors.close()
        for guest in guests { guest.connection.closeNow() }
        hub.stop()
        loop.tearDown()
    }

    private func serve(_ socket: AcceptedSocket) {
        var socket = socket
        if guests.count >= Self.maximumConnections { makeRoom() }
        guard guests.count < Self.maximumConnections + Self.maximumRefused else {
            socket.close()
            return
        }
        if guests.count >= Self.maximumConnections { socket.admission = .refused(.total) }
        guard let connection = ClientConnection(socket, resources: front) else { return }
        connection.listIndex = guests.count
        guests.append(Guest(connection: connection, latest: loop.now))
        connection.start()
    }

    /// Closes the connection that has asked for nothing for longest: one that may be anybody's, else one at rest.
    ///
    /// So nobody locks out those who may use the API, nor probes, by keeping connections.
    private func makeRoom() {
        let strangers = guests.filter { !$0.isAdmitted }
        let candidates = strangers.isEmpty ? guests.filter(\.connection.isIdle) : strangers
        candidates.min { $0.latest < $1.latest }?.connection.closeNow()
    }

    // MARK: RequestHandler

    func beginExchange(on connection: ClientConnection) -> any ClientExchange {
        let request = AdminRequest(connection.reader)
        guests[connection.listIndex].latest = loop.now
        if api.isAdmitted(request) { guests[connection.listIndex].isAdmitted = true }
        switch api.admit(request) {
        case .answer(let response): return AdminExchange(self, connection, response)
        case .wantsBody(let route):
            return AdminExchange(self, connection) { [api] body in api.answer(request.method, route, body) }
        case .stream: return EventStream(self, connection)
        }
    }

    func beginExchange(on connection: ClientConnection, refusing reason: RequestRefused) -> any ClientExchange {
        AdminExchange(self, connection, Problem(reason).response, isLast: true)
    }

    func connectionClosed(_ connection: ClientConnection) {
        let last = guests.removeLast()
        if last.connection !== connection {
            guests[connection.listIndex] = last
            last.connection.listIndex = connection.listIndex
        }
        connection.listIndex = -1
    }
}

@available(*, unavailable)
extension AdminLoop: Sendable {}
