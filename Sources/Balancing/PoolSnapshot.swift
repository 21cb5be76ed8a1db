// The pool as it stands at one time: the backends, their weights and states, and what the policies need of them.

internal import Synchronization

/// A backend's part in a pool.
public struct PoolMember: Sendable {
    public let backend: Backend
    /// Its share beside the others'; with 0 it gets nothing.
    public var weight: Int
    /// How much of its weight counts now: less than 100 while it ramps up, or when the backend has asked for less.
    public var weightPercent = 100
    /// Whether it is used only when no ordinary member is eligible.
    public var isBackup: Bool
    /// The most attempts in flight at it; 0 for any number.
    public var maximumInFlight: Int
    public var state: BackendState
    /// What clients that are bound to it hold; nil where none are.
    public var affinityToken: AffinityToken?
    /// Whether it is ejected because it leaves requests waiting: who waits there had better ask another.
    public var isSilent = false

    /// Whether a policy may choose it, unless it is full.
    public var takesRequests: Bool { weight > 0 && weightPercent > 0 && state.use.takesRequests }

    /// Whether a policy may choose it when there is nobody else.
    public var servesInPanic: Bool { weight > 0 && weightPercent > 0 && state.servesInPanic }

    /// Whether nothing is known against it: a policy may choose it when nobody is known to be usable.
    var isUntried: Bool { servesInPanic && state.operational == .unchecked }
}

/// The members of a pool with all that is known of them, immutable: workers read it without a lock, and get another one when
/// something changes.
///
/// Any thread.
public final class PoolSnapshot: Sendable {
    /// Grows with each change.
    public let version: UInt64
    public let policy: Policy
    /// All members, in the list's order.
    public let members: [PoolMember]
    /// Whether nothing is usable, and requests go to all that are ready, whatever is thought of them (Envoy's panic mode).
    public let isPanic: Bool
    /// Whether nothing is known to be usable, and requests go to those that have not been checked yet: they have all come just now.
    public let usesUntried: Bool
    /// Those that get requests.
    let ordinary: Tier
    /// Those that get them when no ordinary one is eligible.
    let backup: Tier
    /// Those that keep the clients that are bound to them.
    let affinity: AffinityTable
    /// Whether any of them can be full.
    let hasLimits: Bool
    /// Whether one of them takes the clients that are bound to it, and no others.
    let keepsPlacesForBound: Bool

    /// Attempts in flight at all members together.
    ///
    /// - Complexity: O(members).
    public var inFlight: Int { members.reduce(0) { $0 + $1.backend.inFlight.load(ordering: .relaxed) } }

    /// What clients that are bound to a backend hold; nil where none are, and of a backend that has left.
    public func affinityToken(of backend: Backend) -> AffinityToken? { affinity.token(of: backend.index) }

    /// How many members get requests, backups among them only while they do.
    public var usableCount: Int { ordinary.places.isEmpty ? backup.places.count : ordinary.places.count }

    /// The members that are known to be silent since a former snapshot.
    public func newlySilent(since former: PoolSnapshot) -> [Backend] {
        let silent = members.filter(\.isSilent).map(\.backend)
        guard !silent.isEmpty else { return [] }
        return silent.filter { backend in !former.members.contains { $0.isSilent && $0.backend === backend } }
    }

    /// - Parameters:
    ///   - failsOpen: Whether the ready ones are used when none is usable.
    ///   - former: The snapshot before, if the policy was the same.
    init(
        version: UInt64,
        policy: Policy,
        members: [PoolMember],
        failsOpen: Bool,
        ordinary: Cursor,
        backup: Cursor,
        like former: PoolSnapshot?
    ) {
        self.version = version
        self.policy = policy
        self.members = members
        var usable = members.filter(\.takesRequests)
        var isPanic = false
        let untried = usable.isEmpty ? members.filter(\.isUntried) : []
        usesUntried = !untried.isEmpty
        if usesUntried { usable = untried }
        if failsOpen, usable.isEmpty {
            usable = members.filter(\.servesInPanic)
            isPanic = !usable.isEmpty
        }
        self.isPanic = isPanic
        self.ordinary = Tier(
            usable.filter { !$0.isBackup },
            policy: policy,
            cursor: ordinary,
            ignoresPercents: isPanic,
            like: former?.ordinary
        )
        self.backup = Tier(
            usable.filter(\.isBackup),
            policy: policy,
            cursor: backup,
            ignoresPercents: isPanic,
            like: former?.backup
        )
        affinity = AffinityTable(members)
        let limited = members.filter { $0.maximumInFlight > 0 }
        let used = limited.isEmpty ? [] : Set(usable.map(\.backend.index))
        keepsPlacesForBound = limited.contains {
            $0.affinityToken != nil && $0.state.use.keepsAffinity && !used.contains($0.backend.index)
        }
        hasLimits = keepsPlacesForBound || limited.contains { used.contains($0.backend.index) }
    }
}
