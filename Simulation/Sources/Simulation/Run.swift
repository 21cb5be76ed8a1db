// A run: events in virtual time, one after the other, until every request has ended.

public import Balancing
internal import Synchronization

/// A plan under a policy, played through.
///
/// The same plan, policy and seed give the same results. Under another policy the same requests come at the same times and ask
/// for the same work, so that what differs is the policy's doing.
public final class Run {
    enum Event {
        case arrival(client: Int)
        /// A slot's work is done.
        case served(place: Int, epoch: UInt32, AttemptReference)
        case response(AttemptReference, status: Int)
        case broken(AttemptReference, wasSent: Bool)
        case change(Int)
        case adoption(balancer: Int, worker: Int, snapshot: UInt64)
        case tick(balancer: Int)
        case probe(balancer: Int, probe: UInt64, isPassed: Bool, begin: UInt64)
    }

    let plan: Plan
    let hashesKeys: Bool
    var events = EventQueue<Event>()
    var responseDeadlines = DeadlineQueue<AttemptReference>()
    /// A client's patience is with its request, not with an attempt: these refer to what has the same arrival.
    var patienceEnds = DeadlineQueue<(exchange: Int, arrival: UInt64)>()
    var now: UInt64 = 0

    var backends: [SimulatedBackend] = []
    var placesByName: [String: Int] = [:]
    var balancers: [SimulatedBalancer] = []
    /// Snapshots on their way, and to how many workers.
    var mail: [UInt64: (snapshot: PoolSnapshot, readers: Int)] = [:]
    var mailNumber: UInt64 = 0

    var exchanges: [SimulatedExchange] = []
    var free: [Int] = []
    var live = 0
    var failingBackends = 0

    // Sequences of their own, so that no choice shifts the requests.
    var arriving: RandomNumbers
    var asking: RandomNumbers
    var routing: RandomNumbers
    var travelling: RandomNumbers
    private let popularity: Popularity?

    var results = Results()
    var isCounting = false
    private var countingSince: UInt64 = 0
    private var samplingInterval = 1
    /// Requests in the system times nanoseconds.
    private var presence = 0.0
    private var presentSince: UInt64 = 0

    public init(_ plan: Plan, policy: Policy, seed: UInt64) throws(PoolRefusal) {
        precondition(plan.requests > plan.warmUp, "no request is left to be counted")
        self.plan = plan
        arriving = RandomNumbers(seed: seed, stream: 1)
        asking = RandomNumbers(seed: seed, stream: 2)
        routing = RandomNumbers(seed: seed, stream: 3)
        travelling = RandomNumbers(seed: seed, stream: 4)
        if case .hash = policy { hashesKeys = true } else { hashesKeys = false }
        if case .zipf(let count, let exponent) = plan.keys, hashesKeys {
            popularity = Popularity(count: count, exponent: exponent)
        } else {
            popularity = nil
        }
        samplingInterval = max(1, (plan.requests - plan.warmUp) / 200)
        for backend in plan.backends { introduce(backend) }
        for number in 0..<plan.balancers {
            let seed = seed &+ UInt64(number) &* 0x9E37_79B9
            balancers.append(
                try SimulatedBalancer(
                    policy: policy,
                    plan.backends.indices.map { (plan.backends[$0].entry, $0) },
                    workers: plan.workers,
                    startsAnywhere: !plan.startInStep,
                    seed: seed,
                    health: plan.health
                )
            )
        }
    }

    /// Plays it through.
    public func play() throws(PoolRefusal) -> Results {
        for (number, change) in plan.changes.enumerated() { events.push(.change(number), at: nanoseconds(change.time)) }
        switch plan.arrivals {
        case .open: events.push(.arrival(client: 0), at: 0)
        case .closed(let clients, let pause):
            for client in 0..<clients {
                events.push(.arrival(client: client), at: nanoseconds(pause.sample(&arriving)))
            }
        }
        startHealth()
        // Planned changes and health alone do not keep a run going.
        while results.arrivals < plan.requests || live > 0 {
            guard try step() else { preconditionFailure("\(live) requests hang: such a plan needs a time limit") }
        }
        return results
    }

    /// Attempts that have not ended, as backends and as balancers count them: as many of both, and none after the end.
    public var attemptsInFlight: Int {
        let counted = balancers.flatMap { $0.roster.members }.reduce(0) {
            $0 + $1.backend.inFlight.load(ordering: .relaxed)
        }
        return max(counted, backends.reduce(0) { $0 + $1.inFlight })
    }

    /// Lets the next thing happen; false when there is none.
    private func step() throws(PoolRefusal) -> Bool {
        let response = responseDeadlines.next { stands($0) }
        let patience = patienceEnds.next {
            exchanges[$0.exchange].isLive && exchanges[$0.exchange].arrival == $0.arrival
        }
        let limit = min(response?.time ?? .max, patience?.time ?? .max)
        if limit < events.nextTime ?? .max {
            now = limit
            if let response, response.time == limit {
                responseDeadlines.drop()
                timeOut(response.subject)
            } else if let patience {
                patienceEnds.drop()
                leave(patience.subject.exchange)
            }
            return true
        }
        guard let (time, event) = events.pop() else { return false }
        now = time
        switch event {
        case .arrival(let client): arrive(client)
        case .served(let place, let epoch, let attempt): finishWork(at: place, epoch, attempt)
        case .response(let attempt, let status): respond(attempt, status: status)
        case .broken(let attempt, let wasSent): breakOff(attempt, wasSent: wasSent)
        case .change(let number): try apply(plan.changes[number].action)
        case .adoption(let balancer, let worker, let snapshot): deliver(snapshot, to: worker, of: balancer)
        case .tick(let balancer): tick(balancer)
        case .probe(let balancer, let probe, let isPassed, let begin):
            endProbe(probe, of: balancer, isPassed: isPassed, begin: begin)
        }
        return true
    }

    /// Whether an attempt has not ended.
    func stands(_ attempt: AttemptReference) -> Bool { exchanges[attempt.exchange].generation == attempt.generation }

    // MARK: Coming and going

    private func arrive(_ client: Int) {
        guard results.arrivals < plan.requests else { return }
        results.arrivals += 1
        if case .open(let rate) = plan.arrivals, results.arrivals < plan.requests {
            events.push(.arrival(client: 0), at: now + nanoseconds(arriving.exponential() / rate))
        }
        if results.arrivals == plan.warmUp + 1 { beginCounting() }
        let number = free.popLast() ?? exchanges.count
        if number == exchanges.count { exchanges.append(SimulatedExchange()) }
        let exchange = exchanges[number]
        exchange.isLive = true
        exchange.arrival = now
        exchange.isCounted = isCounting
        exchange.client = client
        exchange.demand = plan.service.sample(&asking)
        exchange.isIdempotent = asking.fraction() < plan.idempotentShare
        exchange.key = popularity?.key(&asking)
        exchange.balancer = routing.number(below: balancers.count)
        exchange.worker = routing.number(below: plan.workers)
        exchange.tried.removeAll()
        exchange.attempts = 0
        count(present: 1)
        if plan.patience > 0 { patienceEnds.push((number, now), at: now + nanoseconds(plan.patience)) }
        attempt(number)
        if isCounting, (results.arrivals - plan.warmUp) % samplingInterval == 0 { sampleInFlight() }
        if results.arrivals == plan.requests { endCounting() }
    }

    /// A request has ended.
    func end(_ number: Int, _ way: WritableKeyPath<Results.Ends, Int>) {
        let exchange = exchanges[number]
        exchange.generation &+= 1
        exchange.isLive = false
        results.total[keyPath: way] += 1
        if exchange.isCounted {
            results.counted[keyPath: way] += 1
            if way == \.answered { results.latency.add(now - exchange.arrival) }
        }
        count(present: -1)
        free.append(number)
        if case .closed(_, let pause) = plan.arrivals {
            events.push(.arrival(client: exchange.client), at: now + nanoseconds(pause.sample(&arriving)))
        }
    }

    // MARK: Counting

    private func count(present change: Int) {
        if isCounting { presence += Double(live) * Double(now - presentSince) }
        presentSince = now
        live += change
    }

    private func beginCounting() {
        count(present: 0)
        isCounting = true
        countingSince = now
        for place in backends.indices { backends[place].beginCounting(at: now) }
    }

    private func endCounting() {
        count(present: 0)
        isCounting = false
        let duration = Double(now - countingSince) * 1e-9
        results.duration = duration
        results.meanInSystem = duration > 0 ? presence * 1e-9 / duration : 0
        for place in backends.indices {
            backends[place].settle(at: now)
            results.attempts.append(backends[place].attempts)
            let time = duration * Double(backends[place].plan.slots)
            results.utilization.append(time > 0 ? backends[place].work / time : 0)
        }
    }

    private func sampleInFlight() {
        results.inFlightPeaks.append(Results.peak(backends.map { Double($0.inFlight) }))
    }
}
