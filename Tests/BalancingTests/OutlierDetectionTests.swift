// Outliers: what counters must show beside the others' before a backend is judged.

import Synchronization
import Testing

@testable import Balancing

@Suite("Outlier detection")
struct OutlierDetectionTests {
    private static let millisecond: UInt64 = 1_000_000

    /// Counts of answers, of errors among them and of failures, each answer taking so many milliseconds.
    private static func count(
        _ answers: UInt64,
        errors: UInt64 = 0,
        failures: UInt64 = 0,
        each: UInt64 = 1
    ) -> TrafficCount {
        var count = TrafficCount()
        count.sent = answers + failures
        count.answers = answers
        count.errors = errors
        count.failures = failures
        count.unanswered = failures
        count.answerTime = answers * each * millisecond
        return count
    }

    private func compared(_ own: TrafficCount, stuck: UInt64 = 0, _ others: [TrafficCount]) -> EjectionReason? {
        var fleet = FleetTraffic()
        for other in others { fleet.add(other, isSilent: false) }
        fleet.add(own, isSilent: stuck > 0)
        return OutlierDetection.compared(own, stuck: stuck, with: fleet.without(own, isSilent: stuck > 0))
    }

    @Test func `a backend that is as the others is none`() {
        for own in [Self.count(100), Self.count(0), Self.count(100, errors: 30), Self.count(100, each: 400)] {
            #expect(compared(own, [Self.count(100), Self.count(100)]) == nil)
        }
        // Alone it has nobody to be compared with.
        #expect(compared(Self.count(100, errors: 100, each: 9000), stuck: 50, []) == nil)
    }

    @Test func `a share of errors is judged by the others', from twenty attempts on`() {
        let others = [Self.count(100), Self.count(100, errors: 2)]
        #expect(compared(Self.count(20, errors: 10), others) == .errorRate(own: 50, others: 1))
        #expect(compared(Self.count(10, failures: 10), others) == .errorRate(own: 50, others: 1))
        #expect(compared(Self.count(19, errors: 19), others) == nil)
        #expect(compared(Self.count(100, errors: 30), others) == nil)
        #expect(compared(Self.count(100, errors: 100), [Self.count(10)]) == nil)
        // All have the same trouble: it is none of the backend's.
        #expect(
            compared(Self.count(100, errors: 70), [Self.count(100, errors: 60), Self.count(100, errors: 50)]) == nil
        )
    }

    @Test func `among backends that differ much anyway more is needed`() {
        // Shares of 0 and 80 percent: a mean of 40, and a deviation of 40.
        let others = [Self.count(100), Self.count(100, errors: 80)]
        #expect(compared(Self.count(100, errors: 100), others) == nil)
    }

    @Test func `slow is ten times what the others take, and half a second more`() {
        let others = [Self.count(100), Self.count(100)]
        #expect(compared(Self.count(5, each: 2000), others) == .slow(own: 2000, others: 1))
        #expect(compared(Self.count(4, each: 2000), others) == nil)
        #expect(compared(Self.count(5, each: 500), others) == nil)
        #expect(compared(Self.count(5, each: 501), others) == .slow(own: 501, others: 1))
        let slow = [Self.count(100, each: 1000)]
        #expect(compared(Self.count(5, each: 9999), slow) == nil)
        #expect(compared(Self.count(5, each: 10000), slow) == .slow(own: 10000, others: 1000))
    }

    @Test func `silent is who lets five requests wait while the others answer fast`() {
        let others = [Self.count(5), Self.count(5)]
        #expect(compared(Self.count(0), stuck: 5, others) == .silent(requests: 5))
        #expect(compared(Self.count(0), stuck: 4, others) == nil)
        #expect(compared(Self.count(0), stuck: 5, [Self.count(4)]) == nil)
        // What takes long everywhere may take long here.
        #expect(compared(Self.count(0), stuck: 5, [Self.count(9, each: 600)]) == nil)
    }

    @Test func `when half of the others are silent, too, none is to blame`() {
        var fleet = FleetTraffic()
        fleet.add(Self.count(50), isSilent: false)
        fleet.add(Self.count(50), isSilent: true)
        #expect(OutlierDetection.compared(Self.count(0), stuck: 9, with: fleet) == nil)
        fleet.add(Self.count(50), isSilent: false)
        #expect(OutlierDetection.compared(Self.count(0), stuck: 9, with: fleet) == .silent(requests: 9))
    }

    // MARK: In a row

    private func judged(_ play: (Backend) -> Void, others: TrafficCount = count(10)) -> EjectionReason? {
        let backend = Backend(index: 0, name: "a")
        play(backend)
        var fleet = FleetTraffic()
        fleet.add(others, isSilent: false)
        let reason = OutlierDetection.inARow(backend, others: fleet, EjectionRules())
        #expect(OutlierDetection.isSuspect(backend, EjectionRules()) || reason == nil)
        return reason
    }

    private func serve(_ backend: Backend, _ script: String) {
        for step in script {
            let lease = BackendLease(of: backend, at: 0, isMeasured: false)
            switch step {
            case "e", ".":
                var lease = lease
                lease.requestSent(at: 0)
                lease.headReceived(status: step == "e" ? 503 : 404, at: 0)
                lease.end(.answered, at: 0)
            case "f": lease.end(.failed, at: 0)
            default: lease.end(.abandoned, at: 0)
            }
        }
    }

    @Test(
        arguments: [
            ("eeee", nil), ("eeeee", .errors(5)), ("eeee.eeee", nil), ("ffff", nil), ("fffff", .failures(5)),
            // What was abandoned says nothing, and errors and failures are counted apart.
            ("eexeee", .errors(5)), ("ffffxf", .failures(5)), ("eeeeffff", nil), ("ffffeffff", nil),
            ("eeeeffffe", .errors(5)),
        ] as [(String, EjectionReason?)]
    )
    func `five in a row are too many`(script: String, reason: EjectionReason?) {
        #expect(judged({ serve($0, script) }) == reason)
    }

    @Test func `what most of the others do as well is not the backend's fault`() {
        #expect(judged({ serve($0, "eeeee") }, others: Self.count(10, errors: 6)) == nil)
        #expect(judged({ serve($0, "eeeee") }, others: Self.count(10, errors: 5)) == .errors(5))
        #expect(judged({ serve($0, "fffff") }, others: Self.count(4, failures: 6)) == nil)
        #expect(judged({ serve($0, "fffff") }, others: Self.count(0)) == .failures(5))
    }

    @Test func `an answer that breaks off in its middle is a failure`() {
        let reason = judged { backend in
            for _ in 0..<5 {
                var lease = BackendLease(of: backend, at: 0, isMeasured: false)
                lease.headReceived(status: 200, at: 0)
                lease.end(.failed, at: 0)
            }
        }
        #expect(reason == .failures(5))
    }

    // MARK: Windows

    @Test func `a window spans ten samples, and tells who has waited for the last two`() {
        let backend = Backend(index: 0, name: "a")
        var window = TrafficWindow(from: TrafficCount(of: backend))
        for _ in 0..<12 {
            serve(backend, ".")
            window.append(TrafficCount(of: backend))
        }
        #expect(window.sum.answers == 10 && window.sum.sent == 10)
        #expect(window.stuck(for: 2) == 0)

        backend.sent.wrappingAdd(6, ordering: .relaxed)
        window.append(TrafficCount(of: backend))
        window.append(TrafficCount(of: backend))
        #expect(window.stuck(for: 2) == 0)
        backend.sent.wrappingAdd(3, ordering: .relaxed)
        window.append(TrafficCount(of: backend))
        #expect(window.stuck(for: 2) == 6)
        // One gave up, and may have been any of them.
        backend.unanswered.wrappingAdd(1, ordering: .relaxed)
        window.append(TrafficCount(of: backend))
        #expect(window.stuck(for: 2) == 5)
        backend.answers.wrappingAdd(1, ordering: .relaxed)
        window.append(TrafficCount(of: backend))
        #expect(window.stuck(for: 2) == 0)
    }

    @Test func `who waited when counting began is not counted, and neither is who may have taken its place`() {
        let backend = Backend(index: 0, name: "a")
        func sample(_ window: inout TrafficWindow, _ count: Int = 1) {
            for _ in 0..<count { window.append(TrafficCount(of: backend)) }
        }
        backend.sent.wrappingAdd(5, ordering: .relaxed)
        var window = TrafficWindow(from: TrafficCount(of: backend))
        sample(&window, 3)
        #expect(window.stuck(for: 2) == 0)
        backend.sent.wrappingAdd(6, ordering: .relaxed)
        sample(&window, 3)
        #expect(window.stuck(for: 2) == 6)
        // Four have gone, and may have been any of them.
        backend.unanswered.wrappingAdd(4, ordering: .relaxed)
        sample(&window, 3)
        #expect(window.stuck(for: 2) == 2)
        // When so few are left, nobody of those at the beginning can be more.
        backend.unanswered.wrappingAdd(4, ordering: .relaxed)
        sample(&window)
        backend.sent.wrappingAdd(9, ordering: .relaxed)
        sample(&window, 3)
        #expect(window.stuck(for: 2) == 9)
    }
}
