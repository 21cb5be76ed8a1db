// Round robin: the next request goes to the next backend, whichever worker has it.

internal import Synchronization

/// One cursor for all workers over a list of backends.
///
/// Any thread.
public final class RoundRobin: Sendable {
    private let cursor = Atomic<UInt>(0)

    public init() {}

    /// The index of the next backend in the list's order that was not tried.
    ///
    /// Each backend that is passed over has had its turn, so the share of one that fails is spread evenly over the others.
    ///
    /// - Complexity: O(1) when nothing was tried, else O(count).
    /// - Returns: nil when all were tried, or there is none.
    public func next(of count: Int, excluding tried: borrowing TriedBackends) -> Int? {
        guard count > 0 else { return nil }
        for _ in 0..<count {
            let index = Int(cursor.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(count))
            if !tried.contains(index) { return index }
        }
        // Other workers may have taken just the turns that would have suited.
        return (0..<count).first { !tried.contains($0) }
    }
}
