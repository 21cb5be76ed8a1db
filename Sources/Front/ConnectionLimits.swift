// How many connections clients may have, all together and each.

internal import Dispatch
internal import EventLoop
public import Logging
internal import Synchronization

/// Why a connection is not served.
public enum ConnectionRefusal: Sendable, Equatable {
    /// All clients together have as many as they may.
    case total
    /// This client has.
    case client
}

/// What an accepted connection is admitted to, until it is released.
public enum ConnectionAdmission: Sendable, Equatable {
    /// It is served.
    case served
    /// It is served, and counts among its client's, too.
    case servedAndCounted
    /// It is told that it is one too many.
    case refused(ConnectionRefusal)

    /// Why it is not served, if it is one too many.
    public var refusal: ConnectionRefusal? {
        switch self {
        case .served, .servedAndCounted: nil
        case .refused(let refusal): refusal
        }
    }
}

/// Counts the connections of the process and says which are too many.
///
/// Any thread. Whatever happens at the same time, no more are admitted than may be, and none is refused while there is a place. A connection too many is told so, as long as not too many of these are being told; the rest is closed without a word,
/// so that refusing cannot become the load that it is to keep away.
public final class ConnectionLimits: Sendable {
    private static let reportInterval: UInt64 = 10_000_000_000

    private let total: Atomic<Int>
    private let perClient: Atomic<Int>
    private let diagnostics: Logger
    private let count = Atomic<Int>(0)
    private let refusedCount = Atomic<Int>(0)
    private let clients = Mutex<[PeerAddress.Client: Int]>([:])
    private let report = Mutex((next: MonotonicTime(nanoseconds: 0), refused: 0))

    /// Nearly half of the files that the process may open: each connection may need a second one, to a backend.
    ///
    /// What pipes may take, and what is needed besides, is left out.
    public static var defaultTotal: Int {
        let descriptors = Int(clamping: Socket.descriptorLimit) - SplicePipeAllowance.descriptors
        return min(max(descriptors / 2 - 32, 1), maximumTotal)
    }

    /// More than one machine carries.
    public static let maximumTotal = 1_000_000

    /// - Parameters:
    ///   - total: the most connections at one time.
    ///   - perClient: the most of one IPv4 address or one IPv6 network of 64 bits; 0 sets no limit.
    public init(total: Int, perClient: Int, diagnostics: Logger) {
        self.total = Atomic(total)
        self.perClient = Atomic(perClient)
        self.diagnostics = diagnostics
    }

    /// Goes on with other limits.
    ///
    /// Connections that are there stay, even when there are more than may be. Those that came while clients had no limit of their own
    /// are not counted to their client.
    public func change(total: Int, perClient: Int) {
        self.total.store(total, ordering: .relaxed)
        self.perClient.store(perClient, ordering: .relaxed)
    }

    /// How many clients have a connection; for tests.
    var knownClients: Int { clients.withLock { $0.count } }

    /// How many may be told at one time that they are too many.
    private var refusable: Int { max(16, total.load(ordering: .relaxed) / 16) }

    /// Counts a connection in, which is to be released in the end; nil when it is to be closed without a word.
    public func admit(_ peer: PeerAddress) -> ConnectionAdmission? {
        // The client's own place first: who holds one of all while it is looked for keeps others out that could have it.
        let perClient = perClient.load(ordering: .relaxed)
        let client = perClient > 0 ? peer.client : nil
        if let client, !takePlace(of: client, limit: perClient) { return refuse(.client) }
        if count.takeOne(below: total.load(ordering: .relaxed)) { return client == nil ? .served : .servedAndCounted }
        if let client { leavePlace(of: client) }
        return refuse(.total)
    }

    private func takePlace(of client: PeerAddress.Client, limit: Int) -> Bool {
        clients.withLock { clients in
            let count = clients[client, default: 0]
            guard count < limit else { return false }
            clients[client] = count + 1
            return true
        }
    }

    private func refuse(_ refusal: ConnectionRefusal) -> ConnectionAdmission? {
        let isTold = refusedCount.takeOne(below: refusable)
        tell(refusal)
        return isTold ? .refused(refusal) : nil
    }

    /// Counts a connection out that was closed.
    public func release(_ peer: PeerAddress, _ admission: ConnectionAdmission) {
        switch admission {
        case .refused:
            refusedCount.wrappingSubtract(1, ordering: .relaxed)
        case .served:
            count.wrappingSubtract(1, ordering: .relaxed)
        case .servedAndCounted:
            count.wrappingSubtract(1, ordering: .relaxed)
            guard let client = peer.client else { preconditionFailure("who is counted to a client has one") }
            leavePlace(of: client)
        }
    }

    private func leavePlace(of client: PeerAddress.Client) {
        clients.withLock { clients in
            guard let count = clients[client] else { preconditionFailure("a client is released as often as admitted") }
            clients[client] = count > 1 ? count - 1 : nil
        }
    }

    /// Warns, but not for each connection.
    private func tell(_ refusal: ConnectionRefusal) {
        let refused = report.withLock { report -> Int? in
            report.refused += 1
            guard MonotonicTime.now >= report.next else { return nil }
            report.next = .now + Self.reportInterval
            return report.refused
        }
        guard let refused else { return }
        let limit =
            switch refusal {
            case .total: "LB_MAX_CONNECTIONS=\(total.load(ordering: .relaxed))"
            case .client: "LB_MAX_PER_CLIENT=\(perClient.load(ordering: .relaxed))"
            }
        // Nobody may be reading standard error, and a worker does not wait.
        DispatchQueue.global(qos: .utility).async { [diagnostics] in
            diagnostics.warning("\(limit) is reached: connections are refused, \(refused) so far")
        }
    }
}

extension Atomic where Value == Int {
    /// Counts one more, unless there are as many as may be.
    ///
    /// Not counted first and taken back later: meanwhile another thread would find no place where there is one.
    fileprivate borrowing func takeOne(below limit: Int) -> Bool {
        var count = load(ordering: .relaxed)
        while count < limit {
            let (isTaken, found) = weakCompareExchange(expected: count, desired: count + 1, ordering: .relaxed)
            if isTaken { return true }
            count = found
        }
        return false
    }
}
