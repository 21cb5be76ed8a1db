// What a choice costs: nanoseconds for taking a lease and ending it.

internal import Balancing
internal import Glibc
internal import Simulation

/// Times of `Balancer.acquire` with the end of its lease, for each policy and several sizes of a pool.
enum Picks {
    /// What the pool is like when it is asked.
    enum Situation: String, CaseIterable {
        case idle = "nothing in flight"
        case loaded = "ten in flight at each, on the average"
        case tried = "one tried"
        case full = "half are full"
    }

    private static let rounds = 15

    static func tables(_ policies: [NamedPolicy], sizes: [Int]) throws(PoolRefusal) -> [(title: String, table: Table)] {
        var tables: [(String, Table)] = []
        for situation in Situation.allCases {
            var table = Table(head: ["policy"] + sizes.map { "\($0) backends" })
            for policy in policies {
                var row = [policy.name]
                for size in sizes { row.append(fixed(try time(policy.policy, size, situation), 0)) }
                table.rows.append(row)
            }
            tables.append((situation.rawValue, table))
        }
        return tables
    }

    /// The median of several rounds, in nanoseconds.
    private static func time(_ policy: Policy, _ size: Int, _ situation: Situation) throws(PoolRefusal) -> Double {
        var roster = PoolRoster(policy: policy)
        for number in 0..<size { try roster.add(PoolEntry(name: "b\(number)")) }
        let held = try Held(&roster, situation)
        let balancer = Balancer(roster.makeSnapshot(), seed: 1)
        var tried = TriedBackends()
        if situation == .tried { tried.insert(0) }
        var random = RandomNumbers(seed: 1)
        var now: UInt64 = 1_000_000_000
        var repetitions = 1
        var times: [Double] = []
        // As many as take some milliseconds.
        while true {
            let begin = processorTime()
            for _ in 0..<repetitions {
                now += 1000
                guard var lease = balancer.acquire(excluding: tried, at: now, key: random.next()) else { continue }
                lease.requestSent(at: now)
                lease.headReceived(at: now + 1_000_000)
                lease.end(.answered, at: now + 1_000_000)
            }
            let elapsed = processorTime() - begin
            if elapsed < 5_000_000, times.isEmpty {
                repetitions *= 2
                continue
            }
            times.append(elapsed / Double(repetitions))
            if times.count == rounds { break }
        }
        held.release()
        times.sort()
        return times[times.count / 2]
    }

    /// What this thread has had of a processor, in nanoseconds: a busy machine lengthens it less than the time of day.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Leases that stay taken meanwhile.
    private final class Held {
        private final class Holder {
            var lease: BackendLease?
            init(_ lease: consuming BackendLease) { self.lease = consume lease }
        }

        private var holders: [Holder] = []

        init(_ roster: inout PoolRoster, _ situation: Situation) throws(PoolRefusal) {
            let names = roster.members.map(\.backend.name)
            switch situation {
            case .idle, .tried: break
            case .loaded: take(10 * names.count, from: &roster)
            case .full:
                // Every other one is full before those between them are there.
                for (number, name) in names.enumerated() {
                    if number % 2 == 0 { try roster.set(.drain, for: name) }
                    if number % 2 == 1 { try roster.setMaximumInFlight(of: name, to: 1) }
                }
                take(names.count, from: &roster)
                for name in names { try roster.set(.ready, for: name) }
            }
        }

        private func take(_ count: Int, from roster: inout PoolRoster) {
            let balancer = Balancer(roster.makeSnapshot(), seed: 1)
            for _ in 0..<count {
                guard let lease = balancer.acquire(excluding: TriedBackends(), at: 0) else { break }
                holders.append(Holder(lease))
            }
        }

        func release() { holders.removeAll() }
    }
}
