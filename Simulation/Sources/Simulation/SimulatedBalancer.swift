// One balancer process: its pool, its workers, and which of its backends is which.

internal import Balancing

/// A process in front of the backends; it knows of them what its own requests have taught it.
struct SimulatedBalancer {
    private(set) var roster: PoolRoster
    private(set) var workers: [Balancer]
    /// The version of the pool that each worker has.
    private var versions: [UInt64]
    /// By a `Backend`'s index, the simulated backend; an index is another one's only when no worker knows the old one any more.
    private(set) var places: [Int] = []
    /// Who watches over its backends, if anybody does.
    var health: HealthWatch?

    /// - Parameter members: What it is told of each backend, and where that one stands.
    init(
        policy: Policy,
        _ members: [(entry: PoolEntry, place: Int)],
        workers: Int,
        startsAnywhere: Bool,
        seed: UInt64,
        health rules: HealthRules?
    ) throws(PoolRefusal) {
        var seeds = RandomNumbers(seed: seed)
        roster = HealthWatch.roster(
            policy,
            rules,
            firstTurn: startsAnywhere ? UInt(seeds.number(below: max(1, members.count))) : 0
        )
        health = rules.map { HealthWatch($0, seed: seed) }
        self.workers = []
        versions = []
        for member in members { try add(member.entry, at: member.place) }
        let snapshot = roster.makeSnapshot()
        self.workers = (0..<workers).map { _ in Balancer(snapshot, seed: seeds.next()) }
        versions = [UInt64](repeating: snapshot.version, count: workers)
    }

    mutating func add(_ entry: PoolEntry, at place: Int) throws(PoolRefusal) {
        let index = try roster.add(entry).index
        while places.count <= index { places.append(place) }
        places[index] = place
    }

    /// Changes the pool.
    ///
    /// - Returns: What the workers are to get.
    mutating func change(
        _ change: (inout SimulatedBalancer) throws(PoolRefusal) -> Void
    ) throws(PoolRefusal) -> PoolSnapshot {
        roster.release(adopted: versions.min() ?? 0)
        try change(&self)
        return roster.makeSnapshot()
    }

    /// Lets a plan change the roster.
    mutating func changeRoster(_ change: (inout PoolRoster) throws(PoolRefusal) -> Void) throws(PoolRefusal) {
        try change(&roster)
    }

    /// Has the roster follow what health has come to; false if there is nothing new.
    mutating func followHealth() -> Bool { health?.apply(to: &roster) ?? false }

    /// The pool as it stands.
    mutating func makeSnapshot() -> PoolSnapshot { roster.makeSnapshot() }

    /// A snapshot has reached a worker; one that a newer one has overtaken is dropped.
    mutating func adopt(_ snapshot: PoolSnapshot, worker: Int) {
        guard snapshot.version > versions[worker] else { return }
        versions[worker] = snapshot.version
        workers[worker].adopt(snapshot)
    }
}
