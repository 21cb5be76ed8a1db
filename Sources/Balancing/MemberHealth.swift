// The health of one backend: what its checks say, whether it is ejected, how far it has ramped up, what it asks for.

/// All that is known of one member, and what comes of it.
///
/// A pure value: time is an argument, in nanoseconds.
struct MemberHealth: Sendable {
    /// A check or a trial: when it is due, and whether it is under way.
    struct Schedule: Sendable {
        var due: UInt64
        var isUnderWay = false
    }

    let backend: Backend
    var settings: BackendHealth
    var administrative: AdministrativeState
    var weight: Int

    var check = ActiveCheck()
    var checks: Schedule
    var trials: Schedule
    /// Grows when probes under way no longer count.
    var generation = 0

    var ejection = Ejection()
    var window: TrafficWindow
    var wish = BackendWish()
    /// When its ramp began; nil when it has its full share.
    var rampStart: UInt64?
    /// Whether its coming up for the first time is the process's start, not its own.
    var isOfTheStart: Bool

    /// Its condition as the pool has it, or will have it.
    var settled: BackendCondition
    /// Why its operational state is what it is.
    var why = "not checked yet"
    var latestChange: HealthEvent?
    var probes: [ProbeRecord] = []

    init(_ member: PoolMember, _ settings: BackendHealth, isOfTheStart: Bool, at now: UInt64) {
        backend = member.backend
        self.settings = settings
        administrative = member.state.administrative
        weight = member.weight
        checks = Schedule(due: now)
        trials = Schedule(due: 0)
        window = TrafficWindow(from: TrafficCount(of: member.backend))
        self.isOfTheStart = isOfTheStart
        settled = BackendCondition(
            backend: member.backend,
            operational: member.state.operational,
            requested: member.state.requested,
            weightPercent: member.weightPercent,
            isSilent: member.isSilent
        )
    }

    var isProbed: Bool { administrative != .maintenance }

    var state: BackendState { BackendState(settled.operational, administrative, requested: settled.requested) }

    /// Whether it is one of those that ejections are counted among.
    var isReady: Bool { weight > 0 && wish.weightPercent > 0 && state.effectiveAdministrative == .ready }

    /// Whether it takes its share.
    var isInUse: Bool { isReady && settled.operational == .up }

    /// What checks and traffic together say.
    func operational(isChecked: Bool) -> OperationalState {
        if isChecked, check.verdict == .down { return .down }
        if ejection.term != nil { return .ejected }
        return isChecked && check.verdict == .unchecked ? .unchecked : .up
    }

    /// Whether it is ejected because it leaves requests waiting.
    var isSilent: Bool {
        if case .silent = ejection.term?.reason { true } else { false }
    }

    func weightPercent(at now: UInt64, _ rules: HealthRules) -> Int {
        guard wish.weightPercent > 0 else { return 0 }
        let window = rules.slowStart(of: settings)
        let ramp = rampStart.map { SlowStart.percent(age: now - $0, window: window) } ?? 100
        return max(1, ramp * wish.weightPercent / 100)
    }

    // MARK: Beginning anew

    /// Forgets what probes and traffic have shown: somebody has worked on it.
    mutating func beginAnew(at now: UInt64) {
        check = ActiveCheck()
        ejection = Ejection()
        wish = BackendWish()
        beginChecks(at: now)
        beginCounting()
    }

    /// Makes checks of another kind: the old verdict stands until the first of them has ended.
    mutating func changeCheck(at now: UInt64) {
        check.beginAnew()
        beginChecks(at: now)
    }

    private mutating func beginChecks(at now: UInt64) {
        generation += 1
        checks = Schedule(due: now)
        trials = Schedule(due: now)
    }

    /// Counts from here on; who waits now is not counted among those that wait later.
    mutating func beginCounting() {
        window = TrafficWindow(from: TrafficCount(of: backend))
        backend.forgetRows()
    }

    mutating func remember(_ outcome: ProbeOutcome, of order: ProbeOrder, at now: UInt64) {
        if probes.count == ProbeRecord.kept { probes.removeFirst() }
        probes.append(ProbeRecord(time: now, purpose: order.purpose, outcome: outcome))
    }
}
