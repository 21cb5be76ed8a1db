// The one authority over who is a member of the pool.

public import Balancing
internal import Dispatch
public import Forwarding
internal import Synchronization

/// What has changed, as observers hear it.
public struct PoolNews: Sendable {
    /// All members, in the pool's order.
    public let members: [MemberReport]
    /// What the pool was told; empty for the first news of an observer, and when only what the pool does not know has changed.
    public let changes: [PoolChange]
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
        var observers: [@Sendable (PoolNews) -> Void] = []
    }

    private let state: Mutex<State>
    private let apply: @Sendable ([PoolChange]) throws(PoolRefusal) -> Void
    /// Where observers are called, one after the other, without the lock.
    private let queue = DispatchQueue(label: "curl-lb.control")

    /// Directs workers that have no backends yet.
    public convenience init(of workers: WorkerGroup, policy: Policy) {
        self.init(policy: policy) { changes throws(PoolRefusal) in try workers.change(changes) }
    }

    /// Directs a pool without members.
    ///
    /// - Parameter apply: Makes all of the changes, or when one is refused, none.
    init(policy: Policy, apply: @escaping @Sendable ([PoolChange]) throws(PoolRefusal) -> Void) {
        state = Mutex(State(membership: PoolMembership(policy: policy)))
        self.apply = apply
    }

    // MARK: Members

    /// All members, in the pool's order.
    public var members: [MemberReport] { state.withLock { $0.membership.members } }

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

    /// Takes the backends of another configuration, and its policy if it is given, in place of those before.
    public func configure(_ backends: [BackendSetting], policy: Policy? = nil) throws(PoolRefusal) {
        try change { membership throws(PoolRefusal) in
            membership.configure(backends.map { .backend($0) })
            if let policy { membership.setPolicy(policy) }
        }
    }

    // MARK: What the operator does

    /// Adds a member beside the configured ones; it stays when the configuration changes.
    ///
    /// - Throws: `taken` when a member has the name.
    public func add(_ backend: BackendSetting) throws(PoolRefusal) {
        try change { membership throws(PoolRefusal) in try membership.add(backend) }
    }

    /// Removes a member, which finishes what it has; it does not come back before its source has dropped it and has it again.
    ///
    /// - Throws: `unknown` when no member has the name, as do the following.
    public func remove(_ name: String) throws(PoolRefusal) {
        try change { membership throws(PoolRefusal) in try membership.remove(name) }
    }

    /// Gives a member another weight than its setting's; nil gives that one back.
    public func setWeight(of name: String, to weight: Int?) throws(PoolRefusal) {
        try change { membership throws(PoolRefusal) in try membership.setWeight(of: name, to: weight) }
    }

    /// Puts a member into an administrative state.
    public func setState(of name: String, to state: AdministrativeState) throws(PoolRefusal) {
        try change { membership throws(PoolRefusal) in
            try membership.setState(of: name, to: state == .ready ? nil : state)
        }
    }

    /// Changes wishes and applies what comes of them; when that is refused, nothing is changed.
    private func change(_ change: (inout PoolMembership) throws(PoolRefusal) -> Void) throws(PoolRefusal) {
        try state.withLock { state throws(PoolRefusal) in
            var next = state.membership
            try change(&next)
            let changes = next.plan()
            if !changes.isEmpty { try apply(changes) }
            let isNews = !changes.isEmpty || next.members != state.membership.members
            state.membership = next
            guard isNews else { return }
            let news = PoolNews(members: next.members, changes: changes)
            let observers = state.observers
            queue.async { for observer in observers { observer(news) } }
        }
    }
}
