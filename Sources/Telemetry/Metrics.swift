// Who counts what, for the whole process: the place where a worker finds its counters, and a reader all of them.

internal import Synchronization

/// All counters of the process.
///
/// Any thread. What is counted is counted in ``WorkerMeter`` and ``BackendMeter``, of which every worker has its own; this only finds
/// them and adds them up.
public final class Metrics: Sendable {
    /// The most backends, present and former, that are counted apart.
    public static let maximumSeries = 1024
    /// The name under which former backends are counted together that there was no room for; no backend can have it.
    public static let removedName = "(removed)"
    /// The name under which backends are counted together that there is no room for.
    public static let otherName = "(other)"

    /// One backend's counters, and what was folded into them.
    private struct Series {
        let meters: [BackendMeter]
        var isMember: Bool
        /// Grows with each removal: who went first makes room first.
        var removal: UInt64 = 0
    }

    private struct State {
        var series: [String: Series] = [:]
        /// The counters of former backends that had to make room.
        var removed: BackendCounts?
        var removals: UInt64 = 0
    }

    public let reasons: ReasonTable
    /// The methods that requests are counted by, in the order of their places.
    public let methods: [String]
    /// One for each worker.
    public let workers: [WorkerMeter]
    private let other: [BackendMeter]
    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameters:
    ///   - methods: the labels of request methods; one that is not known is to be one of them.
    ///   - capacity: the most backends counted apart.
    public init(
        workers: Int,
        methods: [String],
        reasons: ReasonTable,
        capacity: Int = Metrics.maximumSeries
    ) {
        self.reasons = reasons
        self.methods = methods
        self.capacity = capacity
        self.workers = (0..<workers).map { _ in WorkerMeter(methodCount: methods.count, reasons: reasons) }
        other = (0..<workers).map { _ in BackendMeter(reasons: reasons) }
    }

    // MARK: Backends come and go

    /// Notes which backends the pool has, before workers ask for their counters.
    ///
    /// A backend that comes again under its name goes on counting where it was. The counters of those that go are kept as long as
    /// there is room.
    public func poolChanged(to names: [String]) {
        let present = Set(names)
        state.withLock { state in
            for (name, series) in state.series where series.isMember != present.contains(name) {
                state.series[name]?.isMember = !series.isMember
                if series.isMember {
                    state.removals += 1
                    state.series[name]?.removal = state.removals
                }
            }
            for name in names where state.series[name] == nil && makeRoom(in: &state) {
                let meters = workers.map { _ in BackendMeter(reasons: reasons) }
                state.series[name] = Series(meters: meters, isMember: true)
            }
        }
    }

    /// The counters of a backend on a worker; those of ``otherName`` when there is no room for its own.
    public func meter(of backend: String, worker: Int) -> BackendMeter {
        state.withLock { $0.series[backend]?.meters[worker] } ?? other[worker]
    }

    /// Folds the backend that went first together with others that have gone; false when all are present.
    private func makeRoom(in state: inout State) -> Bool {
        guard state.series.count >= capacity else { return true }
        let former = state.series.filter { !$0.value.isMember }
        guard let oldest = former.min(by: { $0.value.removal < $1.value.removal }) else { return false }
        var counts = state.removed ?? BackendCounts(reasons: reasons)
        for meter in oldest.value.meters { counts += BackendCounts(meter) }
        state.removed = counts
        state.series[oldest.key] = nil
        return true
    }

    // MARK: Reading

    /// What was counted for each backend, present and former, by name.
    public func backendCounts() -> [(name: String, counts: BackendCounts)] {
        let (series, removed) = state.withLock { ($0.series, $0.removed) }
        var result = series.sorted { $0.key < $1.key }.map { (name: $0.key, counts: sum($0.value.meters)) }
        if let removed { result.append((Self.removedName, removed)) }
        let others = sum(other)
        if others.attempts > 0 { result.append((Self.otherName, others)) }
        return result.map { (name: $0.name, counts: $0.counts.withoutIdleReasons(reasons)) }
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
