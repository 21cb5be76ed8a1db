// How often each thing went wrong.

internal import Synchronization

/// Counts failures by their label.
///
/// Any thread. Not for what happens with every request: it locks.
public final class ReasonTally: Sendable {
    private let counts = Mutex<[String: UInt64]>([:])

    public init() {}

    /// Counts one.
    public func count(_ label: String) { counts.withLock { $0[label, default: 0] += 1 } }

    /// All labels counted so far with their numbers, the most frequent first.
    public var summary: [(label: String, count: UInt64)] {
        counts.withLock { counts in
            counts.map { (label: $0.key, count: $0.value) }.sorted { ($1.count, $0.label) < ($0.count, $1.label) }
        }
    }
}
