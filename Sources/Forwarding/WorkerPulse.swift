// Whether the workers turn: each is asked again and again to show that it has come round.

internal import EventLoop
internal import Synchronization

/// Asks the workers, and tells whether all have answered.
///
/// Confined to whoever asks.
public struct WorkerPulse {
    private let shares: [WorkerShare]
    private var number: UInt64 = 0

    init(of shares: [WorkerShare]) { self.shares = shares }

    /// Looks whether every worker has come round since the last call, and asks it to do so again.
    ///
    /// - Returns: the numbers of those that have not. A worker that has ended is none of them; the first call finds none.
    public mutating func take() -> [Int] {
        let late = shares.indices.filter { index in
            // A worker that reads no mail any more has ended; one that is late is not asked twice.
            shares[index].pulse.load(ordering: .relaxed) != number && !shares[index].hasEnded
        }
        guard late.isEmpty else { return late }
        number += 1
        for share in shares { share.mailbox.post(.pulse(number)) }
        return []
    }
}
