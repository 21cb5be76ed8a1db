// A scenario: a question about policies, and the runs that answer it.

internal import Balancing
internal import Simulation

/// How large a scenario is to be.
struct Size: Sendable {
    var backends: Int
    var requests: Int
    var seed: UInt64
}

/// One setting of a scenario, played under each of its policies.
struct Case: Sendable {
    var name: String
    var plan: Plan
}

/// A question, asked of several policies.
struct Scenario: Sendable {
    enum Content: Sendable {
        /// Runs, of which each policy has its own.
        case runs(@Sendable (Size) -> [Case])
        /// A table of another kind.
        case table(@Sendable (Size) throws(PoolRefusal) -> Table)
    }

    let name: String
    /// What is simulated, and what it is to show.
    let text: String
    let backends: Int
    var policies: [NamedPolicy] = .balancing
    let content: Content

    static let all: [Scenario] = [
        .even, .uneven, .heavyTail, .closedLoop, .manyBalancers, .fleet, .failures, .ejection, .slowStart, .rolling,
        .first, .keys,
    ]
}

/// A policy under the name that it has in settings.
struct NamedPolicy: Sendable {
    let name: String
    let policy: Policy

    static let all: [NamedPolicy] = [
        NamedPolicy(name: "round_robin", policy: .roundRobin),
        NamedPolicy(name: "least_conn", policy: .leastConnections),
        NamedPolicy(name: "random_two", policy: .randomTwo),
        NamedPolicy(name: "peak_ewma", policy: .peakEWMA),
        NamedPolicy(name: "hash", policy: .hash(.uri)),
        NamedPolicy(name: "first", policy: .first),
    ]
}

extension [NamedPolicy] {
    /// Those that balance: all but first.
    static var balancing: [NamedPolicy] { NamedPolicy.all.filter { $0.policy != .first } }
    static var all: [NamedPolicy] { NamedPolicy.all }
}
