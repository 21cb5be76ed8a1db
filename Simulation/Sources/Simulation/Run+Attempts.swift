// An attempt: a choice of the balancer's, what the backend makes of it, and what follows.

internal import Balancing

extension Run {
    /// Asks the balancer for a backend, and sends the request there.
    func attempt(_ number: Int) {
        let exchange = exchanges[number]
        exchange.generation &+= 1
        let reference = AttemptReference(exchange: number, generation: exchange.generation)
        let balancer = balancers[exchange.balancer].workers[exchange.worker]
        guard let lease = balancer.acquire(excluding: exchange.tried, at: now, key: exchange.key) else {
            end(number, exchange.attempts == 0 ? \.refused : \.broken)
            return
        }
        let index = lease.backend.index
        let place = balancers[exchange.balancer].places[index]
        exchange.tried.insert(index)
        exchange.attempts += 1
        exchange.place = place
        exchange.lease = consume lease
        backends[place].inFlight += 1
        if isCounting { count(attemptAt: place) }
        send(reference, to: place)
    }

    private func send(_ reference: AttemptReference, to place: Int) {
        let back = now + nanoseconds(plan.roundTrip)
        switch backends[place].condition {
        case .refuses:
            events.push(.broken(reference, wasSent: false), at: back)
            return
        case .resets:
            events.push(.broken(reference, wasSent: true), at: back)
        case .fails:
            events.push(.response(reference, status: 500), at: back)
        case .hangs:
            break
        case .works, .isSlow:
            if backends[place].busy < backends[place].plan.slots {
                begin(reference, at: place)
            } else {
                backends[place].enqueue(reference)
            }
        }
        exchanges[reference.exchange].lease?.requestSent(at: now)
        if plan.responseTimeout > 0 { responseDeadlines.push(reference, at: now + nanoseconds(plan.responseTimeout)) }
    }

    /// A slot begins to work.
    private func begin(_ attempt: AttemptReference, at place: Int) {
        backends[place].occupy(1, at: now)
        let time = backends[place].time(for: exchanges[attempt.exchange].demand)
        events.push(.served(place: place, epoch: backends[place].epoch, attempt), at: now + nanoseconds(time))
    }

    /// A slot has done its work, whether or not anybody still waits for it.
    func finishWork(at place: Int, _ epoch: UInt32, _ attempt: AttemptReference) {
        guard backends[place].epoch == epoch else { return }
        backends[place].occupy(-1, at: now)
        while let next = backends[place].dequeue() {
            // Whose client or balancer has closed the connection is not begun.
            guard stands(next) else { continue }
            begin(next, at: place)
            break
        }
        guard stands(attempt) else { return }
        if plan.roundTrip == 0 {
            respond(attempt, status: 200)
        } else {
            events.push(.response(attempt, status: 200), at: now + nanoseconds(plan.roundTrip))
        }
    }

    /// A response has come.
    func respond(_ attempt: AttemptReference, status: Int) {
        guard stands(attempt) else { return }
        let exchange = exchanges[attempt.exchange]
        exchange.lease?.headReceived(status: status, at: now)
        endLease(of: exchange, .answered)
        end(attempt.exchange, status == 200 ? \.answered : \.errors)
    }

    /// The connection was refused or lost.
    func breakOff(_ attempt: AttemptReference, wasSent: Bool) {
        guard stands(attempt) else { return }
        let exchange = exchanges[attempt.exchange]
        endLease(of: exchange, .failed)
        let mayGoAgain = !wasSent || exchange.isIdempotent
        if mayGoAgain, exchange.attempts <= plan.retries {
            self.attempt(attempt.exchange)
        } else {
            end(attempt.exchange, \.broken)
        }
    }

    /// The balancer has waited long enough.
    func timeOut(_ attempt: AttemptReference) {
        endLease(of: exchanges[attempt.exchange], .failed)
        end(attempt.exchange, \.timedOut)
    }

    /// The client has waited long enough.
    func leave(_ number: Int) {
        endLease(of: exchanges[number], .abandoned)
        end(number, \.abandoned)
    }

    private func endLease(of exchange: SimulatedExchange, _ outcome: AttemptOutcome) {
        exchange.lease.take()?.end(outcome, at: now)
        backends[exchange.place].inFlight -= 1
        if outcome == .failed { results.failedAttempts += 1 }
    }

    private func count(attemptAt place: Int) {
        backends[place].attempts += 1
        if failingBackends > 0 {
            results.attemptsDuringFailures += 1
            if backends[place].condition.isFailing { results.attemptsAtFailing += 1 }
        }
    }
}
