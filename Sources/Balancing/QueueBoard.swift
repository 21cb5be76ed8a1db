// What workers know of each other's queues: how many wait in all, and who has waited longest.

internal import Synchronization

/// Bounds the number of requests that wait for a place at a backend, and tells which worker is to try next when there is one.
///
/// Each worker has a line of its own; tickets are the order over all of them. Any thread. How it is made sure that no place stays
/// free while somebody waits for it: docs/decisions/0032.
public final class QueueBoard: Sendable {
    /// The first in a worker's line.
    public struct Head: Sendable, Equatable {
        public let ticket: UInt64
        /// Whether it cannot go everywhere, because it has tried some backend already: what it cannot use, others may.
        public let isPicky: Bool

        public init(ticket: UInt64, isPicky: Bool) {
            self.ticket = ticket
            self.isPicky = isPicky
        }

        /// Ordered by tickets.
        fileprivate var code: UInt64 { ticket << 1 | (isPicky ? 1 : 0) }

        fileprivate init(code: UInt64) { self.init(ticket: code >> 1, isPicky: code & 1 == 1) }
    }

    private final class Line: Sendable {
        static let none = UInt64.max
        let head = Atomic<UInt64>(none)
    }

    /// How many may wait in all; 0 for none.
    public var limit: Int { maximum.load(ordering: .relaxed) }
    private let maximum: Atomic<Int>
    private let lines: [Line]
    private let count = Atomic<Int>(0)
    private let tickets = Atomic<UInt64>(1)

    public init(workers: Int, limit: Int) {
        maximum = Atomic(limit)
        lines = (0..<workers).map { _ in Line() }
    }

    /// Goes on with another limit; those that wait already wait on.
    public func change(limit: Int) { maximum.store(limit, ordering: .relaxed) }

    /// How many wait.
    public var waiting: Int { count.load(ordering: .relaxed) }

    /// How many have waited so far, those included that do.
    public var joined: UInt64 { tickets.load(ordering: .relaxed) - 1 }

    /// Takes a place in the line, which is counted from now on; nil when all are taken.
    public func takeTicket() -> UInt64? {
        guard count.wrappingAdd(1, ordering: .relaxed).oldValue < limit else {
            count.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        return tickets.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// Counts one out that has left its line.
    public func returnTicket() { count.wrappingSubtract(1, ordering: .relaxed) }

    /// Tells who is the first in a worker's line.
    public func post(_ head: Head?, of worker: Int) {
        lines[worker].head.store(head?.code ?? Line.none, ordering: .releasing)
    }

    /// To be called when somebody has joined a line, before backends are looked at again.
    ///
    /// The one half of the agreement with ``placeWasFreed()``: either the place is seen here, or who waits is seen there.
    public func hasJoined() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

    /// To be called when a place has become free; whether somebody waits.
    public func placeWasFreed() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return waiting > 0
    }

    /// Who has waited longest, of those with higher tickets than the one given.
    public func oldest(after ticket: UInt64 = 0) -> (worker: Int, head: Head)? {
        var oldest: (worker: Int, code: UInt64)?
        for (worker, line) in lines.enumerated() {
            let code = line.head.load(ordering: .acquiring)
            guard code != Line.none, code >> 1 > ticket, code < oldest?.code ?? Line.none else { continue }
            oldest = (worker, code)
        }
        return oldest.map { ($0.worker, Head(code: $0.code)) }
    }
}
