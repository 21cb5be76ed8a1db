// Health in a run: ticks, probes, and pools that follow what comes of them.

internal import Balancing

extension Run {
    /// Has every backend checked before the first request, as the program does before it listens.
    func startHealth() {
        for number in balancers.indices where balancers[number].health != nil {
            let snapshot = balancers[number].makeSnapshot()
            balancers[number].health?.adopt(snapshot, at: now)
            for probe in balancers[number].health?.takeDueProbes(at: now) ?? [] {
                let result = result(of: probe.backend, of: number, isRequest: probe.isRequest, timeout: probe.timeout)
                balancers[number].health?.probeEnded(
                    probe.number,
                    isPassed: result.isPassed,
                    after: result.time,
                    at: now
                )
            }
            followHealth(of: number)
            events.push(.tick(balancer: number), at: now + FleetHealth.tickInterval)
        }
    }

    func tick(_ number: Int) {
        balancers[number].health?.tick(at: now)
        for probe in balancers[number].health?.takeDueProbes(at: now) ?? [] {
            let result = result(of: probe.backend, of: number, isRequest: probe.isRequest, timeout: probe.timeout)
            events.push(
                .probe(balancer: number, probe: probe.number, isPassed: result.isPassed, begin: now),
                at: now + result.time
            )
        }
        followHealth(of: number)
        events.push(.tick(balancer: number), at: now + FleetHealth.tickInterval)
    }

    func endProbe(_ probe: UInt64, of number: Int, isPassed: Bool, begin: UInt64) {
        balancers[number].health?.probeEnded(probe, isPassed: isPassed, after: now - begin, at: now)
        followHealth(of: number)
    }

    /// What a probe that begins now comes to, and after how long.
    private func result(
        of backend: Backend,
        of balancer: Int,
        isRequest: Bool,
        timeout: UInt64
    ) -> (isPassed: Bool, time: UInt64) {
        let place = balancers[balancer].places[backend.index]
        let roundTrip = nanoseconds(plan.roundTrip)
        switch backends[place].condition {
        case .works, .isSlow:
            // It stands in no queue: health checks have a slot of their own.
            let time = isRequest ? nanoseconds(backends[place].time(for: plan.service.mean)) : 0
            return time < timeout ? (true, roundTrip + time) : (false, timeout)
        case .refuses: return (false, roundTrip)
        case .hangs: return isRequest ? (false, timeout) : (true, roundTrip)
        case .resets, .fails: return (!isRequest, roundTrip)
        }
    }

    private func followHealth(of number: Int) {
        guard balancers[number].followHealth() else { return }
        publishRoster(of: number)
    }
}
