// The health of all backends of a pool: which probes are due, what their results and live traffic mean, who is used.

/// Judges backends by probes and by traffic.
///
/// A value without clock and socket: whoever owns it tells it the time (in nanoseconds, on a clock that does not go back), makes the
/// probes that it orders, and takes over the conditions that it comes to. `FleetHealth.swift` holds the members and the probes,
/// `FleetHealth+Traffic.swift` what is done by the clock.
public struct FleetHealth: Sendable {
    private(set) var rules: HealthRules
    var members: [MemberHealth] = []
    /// Where each backend stands in ``members``.
    private var positions: [ObjectIdentifier: Int] = [:]
    private var isStarted = false
    private var isPanic = false
    private var random: SplitMix

    /// Probes that are under way since before that time may have failed because of us.
    var lateUntil: UInt64 = 0
    var latestTick: UInt64?
    var nextSample: UInt64 = 0

    private var events: [HealthEvent] = []
    private var conditions: [BackendCondition] = []

    /// - Parameter seed: Where random numbers start.
    public init(_ rules: HealthRules, seed: UInt64) {
        self.rules = rules
        random = SplitMix(seed: seed)
    }

    // MARK: Members

    /// Takes over who is in the pool.
    ///
    /// Those of the first call are those of the process's start: they do not ramp up.
    ///
    /// - Parameter health: What is particular to each, in the order of the snapshot's members.
    public mutating func adopt(_ snapshot: PoolSnapshot, _ health: [BackendHealth], at now: UInt64) {
        var next: [MemberHealth] = []
        for (member, settings) in zip(snapshot.members, health) {
            if let position = positions[ObjectIdentifier(member.backend)] {
                next.append(updated(members[position], member, settings, at: now))
            } else {
                next.append(newcomer(member, settings, at: now))
            }
        }
        members = next
        positions = Dictionary(
            uniqueKeysWithValues: members.indices.map { (ObjectIdentifier(members[$0].backend), $0) }
        )
        isStarted = true
        isPanic = snapshot.isPanic
        withdrawWishes(at: now)
        settle(at: now)
    }

    private func newcomer(_ member: PoolMember, _ settings: BackendHealth, at now: UInt64) -> MemberHealth {
        var health = MemberHealth(member, settings, isOfTheStart: !isStarted, at: now)
        // Without checks it is up from the first moment; else it ramps up when it has come up.
        let isUp = member.state.operational == .up
        if isStarted, isUp, rules.check == nil { health.rampStart = rampStart(health, at: now) }
        return health
    }

    private func updated(
        _ health: MemberHealth,
        _ member: PoolMember,
        _ settings: BackendHealth,
        at now: UInt64
    ) -> MemberHealth {
        var health = health
        health.settled.operational = member.state.operational
        health.settled.requested = member.state.requested
        health.settled.weightPercent = member.weightPercent
        health.settled.isSilent = member.isSilent
        health.weight = member.weight
        let isBack = health.administrative == .maintenance && member.state.administrative != .maintenance
        let isNewCheck = rules.path(for: health.settings) != rules.path(for: settings)
        health.administrative = member.state.administrative
        health.settings = settings
        if isBack {
            health.beginAnew(at: now)
            health.isOfTheStart = false
            health.why = "back from maintenance"
            if rules.check == nil { health.rampStart = rampStart(health, at: now) }
        } else if isNewCheck {
            health.changeCheck(at: now)
        }
        return health
    }

    /// Goes on by other rules; checks that change with them begin anew.
    public mutating func adopt(_ rules: HealthRules, at now: UInt64) {
        let former = self.rules
        self.rules = rules
        for position in members.indices {
            let settings = members[position].settings
            let isSame =
                (former.check == nil) == (rules.check == nil) && former.path(for: settings) == rules.path(for: settings)
            // Who has been in use without checks stays in use until one has failed.
            if former.check == nil, rules.check != nil { members[position].check.assumeUp() }
            if !isSame { members[position].changeCheck(at: now) }
            if rules.ejection == nil { members[position].ejection = Ejection() }
            if let check = rules.check, let old = former.check, check.interval < old.interval {
                hasten(position, check, at: now)
            }
        }
        withdrawWishes(at: now)
        settle(at: now)
    }

    /// Has probes come no later than a shorter interval would have them.
    private mutating func hasten(_ position: Int, _ check: CheckRules, at now: UInt64) {
        let pause = members[position].check.pause(check, chance: chance())
        members[position].checks.due = min(members[position].checks.due, now + pause)
        members[position].trials.due = min(members[position].trials.due, now + trialPause(check))
    }

    /// Takes back what backends have asked for in answers to checks, where no check asks any more: nobody could hear that they want
    /// something else.
    private mutating func withdrawWishes(at now: UInt64) {
        for position in members.indices
        where members[position].wish != BackendWish() && rules.path(for: members[position].settings) == nil {
            members[position].wish = BackendWish()
            note(.wish(BackendWish()), of: position, why: "no health check hears it any more", at: now)
        }
    }

    /// Makes all checks anew, since what is expected of their answers has changed; the old verdicts stand until then.
    public mutating func changeChecks(at now: UInt64) {
        for position in members.indices { members[position].changeCheck(at: now) }
    }

    // MARK: Probes

    /// Whether every member that is probed has been probed.
    public var isFirstRoundOver: Bool {
        rules.check == nil || members.allSatisfy { !$0.isProbed || $0.check.verdict != .unchecked }
    }

    /// The probes to be made now; each is under way until ``probeEnded(_:_:at:)``.
    public mutating func takeDueProbes(at now: UInt64) -> [ProbeOrder] {
        guard let check = rules.check else { return [] }
        var orders: [ProbeOrder] = []
        for position in members.indices where members[position].isProbed {
            let member = members[position]
            if !member.checks.isUnderWay, member.checks.due <= now {
                members[position].checks.isUnderWay = true
                orders.append(order(.check, member, path: rules.path(for: member.settings), check, at: now))
            }
            if member.ejection.isOver(at: now), !member.trials.isUnderWay, member.trials.due <= now {
                members[position].trials.isUnderWay = true
                // What it has failed at are requests: that it can be connected to says nothing.
                orders.append(order(.trial, member, path: rules.path(for: member.settings) ?? "/", check, at: now))
            }
        }
        return orders
    }

    private func order(
        _ purpose: ProbeOrder.Purpose,
        _ member: MemberHealth,
        path: String?,
        _ rules: CheckRules,
        at now: UInt64
    ) -> ProbeOrder {
        ProbeOrder(
            backend: member.backend,
            purpose: purpose,
            path: path,
            isPathConfigured: self.rules.path(for: member.settings) != nil,
            timeout: rules.timeout,
            begun: now,
            generation: member.generation
        )
    }

    /// Takes in how a probe ended; what comes of it is worked out by ``settle(at:)``, for many at a time.
    public mutating func probeEnded(_ order: ProbeOrder, _ outcome: ProbeOutcome, at now: UInt64) {
        guard let check = rules.check, let position = positions[ObjectIdentifier(order.backend)],
            members[position].generation == order.generation
        else { return }
        members[position].remember(outcome, of: order, at: now)
        // Whoever was late ourselves does not know who was at fault: once more.
        let isInvalid = !outcome.isPassed && order.begun < lateUntil
        switch order.purpose {
        case .check:
            members[position].checks.isUnderWay = false
            if isInvalid {
                members[position].checks.due = now
            } else {
                checkEnded(outcome, position, check, at: now)
            }
        case .trial:
            members[position].trials.isUnderWay = false
            trialEnded(outcome, position, check, at: now)
        }
    }

    private mutating func checkEnded(_ outcome: ProbeOutcome, _ position: Int, _ check: CheckRules, at now: UInt64) {
        let wasDown = members[position].check.verdict == .down
        if members[position].check.record(isPassed: outcome.isPassed, check) {
            let times = outcome.isPassed ? check.rise : check.fall
            let isCounted = wasDown || members[position].settled.operational != .unchecked
            let count = isCounted ? "\(times) checks in a row" : "the first check"
            members[position].why = "\(count) \(outcome.isPassed ? "passed" : "failed"): \(outcome.text)"
            // It has been away, and is not what was ejected.
            if wasDown, members[position].ejection.term != nil {
                members[position].ejection.end(at: now)
                members[position].beginCounting()
            }
        }
        let pause = members[position].check.pause(check, chance: chance())
        members[position].checks.due = now + pause
        if let wish = outcome.wish, wish != members[position].wish {
            members[position].wish = wish
            note(.wish(wish), of: position, why: outcome.text, at: now)
        }
    }

    private mutating func trialEnded(_ outcome: ProbeOutcome, _ position: Int, _ check: CheckRules, at now: UInt64) {
        guard let term = members[position].ejection.term else { return }
        let isFast = term.reason.trialLimit.map { outcome.nanoseconds <= $0 } ?? true
        guard outcome.isPassed, isFast else {
            members[position].trials.due = now + trialPause(check)
            return
        }
        endEjection(position, why: "its time is over and a trial passed: \(outcome.text)", at: now)
    }

    mutating func endEjection(_ position: Int, why: String, at now: UInt64) {
        members[position].ejection.end(at: now)
        members[position].beginCounting()
        members[position].why = why
    }

    /// From a trial that has failed to the next one.
    private mutating func trialPause(_ check: CheckRules) -> UInt64 {
        UInt64(Double(check.interval) * (0.9 + 0.2 * chance()))
    }

    private mutating func chance() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    // MARK: What comes of it

    /// Works out each member's condition anew; changes of members, rules and time do so themselves.
    public mutating func settle(at now: UInt64) {
        let isChecked = rules.check != nil
        for position in members.indices {
            let former = members[position].settled.operational
            let operational = members[position].operational(isChecked: isChecked)
            if operational != former {
                note(.operational(from: former, to: operational), of: position, why: members[position].why, at: now)
                members[position].rampStart = operational == .up ? rampStart(members[position], at: now) : nil
                if operational != .unchecked { members[position].isOfTheStart = false }
            }
            let percent = members[position].weightPercent(at: now, rules)
            if percent >= members[position].wish.weightPercent { members[position].rampStart = nil }
            let requested = members[position].wish.state
            let settled = members[position].settled
            guard
                operational != former || settled.weightPercent != percent || settled.requested != requested
            else { continue }
            members[position].settled.operational = operational
            members[position].settled.weightPercent = percent
            members[position].settled.requested = requested
            members[position].settled.isSilent = members[position].isSilent
            conditions.append(members[position].settled)
        }
    }

    /// When a member that comes into use begins to ramp up: now, or not at all.
    private func rampStart(_ member: MemberHealth, at now: UInt64) -> UInt64? {
        let hasCompany = members.contains { $0.backend !== member.backend && $0.isInUse }
        return rules.slowStart(of: member.settings) > 0 && !member.isOfTheStart && hasCompany ? now : nil
    }

    private mutating func note(_ change: HealthEvent.Change, of position: Int, why: String, at now: UInt64) {
        let event = HealthEvent(time: now, backend: members[position].backend.name, change: change, why: why)
        members[position].latestChange = event
        events.append(event)
    }

    /// The conditions that have changed since the last call.
    public mutating func takeConditions() -> [BackendCondition] {
        defer { conditions.removeAll() }
        return conditions
    }

    /// What has happened since the last call.
    public mutating func takeEvents() -> [HealthEvent] {
        defer { events.removeAll() }
        return events
    }

    /// All that is known.
    ///
    /// - Parameter name: The one backend that it is to be about; nil for all of them.
    public func report(of name: String? = nil, at now: UInt64) -> HealthReport {
        HealthReport(
            time: now,
            isPanic: isPanic,
            isChecking: rules.check != nil,
            members: members.filter { name == nil || $0.backend.name == name }.map { member in
                HealthReport.Member(
                    name: member.backend.name,
                    state: member.state,
                    weightPercent: member.settled.weightPercent,
                    checkPath: rules.path(for: member.settings),
                    ejection: member.ejection.term.map { .init(since: $0.since, until: $0.until, reason: $0.reason) },
                    ejectionCount: member.ejection.count,
                    latestChange: member.latestChange,
                    probes: member.probes
                )
            }
        )
    }
}
