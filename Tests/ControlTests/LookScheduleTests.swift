// When a source of discovery is looked at again.

import Testing

@testable import Control

@Suite("Look schedule") struct LookScheduleTests {
    private func schedule(good: Bool = true) -> LookSchedule {
        var schedule = LookSchedule(interval: .seconds(10))
        schedule.looked(after: .zero, failures: 0, isGood: good, isNew: good)
        return schedule
    }

    @Test func `once an interval`() {
        #expect(!schedule().isDue(after: .seconds(9), failures: 0))
        #expect(schedule().isDue(after: .seconds(10), failures: 0))
    }

    @Test func `each second until the first good answer, however seldom after`() {
        var schedule = schedule(good: false)
        #expect(!schedule.isDue(after: .milliseconds(999), failures: 0))
        #expect(schedule.isDue(after: .seconds(1), failures: 0))
        schedule.looked(after: .seconds(1), failures: 0, isGood: true, isNew: true)
        #expect(!schedule.isDue(after: .seconds(1), failures: 0))
        schedule.looked(after: .seconds(10), failures: 0, isGood: false, isNew: false)
        #expect(!schedule.isDue(after: .seconds(9), failures: 0))
    }

    @Test func `a second after a failure, and more seldom when that tells nothing new`() {
        var schedule = schedule()
        #expect(!schedule.isDue(after: .milliseconds(999), failures: 1))
        #expect(schedule.isDue(after: .seconds(1), failures: 1))
        var waits: [Duration] = []
        for failures in UInt64(1)...5 {
            waits.append(schedule.patience)
            #expect(schedule.isDue(after: schedule.patience, failures: failures))
            schedule.looked(after: schedule.patience, failures: failures, isGood: true, isNew: false)
            #expect(!schedule.isDue(after: .seconds(9), failures: failures))
        }
        #expect(waits == [1, 2, 4, 8, 10].map { .seconds($0) })
        // The last of them was the regular one, which ends the doubt.
        #expect(schedule.patience == .seconds(1))
    }

    @Test func `what is new ends the doubt at once`() {
        var schedule = schedule()
        schedule.looked(after: .seconds(1), failures: 1, isGood: true, isNew: false)
        #expect(schedule.patience == .seconds(2))
        schedule.looked(after: .seconds(2), failures: 2, isGood: true, isNew: true)
        #expect(schedule.patience == .seconds(1))
    }

    @Test func `an interval below a second is kept to`() {
        var schedule = LookSchedule(interval: .milliseconds(100))
        schedule.looked(after: .zero, failures: 0, isGood: false, isNew: false)
        #expect(schedule.isDue(after: .milliseconds(100), failures: 0))
        #expect(schedule.patience == .milliseconds(100))
    }
}
