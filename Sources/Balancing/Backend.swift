// One server we send to, and what all workers know about it.

public import Synchronization

/// A backend: its identity, which never changes, and its counters, which every worker adds to.
///
/// Any thread.
public final class Backend: Sendable {
    /// Its place in the pool's list, from 0.
    public let index: Int
    /// How it is called in logs, metrics and the operator's interface.
    public let name: String

    /// Attempts begun and not ended.
    public let inFlight = Atomic<Int>(0)
    /// Attempts begun since the start.
    public let attempts = Atomic<UInt64>(0)
    /// Attempts that the backend failed.
    public let failures = Atomic<UInt64>(0)

    public init(index: Int, name: String) {
        self.index = index
        self.name = name
    }
}
