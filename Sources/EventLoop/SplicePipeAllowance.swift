// How many pipes may be open at one time, over all loops.

internal import Synchronization

/// Counts the open pipes, so that they do not use up the descriptors that connections need.
///
/// A client that takes a large body slowly holds a pipe for as long as it likes. Any thread.
public final class SplicePipeAllowance: Sendable {
    /// One part of so many of the process's descriptors may be pipes'; a pipe has two.
    private static let share = 16

    /// That of the process: worked out when the first loop is made, from the limit that is in force then.
    static let process = SplicePipeAllowance(pipes(of: Socket.descriptorLimit))

    /// How many of the process's descriptors pipes may take at most.
    public static var descriptors: Int { 2 * pipes(of: Socket.descriptorLimit) }

    private let limit: Int
    private let count = Atomic<Int>(0)

    /// - Parameter limit: How many pipes may be open.
    init(_ limit: Int) { self.limit = limit }

    private static func pipes(of descriptors: UInt64) -> Int { Int(clamping: descriptors / UInt64(2 * share)) }

    /// Whether so many are open that none should be kept for later: another loop may want one now.
    var isScarce: Bool { count.load(ordering: .relaxed) * 2 > limit }

    /// Takes the right to a pipe; false when all are taken.
    func take() -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        count.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Gives it back.
    func giveBack() { count.wrappingSubtract(1, ordering: .relaxed) }
}
