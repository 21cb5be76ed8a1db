// One source of discovery being looked at again and again, on a thread of its own.

internal import Dispatch
internal import Foundation
internal import Synchronization

/// Looks at a source until it is stopped.
///
/// A look may block for as long as the resolver or a disk wants: nobody else waits for it, and there is never another one of the
/// same watch beside it. A watch that is stopped in the middle of a look ends after it, unheard.
///
/// Any thread.
final class SourceWatch: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let wake = DispatchSemaphore(value: 0)

    /// Looks at once, and then by the schedule.
    ///
    /// - Parameters:
    ///   - failures: How many attempts at the source's backends have failed since the start.
    ///   - report: Gets every answer, on the watch's thread.
    init(
        _ name: String,
        interval: Duration,
        failures: @escaping @Sendable () -> UInt64,
        look: any SourceLook,
        report: @escaping @Sendable (SourceWatch, SourceAnswer) -> Void
    ) {
        let thread = Thread { [self] in
            var look = look
            run(interval: interval, failures: failures, look: { look.look() }, report: report)
        }
        thread.name = name
        thread.start()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        wake.signal()
    }

    private func run(
        interval: Duration,
        failures: () -> UInt64,
        look: () -> SourceAnswer,
        report: (SourceWatch, SourceAnswer) -> Void
    ) {
        var schedule = LookSchedule(interval: interval)
        var last = SourceAnswer.unchanged
        var lastEnd = ContinuousClock.now
        while true {
            let passed = ContinuousClock.now - lastEnd
            let failureCount = failures()
            let answer = look()
            if isStopped.load(ordering: .relaxed) { return }
            report(self, answer)
            let isGood = if case .problem = answer { false } else { true }
            let isNew = answer != .unchanged && answer != last
            schedule.looked(after: passed, failures: failureCount, isGood: isGood, isNew: isNew)
            if answer != .unchanged { last = answer }
            lastEnd = .now
            while !schedule.isDue(after: ContinuousClock.now - lastEnd, failures: failures()) {
                let pause = min(LookSchedule.shortest, interval)
                _ = wake.wait(timeout: .now() + pause.seconds)
                if isStopped.load(ordering: .relaxed) { return }
            }
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
