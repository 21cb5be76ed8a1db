// Which backends stand out badly from the others.

internal import Synchronization

/// What the backends in use have shown together, from which each one's others are told by subtraction.
struct FleetTraffic: Sendable {
    private var sum = TrafficCount()
    /// Of those that have shown anything: their number, and the sums of their shares of what was bad, and of the squares.
    private var rated = 0
    private var rates = 0.0
    private var squares = 0.0
    private var members = 0
    private var silent = 0

    mutating func add(_ own: TrafficCount, isSilent: Bool) {
        sum = sum + own
        members += 1
        if isSilent { silent += 1 }
        guard own.ends > 0 else { return }
        rated += 1
        rates += own.badShare
        squares += own.badShare * own.badShare
    }

    /// All but one that was added.
    func without(_ own: TrafficCount, isSilent: Bool) -> FleetTraffic {
        var others = self
        others.sum = sum.since(own)
        others.members -= 1
        if isSilent { others.silent -= 1 }
        guard own.ends > 0 else { return others }
        others.rated -= 1
        others.rates -= own.badShare
        others.squares -= own.badShare * own.badShare
        return others
    }

    var together: TrafficCount { sum }
    var isEmpty: Bool { members == 0 }
    /// Whether half of them or more leave requests waiting without answering any.
    var isMostlySilent: Bool { silent * 2 >= members }
    /// The mean share of what was bad.
    var meanRate: Double { rated > 0 ? rates / Double(rated) : 0 }
    /// Its standard deviation.
    var rateDeviation: Double {
        guard rated > 0 else { return 0 }
        return max(0, squares / Double(rated) - meanRate * meanRate).squareRoot()
    }
}

/// Compares backends by what live traffic has shown: pure functions of their counters.
///
/// Whatever all do is not a backend's fault: an application's error, a slow database. So each rule asks how the others do.
enum OutlierDetection {
    /// Whether a backend's counters give reason to ask for ``inARow(_:others:_:)``.
    static func isSuspect(_ backend: Backend, _ rules: EjectionRules) -> Bool {
        backend.failuresInARow.load(ordering: .relaxed) >= rules.consecutive
            || backend.errorsInARow.load(ordering: .relaxed) >= rules.consecutive
    }

    /// Failures or errors in a row; looked at at any time.
    static func inARow(_ backend: Backend, others: FleetTraffic, _ rules: EjectionRules) -> EjectionReason? {
        let others = others.together
        let failures = backend.failuresInARow.load(ordering: .relaxed)
        if failures >= rules.consecutive, others.failures * 2 <= others.ends { return .failures(failures) }
        let errors = backend.errorsInARow.load(ordering: .relaxed)
        if errors >= rules.consecutive, others.errors * 2 <= others.answers { return .errors(errors) }
        return nil
    }

    /// What a comparison with the others shows; looked at once a sample.
    ///
    /// - Parameter stuck: How many requests have waited for ``EjectionRules/silentSamples`` in which none was answered.
    static func compared(_ own: TrafficCount, stuck: UInt64, with others: FleetTraffic) -> EjectionReason? {
        guard !others.isEmpty else { return nil }
        if stuck >= EjectionRules.silentRequests, isAnsweringFast(others), !others.isMostlySilent {
            return .silent(requests: Int(clamping: stuck))
        }
        return errorRate(own, others) ?? slowness(own, others.together)
    }

    private static func isAnsweringFast(_ others: FleetTraffic) -> Bool {
        others.together.answers >= EjectionRules.silentRequests
            && others.together.meanTime <= EjectionRules.latencyExcess
    }

    /// As Envoy's success rate, but by the others alone and with a floor: it works for a fleet of two as well.
    private static func errorRate(_ own: TrafficCount, _ others: FleetTraffic) -> EjectionReason? {
        guard own.ends >= EjectionRules.endsForRate, others.together.ends >= EjectionRules.endsForRate else {
            return nil
        }
        let excess = max(1.9 * others.rateDeviation, EjectionRules.rateExcess)
        guard own.badShare > others.meanRate + excess else { return nil }
        return .errorRate(own: percent(own.badShare), others: percent(others.meanRate))
    }

    private static func slowness(_ own: TrafficCount, _ others: TrafficCount) -> EjectionReason? {
        let needed = EjectionRules.answersForLatency
        guard own.answers >= needed, others.answers >= needed else { return nil }
        let usual = others.meanTime
        let isSlow =
            own.meanTime / EjectionRules.latencyFactor >= usual
            && own.meanTime >= usual + EjectionRules.latencyExcess
        return isSlow ? .slow(own: milliseconds(own.meanTime), others: milliseconds(usual)) : nil
    }

    private static func percent(_ share: Double) -> Int { Int((share * 100).rounded()) }

    private static func milliseconds(_ nanoseconds: UInt64) -> Int { Int(clamping: nanoseconds / 1_000_000) }
}
