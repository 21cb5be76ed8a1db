// The one authority over who is a member of the pool.

public import Balancing
internal import Dispatch
public import Forwarding
public import Logging
internal import Glibc
internal import Synchronization

/// What has changed, as observers hear it.
public struct PoolNews: Sendable {
    /// All members, in the pool's order.
    public let members: [MemberReport]
    /// What the pool was told; empty for the first news of an observer, and when only what the pool does not know has changed.
    public let changes: [PoolChange]

    /// Who came and who went, in a few words; nil when nobody did.
    static func summary(of changes: [PoolChange]) -> String? {
        var came: [String] = []
        var went: [String] = []
        for change in changes {
            switch change {
            case .add(let backend): came.append(backend.name)
            case .remove(let name): went.append(name)
            case .weight, .backup, .maximumInFlight, .administrative, .operational, .order, .policy, .health: break
            }
        }
        let parts = [("added", came), ("removed", went)].filter { !$0.1.isEmpty }
        return parts.isEmpty
            ? nil : parts.map { "\($0) \($1.joined(separator: ", "))" }.joined(separator: "; ")
    }
}

/// Decides who is a member of the pool, from what the configuration, discovery and the operator say.
///
/// What differs from before is applied as one change. A member whose URL and options of its connection are as they were stays
/// untouched, with its connections, streams and counters; weight, `backup` and `max_conns` change in place; with another origin
/// under the same name a new backend comes, and the former one drains. What the operator does overrides the other sources and
/// survives their changes for as long as the member is there.
///
/// Any thread, but never a worker's: it waits for a lock.
public final class PoolDirector: Sendable {
    private struct State {
        var membership: PoolMembership
        var discovery: DiscoverySettings
        var observers: [@Sendable (PoolNews) -> Void] = []
    }

    /// How long members that another configuration has dropped stay for the sake of a source that has not answered yet, and how
    /// long the start may wait for that.
    static let firstAnswers = Duration.seconds(5)

    private let state: Mutex<State>
    private let discovery: Discovery
    private let apply: @Sendable ([PoolChange]) throws(PoolRefusal) -> Void
    private let failures: @Sendable (_ names: Set<String>) -> UInt64
    private let diagnostics: Logger
    /// Where observers are called, one after the other, without the lock.
    private let queue = DispatchQueue(label: "curl-lb.control")

    /// Directs workers that have no backends yet.
    public convenience init(
        of workers: WorkerGroup,
        policy: Policy,
        discovery: DiscoverySettings,
        diagnostics: Logger
    ) {
        self.init(
            policy: policy,
            discovery: discovery,
            resolve: NameLookup.addresses,
            diagnostics: diagnostics,
            failures: { names in
                workers.pool.members.filter { names.contains($0.backend.name) }
                    .reduce(0) { $0 + $1.backend.failures.load(ordering: .relaxed) }
            },
            apply: { changes throws(PoolRefusal) in try workers.change(changes) }
        )
    }

    /// Directs a pool without members.
    ///
    /// - Parameters:
    ///   - failures: How many attempts at these members have failed since the start.
    ///   - apply: Makes all of the changes, or when one is refused, none.
    init(
        policy: Policy,
        discovery: DiscoverySettings,
        resolve: @escaping NameLookup.Resolve,
        diagnostics: Logger,
        failures: @escaping @Sendable (_ names: Set<String>) -> UInt64,
        apply: @escaping @Sendable ([PoolChange]) throws(PoolRefusal) -> Void
    ) {
        state = Mutex(State(membership: PoolMembership(policy: policy), discovery: discovery))
        self.discovery = Discovery(resolve: resolve, diagnostics: diagnostics)
        self.diagnostics = diagnostics
        self.failures = failures
        self.apply = apply
    }

    // MARK: Members

    /// All members, in the pool's order.
    public var members: [MemberReport] { state.withLock { $0.membership.members } }

    /// The names of backends that the operator has removed, though a source has them still.
    public var removed: Set<String> { state.withLock { $0.membership.removed } }

    /// The rule by which backends are chosen.
    public var policy: Policy { state.withLock { $0.membership.policy } }

    /// Has an observer called with the members as they are, and again after each change, in order, on a queue of the director's.
    ///
    /// It may call the director.
    public func observe(_ observer: @escaping @Sendable (PoolNews) -> Void) {
        state.withLock { state in
            state.observers.append(observer)
            let news = PoolNews(members: state.membership.members, changes: [])
            queue.async { observer(news) }
        }
    }

    // MARK: What sources say

    /// Takes another configuration in place of the one before: its backends and sources, and what else is given.
    public func configure(
        _ entries: [BackendEntry],
        policy: Policy? = nil,
        discovery settings: DiscoverySettings? = nil
    ) throws(PoolRefusal) {
        try change { state throws(PoolRefusal) in
            state.membership.configure(entries)
            if let policy { state.membership.setPolicy(policy) }
            if let settings { state.discovery = settings }
            for source in state.membership.awaited { stopAwaitingLater(source) }
        } then: { state, _ in
            discovery.follow(
                state.membership.sources,
                state.discovery,
                failures: { [weak self] in self?.failures(of: $0) ?? 0 },
                report: { [weak self] in self?.take($1, from: $0) }
            )
        }
    }

    /// Waits until every source has been looked at once, however that went, or has been for ``firstAnswers``.
    public func waitForFirstAnswers() {
        let end = ContinuousClock.now + Self.firstAnswers
        while !state.withLock(\.membership.awaited.isEmpty), ContinuousClock.now < end { usleep(2000) }
    }

    private func stopAwaitingLater(_ source: String) {
        queue.asyncAfter(deadline: .now() + .seconds(Int(Self.firstAnswers.components.seconds))) { [weak self] in
            self?.take(nil, from: source)
        }
    }

    /// Takes what a source has found; nil when it has not been of use.
    private func take(_ backends: [BackendSetting]?, from source: String) {
        do throws(PoolRefusal) {
            try change { state throws(PoolRefusal) in
                if let backends {
                    state.membership.discover(backends, by: source)
                } else {
                    state.membership.stopAwaiting(source)
                }
            } then: { [diagnostics] state, changes in
                if let summary = PoolNews.summary(of: changes) {
                    diagnostics.notice("\(source): \(summary); \(state.membership.members.count) backends in all")
                }
            }
        } catch {
            // Weights and limits are those of settings, which have been checked.
            diagnostics.error("\(source): what it gives is refused: \(error)")
        }
    }

    /// How many attempts at the members that a source has found have failed since the start.
    private func failures(of source: String) -> UInt64 {
        failures(Set(members.filter { $0.source == .discovery(source) }.map(\.name)))
    }

    // MARK: What the operator does

    /// Adds a member beside the configured ones; it stays when the configuration changes.
    ///
    /// - Throws: `taken` when a member has the name.
    public func add(_ backend: BackendSetting) throws(PoolRefusal) {
        try change { state throws(PoolRefusal) in try state.membership.add(backend) }
    }

    /// Removes a member, which finishes what it has; it does not come back before its source has dropped it and has it again.
    ///
    /// - Throws: `unknown` when no member has the name, as do the following.
    public func remove(_ name: String) throws(PoolRefusal) {
        try change { state throws(PoolRefusal) in try state.membership.remove(name) }
    }

    /// Gives a member another weight than its setting's; nil gives that one back.
    public func setWeight(of name: String, to weight: Int?) throws(PoolRefusal) {
        try change { state throws(PoolRefusal) in try state.membership.setWeight(of: name, to: weight) }
    }

    /// Changes weight and administrative state of a member at once: both, or when one is refused, neither.
    ///
    /// - Returns: the member as it is then.
    @discardableResult
    public func adjust(_ name: String, _ adjustment: MemberAdjustment) throws(PoolRefusal) -> MemberReport {
        try change { all throws(PoolRefusal) in
            switch adjustment.weight {
            case .keep: break
            case .ofSetting: try all.membership.setWeight(of: name, to: nil)
            case .own(let weight): try all.membership.setWeight(of: name, to: weight)
            }
            if let state = adjustment.state {
                try all.membership.setState(of: name, to: state)
            }
        }
        guard let member = members.first(where: { $0.name == name }) else { throw .unknown(name: name) }
        return member
    }

    /// Puts a member into an administrative state.
    public func setState(of name: String, to state: AdministrativeState) throws(PoolRefusal) {
        try change { all throws(PoolRefusal) in
            try all.membership.setState(of: name, to: state)
        }
    }

    /// Changes wishes and applies what comes of them; when that is refused, nothing is changed.
    ///
    /// - Parameter afterwards: What else is done, under the same lock.
    private func change(
        _ change: (inout State) throws(PoolRefusal) -> Void,
        then afterwards: (State, [PoolChange]) -> Void = { _, _ in }
    ) throws(PoolRefusal) {
        try state.withLock { state throws(PoolRefusal) in
            var next = state
            try change(&next)
            let changes = next.membership.plan()
            if !changes.isEmpty { try apply(changes) }
            let isNews = !changes.isEmpty || next.membership.members != state.membership.members
            tellShadowed(next.membership.shadowed, before: state.membership.shadowed)
            state = next
            afterwards(next, changes)
            guard isNews else { return }
            let news = PoolNews(members: next.membership.members, changes: changes)
            let observers = state.observers
            queue.async { for observer in observers { observer(news) } }
        }
    }

    /// Says once that a source's backend is none, because another's has its name; the operator knows what he has done himself.
    private func tellShadowed(_ shadowed: [PoolMembership.Shadowed], before: [PoolMembership.Shadowed]) {
        for one in shadowed where one.winner != .operator && !before.contains(one) {
            diagnostics.warning(
                "\(one.source): \(one.name) is left out, the name is taken (\(one.winner)); give one with ;name="
            )
        }
    }
}
