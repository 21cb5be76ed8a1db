// The pool as it stands at one time: the backends, their weights and states, and what the policies need of them.

internal import Synchronization

/// A backend's part in a pool.
public struct PoolMember: Sendable {
    public let backend: Backend
    /// Its share beside the others'; with 0 it gets nothing.
    public var weight: Int
    /// Whether it is used only when no ordinary member is eligible.
    public var isBackup: Bool
    /// The most attempts in flight at it; 0 for any number.
    public var maximumInFlight: Int
    public var state: BackendState

    /// Whether a policy may choose it, unless it is full.
    public var takesRequests: Bool { weight > 0 && state.use.takesRequests }
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
    /// Those that get requests.
    let ordinary: Tier
    /// Those that get them when no ordinary one is eligible.
    let backup: Tier
    /// Those that keep the clients that are bound to them.
    let affinity: AffinityTable
    /// Whether any of them can be full.
    let hasLimits: Bool

    /// Attempts in flight at all members together.
    ///
    /// - Complexity: O(members).
    public var inFlight: Int { members.reduce(0) { $0 + $1.backend.inFlight.load(ordering: .relaxed) } }

    init(version: UInt64, policy: Policy, members: [PoolMember], ordinary: Cursor, backup: Cursor) {
        self.version = version
        self.policy = policy
        self.members = members
        let usable = members.filter(\.takesRequests)
        self.ordinary = Tier(usable.filter { !$0.isBackup }, cursor: ordinary)
        self.backup = Tier(usable.filter(\.isBackup), cursor: backup)
        affinity = AffinityTable(members)
        hasLimits = usable.contains { $0.maximumInFlight > 0 }
    }
}
