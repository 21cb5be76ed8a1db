// What changes while requests go on: backends' conditions, pools, and when workers get to know.

internal import Balancing

extension Run {
    /// A backend is there.
    func introduce(_ plan: BackendPlan) {
        placesByName[plan.name] = backends.count
        backends.append(SimulatedBackend(plan))
        if plan.condition.isFailing { failingBackends += 1 }
    }

    func apply(_ action: PlannedChange.Action) throws(PoolRefusal) {
        switch action {
        case .condition(let name, let condition):
            guard let place = placesByName[name] else { throw .unknown(name: name) }
            change(place, to: condition)
        case .join(let plan):
            introduce(plan)
            let place = backends.count - 1
            backends[place].beginCounting(at: now)
            for number in balancers.indices {
                publish(
                    try balancers[number].change { balancer throws(PoolRefusal) in
                        try balancer.add(plan.entry, at: place)
                    },
                    to: number
                )
            }
        case .pool(let change):
            for number in balancers.indices {
                publish(
                    try balancers[number].change { balancer throws(PoolRefusal) in try balancer.changeRoster(change) },
                    to: number
                )
            }
        }
    }

    private func change(_ place: Int, to condition: Condition) {
        let old = backends[place].condition
        backends[place].condition = condition
        failingBackends += (condition.isFailing ? 1 : 0) - (old.isFailing ? 1 : 0)
        switch condition {
        case .works:
            // What it swallowed while it hung does not come back.
            if old == .hangs { backends[place].lose(at: now) }
        case .hangs: backends[place].lose(at: now)
        case .refuses, .resets:
            backends[place].lose(at: now)
            for number in exchanges.indices where exchanges[number].isLive && exchanges[number].place == place {
                let generation = exchanges[number].generation
                events.push(.broken(AttemptReference(exchange: number, generation: generation), wasSent: true), at: now)
            }
        case .isSlow, .fails: break
        }
    }

    // MARK: Snapshots on their way

    /// Sends a snapshot to a balancer's workers.
    private func publish(_ snapshot: PoolSnapshot, to balancer: Int) {
        balancers[balancer].health?.adopt(snapshot, at: now)
        mailNumber += 1
        for worker in 0..<plan.workers {
            let time = nanoseconds(plan.adoption.sample(&travelling))
            if time == 0 {
                balancers[balancer].adopt(snapshot, worker: worker)
            } else {
                mail[mailNumber, default: (snapshot, 0)].readers += 1
                events.push(.adoption(balancer: balancer, worker: worker, snapshot: mailNumber), at: now + time)
            }
        }
    }

    /// A snapshot has come to a worker.
    func deliver(_ number: UInt64, to worker: Int, of balancer: Int) {
        guard let (snapshot, readers) = mail[number] else { preconditionFailure("no snapshot \(number) is on its way") }
        mail[number] = readers > 1 ? (snapshot, readers - 1) : nil
        balancers[balancer].adopt(snapshot, worker: worker)
    }

    /// Sends what a balancer's pool has become.
    func publishRoster(of number: Int) {
        do {
            publish(try balancers[number].change { _ throws(PoolRefusal) in }, to: number)
        } catch {
            preconditionFailure("nothing was asked for that could be refused")
        }
    }
}
