// How many access log lines were never written, whichever log they were for.

internal import Synchronization

/// Counts lines that are lost; one for all logs that the process has, one after the other, so that no reload begins it anew.
///
/// Any thread.
public final class LostLines: Sendable {
    private let lines = Atomic<UInt64>(0)

    public init() {}

    /// Lines lost so far.
    public var count: UInt64 { lines.load(ordering: .relaxed) }

    /// Counts lines; returns how many it are now.
    func add(_ count: Int) -> UInt64 { lines.wrappingAdd(UInt64(count), ordering: .relaxed).newValue }
}
