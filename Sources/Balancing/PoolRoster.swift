// The list of a pool's members as it is changed: who comes and goes, with which weight and in which state.

internal import Synchronization

/// What a new member brings.
public struct PoolEntry: Sendable {
    public var name: String
    public var weight: Int
    public var isBackup: Bool
    public var maximumInFlight: Int

    public init(name: String, weight: Int = 1, isBackup: Bool = false, maximumInFlight: Int = 0) {
        self.name = name
        self.weight = weight
        self.isBackup = isBackup
        self.maximumInFlight = maximumInFlight
    }
}

/// Why a change of the pool is refused.
public enum PoolRefusal: Error, Equatable {
    /// No member has this name.
    case unknown(name: String)
    /// A member has this name already.
    case taken(name: String)
    /// A weight outside of ``PoolRoster/weights``, or a negative limit.
    case outOfRange(Int)
}

/// The members, in their order, and the indices that they stand at in tables by backend.
///
/// A value: whoever changes a pool keeps it, and makes snapshots of it.
public struct PoolRoster: Sendable {
    /// The weights that a member may have.
    public static let weights = 0...65535

    public private(set) var members: [PoolMember] = []
    private var policy: Policy
    /// Makes the token of a backend from its name; nil where no client is bound to any.
    private var affinityToken: (@Sendable (String) -> AffinityToken)?
    /// What is known of a backend that comes, or comes back from maintenance: `unchecked` where health checks will tell.
    private var newcomers: OperationalState
    /// Whether all that are ready are used when none is usable.
    private var failsOpen: Bool
    private var latest: PoolSnapshot?
    private let ordinary: Cursor
    private let backup: Cursor
    private var version: UInt64 = 0
    /// Where the loads of many backends are kept for a policy that seeks the least; those that come under another policy, which is
    /// changed later, are looked at one by one.
    private let loadGroups = LoadGroups()
    /// So many backends of a pool have their loads to themselves: workers have less to contend for, and to look at all is cheap.
    static let ungroupedLoads = 64
    /// Members that were removed, whose index is not free yet, and the first version without each.
    private var leaving: [(backend: Backend, since: UInt64)] = []

    /// - Parameters:
    ///   - newcomers: The operational state of a backend that comes, or comes back from maintenance.
    ///   - failsOpen: Whether all that are ready are used when none is usable.
    ///   - affinityToken: Makes the token of a backend from its name, a different one for each; nil where no client is bound to a
    ///     backend.
    ///   - firstTurn: Where round robin starts: several balancers of a long list that all start at its beginning go through it in
    ///     step for hours, so that each backend gets a request from all of them at the same time.
    public init(
        policy: Policy,
        newcomers: OperationalState = .up,
        failsOpen: Bool = false,
        affinityToken: (@Sendable (String) -> AffinityToken)? = nil,
        firstTurn: UInt = 0
    ) {
        self.policy = policy
        self.newcomers = newcomers
        self.failsOpen = failsOpen
        ordinary = Cursor(first: firstTurn)
        backup = Cursor(first: firstTurn)
        self.affinityToken = affinityToken
    }

    /// The members as they stand, under a version of its own.
    public mutating func makeSnapshot() -> PoolSnapshot {
        version += 1
        let snapshot = PoolSnapshot(
            version: version,
            policy: policy,
            members: members,
            failsOpen: failsOpen,
            ordinary: ordinary,
            backup: backup,
            like: latest?.policy == policy ? latest : nil
        )
        latest = snapshot
        return snapshot
    }

    /// Removed backends with attempts in flight.
    public var draining: [Backend] {
        leaving.map(\.backend).filter { $0.inFlight.load(ordering: .relaxed) > 0 }
    }

    // MARK: Coming and going

    /// Adds a member at the list's end: ready, as known as newcomers are, and at the lowest index that is free.
    @discardableResult
    public mutating func add(_ entry: PoolEntry) throws(PoolRefusal) -> Backend {
        try check(weight: entry.weight)
        guard entry.maximumInFlight >= 0 else { throw .outOfRange(entry.maximumInFlight) }
        guard position(of: entry.name) == nil else { throw .taken(name: entry.name) }
        let taken = Set((members.map(\.backend) + leaving.map(\.backend)).map(\.index))
        let index = (0...taken.count).first { !taken.contains($0) } ?? taken.count
        let isGrouped = policy == .leastConnections && members.count >= Self.ungroupedLoads
        let slot = isGrouped ? loadGroups.nextSlot() : nil
        let backend = Backend(index: index, name: entry.name, loadSlot: slot)
        members.append(
            PoolMember(
                backend: backend,
                weight: entry.weight,
                isBackup: entry.isBackup,
                maximumInFlight: entry.maximumInFlight,
                state: BackendState(newcomers),
                affinityToken: affinityToken?(entry.name)
            )
        )
        return backend
    }

    /// Removes a member: it gets nothing new and finishes what it has.
    public mutating func remove(_ name: String) throws(PoolRefusal) {
        leaving.append((members.remove(at: try find(name)).backend, version + 1))
    }

    /// Frees the indices of backends that nobody can ask any more.
    ///
    /// - Parameter version: The lowest that any worker has: those that left before it can be chosen by none.
    public mutating func release(adopted version: UInt64) {
        leaving.removeAll { $0.since <= version && $0.backend.inFlight.load(ordering: .relaxed) == 0 }
    }

    /// Has round robin go on somewhere else, in all snapshots.
    public func moveTurn(to turn: UInt) {
        ordinary.move(to: turn)
        backup.move(to: turn)
    }

    // MARK: Changing

    public mutating func setWeight(of name: String, to weight: Int) throws(PoolRefusal) {
        try check(weight: weight)
        members[try find(name)].weight = weight
    }

    public mutating func setBackup(of name: String, to isBackup: Bool) throws(PoolRefusal) {
        members[try find(name)].isBackup = isBackup
    }

    public mutating func setMaximumInFlight(of name: String, to limit: Int) throws(PoolRefusal) {
        guard limit >= 0 else { throw .outOfRange(limit) }
        members[try find(name)].maximumInFlight = limit
    }

    /// Sets what the operator wants of a member; what was known of one that comes back from maintenance is old.
    public mutating func set(_ state: AdministrativeState, for name: String) throws(PoolRefusal) {
        let position = try find(name)
        if members[position].state.administrative == .maintenance, state != .maintenance {
            members[position].state.operational = newcomers
        }
        members[position].state.administrative = state
    }

    public mutating func set(_ state: OperationalState, for name: String) throws(PoolRefusal) {
        members[try find(name)].state.operational = state
    }

    /// Goes over to another rule; the round-robin order goes on from where it stands.
    public mutating func setPolicy(_ policy: Policy) { self.policy = policy }

    /// Goes on with other ways, for those that come from now on and for all as a whole.
    public mutating func setWays(newcomers: OperationalState, failsOpen: Bool) {
        self.newcomers = newcomers
        self.failsOpen = failsOpen
    }

    /// Has clients bound by other tokens, or no longer: those that hold the former ones are strangers.
    public mutating func setAffinity(_ token: (@Sendable (String) -> AffinityToken)?) {
        affinityToken = token
        for position in members.indices { members[position].affinityToken = token?(members[position].backend.name) }
    }

    /// Puts the members into the order of these names; those that are not named come last, in the order that they have.
    public mutating func arrange(_ names: [String]) throws(PoolRefusal) {
        for name in names { _ = try find(name) }
        let places = Dictionary(zip(names, names.indices)) { first, _ in first }
        let order = members.indices.sorted { first, second in
            let places = [first, second].map { places[members[$0].backend.name] ?? names.count }
            return (places[0], first) < (places[1], second)
        }
        members = order.map { members[$0] }
    }

    /// Takes over what is known of a backend's health, if it is a member still.
    public mutating func set(_ condition: BackendCondition) {
        guard let position = members.firstIndex(where: { $0.backend === condition.backend }) else { return }
        members[position].state.operational = condition.operational
        members[position].state.requested = condition.requested
        members[position].weightPercent = condition.weightPercent
        members[position].isSilent = condition.isSilent
    }

    private func position(of name: String) -> Int? { members.firstIndex { $0.backend.name == name } }

    private func find(_ name: String) throws(PoolRefusal) -> Int {
        guard let position = position(of: name) else { throw .unknown(name: name) }
        return position
    }

    private func check(weight: Int) throws(PoolRefusal) {
        guard Self.weights.contains(weight) else { throw .outOfRange(weight) }
    }
}
