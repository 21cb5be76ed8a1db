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

/// Counts the connections of the process and says which are too many.
///
/// Any thread. A connection too many is told so, as long as not too many of these are being told; the rest is closed without a word,
/// so that refusing cannot become the load that it is to keep away.
public final class ConnectionLimits: Sendable {
    /// What becomes of an accepted connection.
    public enum Verdict: Equatable, Sendable {
        case served
        case refused(ConnectionRefusal)
        case dropped
    }

    private static let reportInterval: UInt64 = 10_000_000_000

    private let total: Int
    private let perClient: Int
    private let diagnostics: Logger
    private let count = Atomic<Int>(0)
    private let refusedCount = Atomic<Int>(0)
    private let clients = Mutex<[PeerAddress.Client: Int]>([:])
    private let report = Mutex((next: MonotonicTime(nanoseconds: 0), refused: 0))

    /// Half of the files that the process may open: each connection may need a second one, to a backend.
    public static var defaultTotal: Int { min(max(Int(clamping: Socket.descriptorLimit) / 2 - 32, 1), maximumTotal) }

    /// More than one machine carries.
    public static let maximumTotal = 1_000_000

    /// - Parameters:
    ///   - total: the most connections at one time.
    ///   - perClient: the most of one IPv4 address or one IPv6 network of 64 bits; 0 sets no limit.
    public init(total: Int, perClient: Int, diagnostics: Logger) {
        self.total = total
        self.perClient = perClient
        self.diagnostics = diagnostics
    }

    /// How many clients have a connection; for tests.
    var knownClients: Int { clients.withLock { $0.count } }

    /// How many may be told at one time that they are too many.
    private var refusable: Int { max(16, total / 16) }

    /// Counts a connection in; every one that is not dropped is to be released.
    public func admit(_ peer: PeerAddress) -> Verdict {
        if count.wrappingAdd(1, ordering: .relaxed).newValue > total {
            count.wrappingSubtract(1, ordering: .relaxed)
            return refuse(.total)
        }
        if admitClient(peer) { return .served }
        count.wrappingSubtract(1, ordering: .relaxed)
        return refuse(.client)
    }

    private func admitClient(_ peer: PeerAddress) -> Bool {
        guard perClient > 0, let client = peer.client else { return true }
        return clients.withLock { clients in
            let count = clients[client, default: 0]
            guard count < perClient else { return false }
            clients[client] = count + 1
            return true
        }
    }

    private func refuse(_ refusal: ConnectionRefusal) -> Verdict {
        let isTold = refusedCount.wrappingAdd(1, ordering: .relaxed).newValue <= refusable
        if !isTold { refusedCount.wrappingSubtract(1, ordering: .relaxed) }
        tell(refusal)
        return isTold ? .refused(refusal) : .dropped
    }

    /// Counts a connection out that was closed.
    public func release(_ peer: PeerAddress, _ refusal: ConnectionRefusal?) {
        guard refusal == nil else {
            refusedCount.wrappingSubtract(1, ordering: .relaxed)
            return
        }
        count.wrappingSubtract(1, ordering: .relaxed)
        guard perClient > 0, let client = peer.client else { return }
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
            case .total: "LB_MAX_CONNECTIONS=\(total)"
            case .client: "LB_MAX_PER_CLIENT=\(perClient)"
            }
        // Nobody may be reading standard error, and a worker does not wait.
        DispatchQueue.global(qos: .utility).async { [diagnostics] in
            diagnostics.warning("\(limit) is reached: connections are refused, \(refused) so far")
        }
    }
}
