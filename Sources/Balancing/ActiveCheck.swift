// The verdict of a backend's active health checks, and when the next one is due.

/// Rise and fall, as in HAProxy.
///
/// A pure value: no clock, no socket.
struct ActiveCheck: Sendable {
    enum Verdict: Sendable {
        /// No check has ended. Next: `up`, `down`, by the first result.
        case unchecked
        /// Next: `down`, after `fall` failures in a row.
        case up
        /// Next: `up`, after `rise` successes in a row.
        case down
    }

    private(set) var verdict = Verdict.unchecked
    /// Results in a row that contradict the verdict.
    private(set) var contrary = 0
    /// Whether the next result decides alone: there was none, or only some of another check.
    private var isProvisional = true
    /// Results so far.
    private var results = 0

    /// Takes in a result; true when it changes the verdict.
    mutating func record(isPassed: Bool, _ rules: CheckRules) -> Bool {
        results += 1
        let stands: Verdict = isPassed ? .up : .down
        guard stands != verdict else {
            contrary = 0
            isProvisional = false
            return false
        }
        contrary += 1
        guard isProvisional || contrary >= (isPassed ? rules.rise : rules.fall) else { return false }
        verdict = stands
        contrary = 0
        isProvisional = false
        return true
    }

    /// Begins anew because the check is another one: its first result decides; until then the old verdict stands.
    mutating func beginAnew() {
        contrary = 0
        results = 0
        isProvisional = true
    }

    /// Takes it that the backend is up, since it has been in use without checks: the first result decides.
    mutating func assumeUp() { verdict = .up }

    /// From the end of a check to the next one, in nanoseconds.
    ///
    /// - Parameter chance: A random number in 0..<1, by which a tenth is taken off or added. After the first result it is chosen from the
    ///   whole interval: checks that began together are spread out.
    func pause(_ rules: CheckRules, chance: Double) -> UInt64 {
        let isInDoubt = contrary > 0 || verdict == .unchecked
        let pause = Double(isInDoubt ? rules.fastInterval : verdict == .down ? rules.slowInterval : rules.interval)
        return UInt64(results == 1 ? pause * (0.1 + 0.9 * chance) : pause * (0.9 + 0.2 * chance))
    }
}
