// What the clock brings: samples of live traffic, ejections and their ends, steps of the ramp.

internal import Synchronization

extension FleetHealth {
    /// How often ``tick(at:)`` is to be called, in nanoseconds: what is crossed in a row is seen after that time at the latest.
    public static let tickInterval: UInt64 = 100_000_000
    /// How often the counters are sampled for comparisons.
    static let sampleInterval: UInt64 = 1_000_000_000
    /// A tick that comes so much later than the one before says that we ourselves stood still.
    private static let lag: UInt64 = 1_000_000_000

    /// Whether the clock can bring anything.
    public var needsTicks: Bool {
        rules.check != nil || rules.ejection != nil || members.contains { $0.rampStart != nil }
    }

    /// Looks at the traffic since the last tick and at what is due.
    public mutating func tick(at now: UInt64) {
        if let latestTick, now > latestTick + Self.lag {
            // What was seen in that time is our own doing.
            lateUntil = now
            for position in members.indices { members[position].beginCounting() }
            nextSample = now + Self.sampleInterval
        }
        latestTick = now
        if let ejection = rules.ejection {
            endEjections(ejection, at: now)
            judge(ejection, at: now)
        }
        settle(at: now)
    }

    private mutating func endEjections(_ rules: EjectionRules, at now: UInt64) {
        for position in members.indices {
            members[position].ejection.forgive(at: now, rules)
            let ejection = members[position].ejection
            if ejection.isTooLong(at: now, rules) {
                endEjection(position, why: "ejected for as long as anybody is", at: now)
            } else if ejection.isOver(at: now), self.rules.check == nil {
                endEjection(position, why: "the ejection's time is over", at: now)
            }
        }
    }

    // MARK: Judging

    private mutating func judge(_ rules: EjectionRules, at now: UInt64) {
        let isSample = now >= nextSample
        if isSample {
            nextSample = now + Self.sampleInterval
            for position in members.indices {
                members[position].window.append(TrafficCount(of: members[position].backend))
            }
        }
        let isComparing = isSample && rules.comparesBackends
        guard isComparing || members.contains(where: { $0.isInUse && OutlierDetection.isSuspect($0.backend, rules) })
        else { return }

        let users = members.indices.filter { members[$0].isInUse }
        let stuck = users.map { isSample ? members[$0].window.stuck(for: EjectionRules.silentSamples) : 0 }
        let counts = users.map { members[$0].window.sum(to: TrafficCount(of: members[$0].backend)) }
        var fleet = FleetTraffic()
        for (count, stuck) in zip(counts, stuck) { fleet.add(count, isSilent: stuck > 0) }
        for (index, position) in users.enumerated() {
            let others = fleet.without(counts[index], isSilent: stuck[index] > 0)
            var reason = OutlierDetection.inARow(members[position].backend, others: others, rules)
            if reason == nil, isComparing {
                reason = OutlierDetection.compared(counts[index], stuck: stuck[index], with: others)
            }
            if let reason, mayEjectOneMore(rules) { eject(position, for: reason, rules, at: now) }
        }
    }

    /// Whether one of those in use may go: not the last, and not more than the rules allow.
    private func mayEjectOneMore(_ rules: EjectionRules) -> Bool {
        guard members.count(where: \.isInUse) > 1 else { return false }
        let ejected = members.count { $0.isReady && $0.ejection.term != nil }
        let ready = members.count(where: \.isReady)
        return ejected == 0 || (ejected + 1) * 100 <= rules.maximumPercent * ready
    }

    private mutating func eject(_ position: Int, for reason: EjectionReason, _ rules: EjectionRules, at now: UInt64) {
        members[position].ejection.begin(for: reason, at: now, rules)
        members[position].backend.ejections.wrappingAdd(1, ordering: .relaxed)
        members[position].trials.due = 0
        members[position].beginCounting()
        members[position].why = "\(reason)"
        // The next one's limits count this one already.
        settle(at: now)
    }
}
