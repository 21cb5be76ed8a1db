// Who should be a member of the pool: what the configuration, discovery and the operator want, put together.

internal import Balancing
internal import Forwarding

/// The wishes of all sources, and the members that have come of them.
///
/// A value without a clock and without effects: ``plan()`` tells what has to change, and its caller makes it so.
struct PoolMembership: Sendable {
    /// A backend that is no member because another one has its name.
    struct Shadowed: Sendable, Equatable {
        let name: String
        let source: MemberSource
        let winner: MemberSource
    }

    private var configured: [BackendEntry] = []
    /// What each source of discovery has found last, by its identity.
    private var found: [String: [BackendSetting]] = [:]
    /// Sources of discovery that are new and have not answered yet, neither well nor badly.
    private(set) var awaited: Set<String> = []
    /// Those that have, or were awaited for too long.
    private var asked: Set<String> = []
    /// Members that another configuration has dropped, kept until the sources that stand in their place have answered.
    private var kept: Set<String> = []
    /// What the operator has added; these stand in place of others' members of the same name.
    private var added: [BackendSetting] = []
    /// The members that the operator has removed, though a source has them still.
    private(set) var removed: Set<String> = []
    /// By the member's name.
    private var overrides: [String: MemberOverrides] = [:]
    private(set) var policy: Policy
    private var wantedPolicy: Policy
    /// The members as the pool has them, in its order.
    private(set) var members: [MemberReport] = []
    private(set) var shadowed: [Shadowed] = []
    private var incarnations: UInt64 = 0

    init(policy: Policy) {
        self.policy = policy
        wantedPolicy = policy
    }

    // MARK: Wishes

    /// The sources of discovery that are configured.
    var sources: [DiscoverySource] {
        configured.compactMap { if case .source(let source) = $0 { source } else { nil } }
    }

    /// Takes another configuration in place of the one before.
    ///
    /// While a new source of discovery has not answered, members that go stay: it may well be that they are what it finds.
    mutating func configure(_ entries: [BackendEntry]) {
        configured = entries
        let identities = Set(sources.map(\.identity))
        found = found.filter { identities.contains($0.key) }
        asked.formIntersection(identities)
        awaited = identities.subtracting(asked)
        var next = self
        next.kept = []
        kept = awaited.isEmpty ? [] : Set(members.map(\.name)).subtracting(next.wanted().map(\.name))
    }

    mutating func setPolicy(_ policy: Policy) { wantedPolicy = policy }

    /// Takes what a source has found in place of what it found before; a source that is not configured is passed over.
    mutating func discover(_ backends: [BackendSetting], by source: String) {
        guard sources.contains(where: { $0.identity == source }) else { return }
        found[source] = backends
        stopAwaiting(source)
    }

    /// Waits no longer for the first answer of a source.
    mutating func stopAwaiting(_ source: String) {
        asked.insert(source)
        awaited.remove(source)
        if awaited.isEmpty { kept = [] }
    }

    mutating func add(_ backend: BackendSetting) throws(PoolRefusal) {
        guard !members.contains(where: { $0.name == backend.name }) else { throw .taken(name: backend.name) }
        added.append(backend)
        removed.remove(backend.name)
    }

    mutating func remove(_ name: String) throws(PoolRefusal) {
        try check(name)
        added.removeAll { $0.name == name }
        kept.remove(name)
        // Forgotten at once when no source has it.
        removed.insert(name)
    }

    mutating func setWeight(of name: String, to weight: Int?) throws(PoolRefusal) {
        try check(name)
        overrides[name, default: MemberOverrides()].weight = weight
    }

    mutating func setState(of name: String, to state: AdministrativeState) throws(PoolRefusal) {
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
                (found[source.identity] ?? []).map {
                    MemberReport(setting: $0, source: .discovery(source.identity))
                }
            }
        }
    }

    /// The members that there should be, in order: of two with the same name the operator's, else the first.
    private mutating func wanted() -> [MemberReport] {
        let offered = offered
        // What the configuration has now just as the operator made it is the configuration's from here on.
        added.removeAll { backend in offered.contains { $0.setting == backend } }
        removed.formIntersection(offered.map(\.name))
        var winners = Dictionary(added.map { ($0.name, MemberSource.operator) }) { first, _ in first }
        shadowed = []
        var all: [MemberReport] = []
        for member in offered where !removed.contains(member.name) {
            if let winner = winners[member.name] {
                shadowed.append(Shadowed(name: member.name, source: member.source, winner: winner))
            } else {
                winners[member.name] = member.source
                all.append(member)
            }
        }
        all += added.map { MemberReport(setting: $0, source: .operator) }
        all += members.filter { kept.contains($0.name) && winners[$0.name] == nil }
        let names = Set(all.map(\.name))
        // The same goes for what stands in the configuration as the operator wants it.
        for member in all where overrides[member.name] != nil {
            if overrides[member.name]?.weight == member.setting.weight { overrides[member.name]?.weight = nil }
            if overrides[member.name]?.state == member.setting.state { overrides[member.name]?.state = nil }
        }
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
        if wantedPolicy != policy { changes.append(.policy(wantedPolicy)) }
        members = wanted
        policy = wantedPolicy
        return changes
    }
}
