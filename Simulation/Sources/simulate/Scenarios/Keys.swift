// Hash: how evenly keys fall, and how many move when a backend leaves.

internal import Balancing
internal import Simulation

extension Scenario {
    static let keys = Scenario(
        name: "keys",
        text: """
            Where 200,000 keys go under `hash`, with nothing in flight: the share of the backend with the most keys beside the \
            mean, the deviation of shares, and how many keys move when one backend leaves, beside its own (which must) and \
            beside all.
            """,
        backends: 0,
        content: .table { size throws(PoolRefusal) in
            var table = Table(head: [
                "backends", "keys, max/mean", "variation", "own keys of one", "keys moved", "moved beside own",
            ])
            let counts = size.backends > 0 ? [size.backends] : [3, 10, 100, 256, 300, 1000, 10_000]
            for count in counts { table.rows.append(try row(count, seed: size.seed)) }
            return table
        }
    )

    private static let keyCount = 200_000

    private static func row(_ count: Int, seed: UInt64) throws(PoolRefusal) -> [String] {
        var roster = PoolRoster(policy: .hash(.uri))
        for number in 0..<count { try roster.add(PoolEntry(name: "b\(number)")) }
        let before = homes(roster.makeSnapshot(), seed: seed)
        var counts = [Int](repeating: 0, count: count)
        for home in before { counts[home] += 1 }
        // Ten leave in turn, so that it is not one backend's luck.
        var own = 0
        var moved = 0
        let leavers = (0..<min(10, count)).map { $0 * (count / min(10, count)) }
        for leaver in leavers {
            var without = roster
            try without.remove("b\(leaver)")
            own += counts[leaver]
            moved += zip(before, homes(without.makeSnapshot(), seed: seed)).count { $0 != $1 }
        }
        let all = Double(keyCount * leavers.count)
        let shares = counts.map(Double.init)
        return [
            "\(count)",
            fixed(Results.peak(shares), 2),
            fixed(Results.variation(shares), 3),
            percent(Double(own) / all, 3),
            percent(Double(moved) / all, 3),
            fixed(Double(moved) / Double(max(1, own)), 2),
        ]
    }

    /// The index of each key's backend.
    private static func homes(_ snapshot: PoolSnapshot, seed: UInt64) -> [Int] {
        let balancer = Balancer(snapshot, seed: seed)
        var random = RandomNumbers(seed: seed)
        return (0..<keyCount).map { _ in
            balancer.acquire(excluding: TriedBackends(), at: 0, key: random.next())?.backend.index ?? -1
        }
    }
}
