// The pool as it is changed while workers run: its roster, and where each backend is.

public import Balancing
internal import Upstream

/// A change of the pool.
public enum PoolChange: Sendable, Equatable {
    /// A backend comes: up, ready, last in the list.
    case add(BackendConfiguration)
    /// A backend goes: it gets nothing new, and finishes what it has.
    case remove(name: String)
    case weight(name: String, Int)
    /// Whether it is used only when no ordinary backend can be.
    case backup(name: String, Bool)
    /// The most requests in flight; 0 for any number.
    case maximumInFlight(name: String, Int)
    case administrative(name: String, AdministrativeState)
    case operational(name: String, OperationalState)
    /// The members' order: those named first, the others after them.
    case order(names: [String])
    /// The rule by which backends are chosen.
    case policy(Policy)
    /// How its health is checked, and how it ramps up.
    case health(name: String, BackendHealth)
}

/// How a pool as a whole behaves.
public struct PoolSettings: Sendable {
    /// What is known of a backend that comes, or comes back from maintenance; `unchecked` where a ``HealthMonitor`` makes checks.
    public var newcomers: OperationalState
    /// Whether all ready backends are used when none is usable (panic mode).
    public var failsOpen: Bool

    public init(newcomers: OperationalState = .up, failsOpen: Bool = false) {
        self.newcomers = newcomers
        self.failsOpen = failsOpen
    }
}

/// Makes one update after the other for the workers.
struct PoolControl {
    /// Of a short list balancers are soon out of step by chance; there the first request goes to the first backend.
    private static let shortList = 64

    /// Whether round robin begins, or has begun, somewhere in a long list: once, when the list has become long.
    private var isTurnDrawn = false
    private var roster: PoolRoster
    /// By the backend's name.
    private var origins: [String: Origin] = [:]
    /// By the backend's name.
    private var health: [String: BackendHealth] = [:]
    private(set) var update: PoolUpdate

    init(
        _ policy: Policy,
        _ configurations: [BackendConfiguration],
        _ settings: PoolSettings = PoolSettings(),
        affinityToken: (@Sendable (String) -> AffinityToken)? = nil
    ) throws(PoolRefusal) {
        roster = PoolRoster(
            policy: policy,
            newcomers: settings.newcomers,
            failsOpen: settings.failsOpen,
            affinityToken: affinityToken
        )
        update = PoolUpdate(snapshot: roster.makeSnapshot(), origins: [], health: [])
        try apply(configurations.map { .add($0) }, adopted: 0)
    }

    /// Removed backends with requests in flight.
    var draining: [Backend] { roster.draining }

    /// Makes all of the changes, or when one is refused, none.
    ///
    /// - Parameter adopted: The lowest version that any worker has.
    mutating func apply(_ changes: [PoolChange], adopted: UInt64) throws(PoolRefusal) {
        var next = self
        next.roster.release(adopted: adopted)
        for change in changes { try next.apply(change) }
        next.drawTurn()
        next.makeUpdate()
        self = next
    }

    /// Has the first request of a list that has become long go anywhere, so that several balancers do not go through it in step.
    private mutating func drawTurn() {
        let count = roster.members.count
        guard !isTurnDrawn, count > Self.shortList else { return }
        isTurnDrawn = true
        roster.moveTurn(to: .random(in: 0..<UInt(count)))
    }

    /// Takes over what is known of the members' health; those that are gone are passed over.
    mutating func take(_ conditions: [BackendCondition], adopted: UInt64) {
        roster.release(adopted: adopted)
        for condition in conditions { roster.set(condition) }
        makeUpdate()
    }

    /// Goes on with other ways of the pool as a whole, and other tokens of bound clients.
    mutating func change(
        _ settings: PoolSettings,
        affinityToken: (@Sendable (String) -> AffinityToken)?,
        adopted: UInt64
    ) {
        roster.release(adopted: adopted)
        roster.setWays(newcomers: settings.newcomers, failsOpen: settings.failsOpen)
        roster.setAffinity(affinityToken)
        makeUpdate()
    }

    private mutating func makeUpdate() {
        let snapshot = roster.makeSnapshot()
        let origins = snapshot.members.map { member in
            guard let origin = self.origins[member.backend.name] else {
                preconditionFailure("a member comes with its origin")
            }
            return origin
        }
        let health = snapshot.members.map { self.health[$0.backend.name] ?? BackendHealth() }
        update = PoolUpdate(snapshot: snapshot, origins: origins, health: health)
    }

    private mutating func apply(_ change: PoolChange) throws(PoolRefusal) {
        switch change {
        case .add(let configuration):
            try roster.add(configuration.poolEntry)
            origins[configuration.name] = configuration.origin
            health[configuration.name] = configuration.health
        case .remove(let name):
            try roster.remove(name)
            origins[name] = nil
            health[name] = nil
        case .weight(let name, let weight): try roster.setWeight(of: name, to: weight)
        case .backup(let name, let isBackup): try roster.setBackup(of: name, to: isBackup)
        case .maximumInFlight(let name, let limit): try roster.setMaximumInFlight(of: name, to: limit)
        case .administrative(let name, let state): try roster.set(state, for: name)
        case .operational(let name, let state): try roster.set(state, for: name)
        case .order(let names): try roster.arrange(names)
        case .policy(let policy): roster.setPolicy(policy)
        case .health(let name, let settings):
            guard health[name] != nil else { throw .unknown(name: name) }
            health[name] = settings
        }
    }
}
