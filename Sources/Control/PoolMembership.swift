// Who should be a member of the pool: what the configuration, discovery and the operator want, put together.

internal import Balancing
internal import Forwarding

/// The wishes of all sources, and the members that have come of them.
///
/// A value without a clock and without effects: ``plan()`` tells what has to change, and its caller makes it so.
struct PoolMembership: Sendable {
    /// What stands in the configuration, in its order.
    enum Configured: Sendable, Equatable {
        case backend(BackendSetting)
        /// The place of the backends that a source of discovery finds.
        case source(String)
    }

    private(set) var configured: [Configured] = []
    /// What each source of discovery has found last.
    private var found: [String: [BackendSetting]] = [:]
    /// What the operator has added, and where these stand in place of others' members of the same name.
    private var added: [BackendSetting] = []
    /// The members that the operator has removed, though a source has them still.
    private var removed: Set<String> = []
    /// By the member's name.
    private var overrides: [String: MemberOverrides] = [:]
    private(set) var policy: Policy
    private var plannedPolicy: Policy
    /// The members as the pool has them, in its order.
    private(set) var members: [MemberReport] = []
    private var incarnations: UInt64 = 0

    init(policy: Policy) {
        self.policy = policy
        plannedPolicy = policy
    }

    // MARK: Wishes

    /// Takes another configuration in place of the one before.
    mutating func configure(_ configured: [Configured]) {
        self.configured = configured
        let sources = Set(configured.compactMap { if case .source(let source) = $0 { source } else { nil } })
        found = found.filter { sources.contains($0.key) }
    }

    mutating func setPolicy(_ policy: Policy) { plannedPolicy = policy }

    /// Takes what a source of discovery has found in place of what it found before; a source that is not configured is passed over.
    mutating func discover(_ backends: [BackendSetting], by source: String) {
        guard configured.contains(.source(source)) else { return }
        found[source] = backends
    }

    mutating func add(_ backend: BackendSetting) throws(PoolRefusal) {
        guard !members.contains(where: { $0.name == backend.name }) else { throw .taken(name: backend.name) }
        added.append(backend)
        removed.remove(backend.name)
    }

    mutating func remove(_ name: String) throws(PoolRefusal) {
        try check(name)
        added.removeAll { $0.name == name }
        // Forgotten at once when no source has it.
        removed.insert(name)
    }

    mutating func setWeight(of name: String, to weight: Int?) throws(PoolRefusal) {
        try check(name)
        overrides[name, default: MemberOverrides()].weight = weight
    }

    mutating func setState(of name: String, to state: AdministrativeState?) throws(PoolRefusal) {
        try check(name)
        overrides[name, default: MemberOverrides()].state = state
    }

    private func check(_ name: String) throws(PoolRefusal) {
        guard members.contains(where: { $0.name == name }) else { throw .unknown(name: name) }
    }

    // MARK: What comes of them

    /// What all sources but the operator have, in order.
    private var offered: [MemberReport] {
        configured.flatMap { entry in
            switch entry {
            case .backend(let backend): [MemberReport(setting: backend, source: .configuration)]
            case .source(let source):
                (found[source] ?? []).map { MemberReport(setting: $0, source: .discovery(source)) }
            }
        }
    }

    /// The members that there should be, in order: of two with the same name the operator's, else the first.
    private mutating func wanted() -> [MemberReport] {
        let offered = offered
        // What the configuration has now just as the operator made it is the configuration's from here on.
        added.removeAll { backend in offered.contains { $0.setting == backend } }
        removed.formIntersection(offered.map(\.name))
        var names = Set(added.map(\.name))
        let all =
            offered.filter { !removed.contains($0.name) && names.insert($0.name).inserted }
            + added.map { MemberReport(setting: $0, source: .operator) }
        overrides = overrides.filter { names.contains($0.key) && $0.value != MemberOverrides() }
        return all.map {
            MemberReport(
                setting: $0.setting,
                source: $0.source,
                overrides: overrides[$0.name] ?? MemberOverrides()
            )
        }
    }

    /// Goes over to the members that there should be, and tells by which changes the pool does so, too.
    mutating func plan() -> [PoolChange] {
        var wanted = wanted()
        let present = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0) })
        for (index, member) in wanted.enumerated() {
            if let same = present[member.name], same.setting.origin == member.setting.origin {
                wanted[index].incarnation = same.incarnation
            } else {
                incarnations += 1
                wanted[index].incarnation = incarnations
            }
        }
        var changes = PoolDifference.changes(from: members, to: wanted)
        if plannedPolicy != policy { changes.append(.policy(plannedPolicy)) }
        members = wanted
        policy = plannedPolicy
        return changes
    }
}
