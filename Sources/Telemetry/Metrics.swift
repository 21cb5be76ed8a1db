// Who counts what, for the whole process: the place where a worker finds its counters, and a reader all of them.

internal import Synchronization

/// All counters of the process.
///
/// Any thread. What is counted is counted in ``WorkerMeter`` and ``BackendMeter``, of which every worker has its own; this only finds
/// them and adds them up.
public final class Metrics: Sendable {
    /// The most backends, present and former, that are counted apart.
    public static let maximumSeries = 1024
    /// The most former backends that are counted apart: those that went last.
    public static let maximumFormer = 100
    /// The name under which backends are counted together that there is no room for; no backend can have it.
    public static let otherName = "(other)"

    /// One backend's counters.
    private struct Series {
        let meters: [BackendMeter]
        var isMember: Bool
        /// Grows with each removal: who went first makes room first.
        var removal: UInt64 = 0
    }

    private struct State {
        var series: [String: Series] = [:]
        var removals: UInt64 = 0
    }

    public let reasons: ReasonTable
    /// The methods that requests are counted by, in the order of their places.
    public let methods: [String]
    /// One for each worker.
    public let workers: [WorkerMeter]
    /// Access log lines that were never written.
    public let lostLogLines = LostLines()
    /// The latest requests that did not end well.
    public let failures: FailureFeed
    private let other: [BackendMeter]
    private let state = Mutex(State())
    private let capacity: Int
    private let formerCapacity: Int

    /// - Parameters:
    ///   - methods: the labels of request methods; one that is not known is to be one of them.
    ///   - capacity: the most backends counted apart.
    ///   - formerCapacity: the most former ones among them.
    public init(
        workers: Int,
        methods: [String],
        reasons: ReasonTable,
        capacity: Int = Metrics.maximumSeries,
        formerCapacity: Int = Metrics.maximumFormer
    ) {
        self.reasons = reasons
        self.methods = methods
        self.capacity = capacity
        self.formerCapacity = formerCapacity
        failures = FailureFeed(workers: workers)
        self.workers = (0..<workers).map { _ in WorkerMeter(methodCount: methods.count, reasons: reasons) }
        other = (0..<workers).map { _ in BackendMeter(reasons: reasons) }
    }

    // MARK: Backends come and go

    /// Notes which backends the pool has, before workers ask for their counters.
    ///
    /// A backend that comes again under its name goes on counting where it was. Of those that have gone the last
    /// ``maximumFormer`` are kept, the others forgotten, so that names that come and go without end take no memory. Their series end, for
    /// what they have counted is nothing that happens anew in another one; workers' counters have all of it.
    ///
    /// - Parameter busy: Former backends that still have requests in flight: they are kept until they have none.
    public func poolChanged(to names: [String], busy: Set<String> = []) {
        let present = Set(names)
        state.withLock { state in
            for (name, series) in state.series where series.isMember != present.contains(name) {
                state.series[name]?.isMember = !series.isMember
                if series.isMember {
                    state.removals += 1
                    state.series[name]?.removal = state.removals
                }
            }
            forget(beyond: formerCapacity, busy: busy, in: &state)
            for name in names where state.series[name] == nil && makeRoom(busy: busy, in: &state) {
                let meters = workers.map { _ in BackendMeter(reasons: reasons) }
                state.series[name] = Series(meters: meters, isMember: true)
            }
        }
    }

    /// The counters of a backend on a worker; those of ``otherName`` when there is no room for its own.
    public func meter(of backend: String, worker: Int) -> BackendMeter {
        state.withLock { $0.series[backend]?.meters[worker] } ?? other[worker]
    }

    /// Forgets the former backends that went first, until there are only so many.
    private func forget(beyond count: Int, busy: Set<String>, in state: inout State) {
        let excess = state.series.count { !$0.value.isMember } - count
        guard excess > 0 else { return }
        let idle = state.series.filter { !$0.value.isMember && !busy.contains($0.key) }
        for (name, _) in idle.sorted(by: { $0.value.removal < $1.value.removal }).prefix(excess) {
            state.series[name] = nil
        }
    }

    /// Forgets the backend that went first of those that have gone; false when there is none.
    private func makeRoom(busy: Set<String>, in state: inout State) -> Bool {
        guard state.series.count >= capacity else { return true }
        let former = state.series.filter { !$0.value.isMember && !busy.contains($0.key) }
        guard let oldest = former.min(by: { $0.value.removal < $1.value.removal }) else { return false }
        state.series[oldest.key] = nil
        return true
    }

    // MARK: Reading

    /// What was counted for each backend, present and former, by name.
    public func backendCounts() -> [(name: String, counts: BackendCounts)] {
        let series = state.withLock { $0.series }
        var result = series.sorted { $0.key < $1.key }.map { (name: $0.key, counts: sum($0.value.meters)) }
        let others = sum(other)
        if others.attempts > 0 { result.append((Self.otherName, others)) }
        return result.map { (name: $0.name, counts: $0.counts.withoutIdleReasons(reasons)) }
    }

    /// What was counted for one backend; nil when there is no such series.
    public func backendCounts(of name: String) -> BackendCounts? {
        let meters: [BackendMeter]?
        if name == Self.otherName { meters = other } else { meters = state.withLock { $0.series[name]?.meters } }
        guard let counts = meters.map(sum), name != Self.otherName || counts.attempts > 0 else { return nil }
        return counts.withoutIdleReasons(reasons)
    }

    private func sum(_ meters: [BackendMeter]) -> BackendCounts {
        var counts = BackendCounts(reasons: reasons)
        for meter in meters { counts += BackendCounts(meter) }
        return counts
    }

    /// What stands for a backend that has not been counted.
    public var noCounts: BackendCounts { BackendCounts(reasons: reasons).withoutIdleReasons(reasons) }

    /// What was counted of clients, all workers together.
    public func clientCounts() -> ClientCounts {
        var counts = ClientCounts(methods: methods, reasons: reasons)
        for worker in workers { counts += worker }
        return counts
    }

    /// How each worker's event loop does.
    public func loopCounts() -> [LoopCounts] { workers.map(LoopCounts.init) }

    /// Requests that did not end well, the most frequent reason first.
    public var failureSummary: [(label: String, count: UInt64)] {
        clientCounts().failures.filter { $0.count > 0 }.map { ($0.label, $0.count) }
            .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }
}
