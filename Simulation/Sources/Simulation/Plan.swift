// What is simulated: backends, requests, balancers, and what happens meanwhile.

public import Balancing

/// A backend as it is in itself, whatever balancers think of it.
public struct BackendPlan: Sendable {
    public var name: String
    /// How many requests it works on at once; others wait in its queue, first come, first served.
    public var slots: Int
    /// How fast it works, beside one that takes the time that a request asks for.
    public var speed: Double
    /// What balancers are told.
    public var entry: PoolEntry
    public var condition = Condition.works

    public init(_ name: String, slots: Int = 1, speed: Double = 1, weight: Int = 1, maximumInFlight: Int = 0) {
        self.name = name
        self.slots = slots
        self.speed = speed
        entry = PoolEntry(name: name, weight: weight, maximumInFlight: maximumInFlight)
    }
}

/// How a backend behaves.
public enum Condition: Sendable, Equatable {
    case works
    /// So many times as slow as it is otherwise.
    case isSlow(Double)
    /// It refuses connections; what it had is reset.
    case refuses
    /// It takes requests, and never answers.
    case hangs
    /// It takes requests, and resets their connections; what it had, too.
    case resets
    /// It answers 500 at once.
    case fails

    /// Whether a request sent now comes to nothing.
    var isFailing: Bool {
        switch self {
        case .works, .isSlow: false
        case .refuses, .hangs, .resets, .fails: true
        }
    }
}

/// When requests come.
public enum Arrivals: Sendable {
    /// At random (Poisson), so many a second, however long answers take: many clients who know nothing of one another.
    case open(rate: Double)
    /// From so many clients, each of which waits for its answer and then for some time.
    case closed(clients: Int, pause: Distribution)
}

/// What requests have for the hash policies.
public enum Keys: Sendable {
    case none
    /// So many keys, the k-th as popular as 1 / k to this power (Zipf); with 0 all alike.
    case zipf(count: Int, exponent: Double)
}

/// What happens at a time.
public struct PlannedChange: Sendable {
    public enum Action: Sendable {
        /// A backend changes; no balancer is told.
        case condition(backend: String, Condition)
        /// A backend is started, and each balancer told.
        case join(BackendPlan)
        /// Each balancer changes its pool; its workers get to know when a snapshot reaches them.
        case pool(@Sendable (inout PoolRoster) throws(PoolRefusal) -> Void)
    }

    /// In seconds.
    public var time: Double
    public var action: Action

    public init(at time: Double, _ action: Action) {
        self.time = time
        self.action = action
    }
}

/// All that makes a run, beside the policy and the seed.
public struct Plan: Sendable {
    public var backends: [BackendPlan]
    /// How long a backend of speed 1 works on a request, in seconds.
    public var service: Distribution
    public var arrivals: Arrivals
    public var keys = Keys.none
    /// How many requests come.
    public var requests: Int
    /// How many of the first ones are left out of all figures: a queue takes a while to become as long as it is on the average.
    public var warmUp: Int
    /// Processes, each with a pool and counters of its own.
    public var balancers = 1
    /// Workers of each: they share its pool and its counters.
    public var workers = 1
    /// Whether round robin starts at the list's first backend in each of them, and not anywhere.
    public var startInStep = false
    /// How long a snapshot takes to a worker, in seconds.
    public var adoption = Distribution.constant(0)
    /// From a balancer to a backend and back, in seconds.
    public var roundTrip = 0.0
    /// How long a balancer waits for an answer, in seconds; 0 for ever.
    public var responseTimeout = 0.0
    /// How long a client waits, in seconds; 0 for ever.
    public var patience = 0.0
    /// Further attempts after a failed one.
    public var retries = 2
    /// The share of requests that may be sent again although a backend had them.
    public var idempotentShare = 1.0
    public var changes: [PlannedChange] = []
    /// By which rules each balancer watches over its backends; nil: it does not.
    public var health: HealthRules?

    /// A plan in which nothing fails.
    public init(_ backends: [BackendPlan], service: Distribution, arrivals: Arrivals, requests: Int) {
        self.backends = backends
        self.service = service
        self.arrivals = arrivals
        self.requests = requests
        warmUp = requests / 10
    }

    /// How many requests a second all backends together can take.
    public static func capacity(of backends: [BackendPlan], _ service: Distribution) -> Double {
        backends.reduce(0) { $0 + Double($1.slots) * $1.speed } / service.mean
    }
}
