// When spans are exported, and that nobody wakes for nothing meanwhile.

import EventLoop
import Testing

@testable import Control

@Suite("Pace of the span exporter") struct SpanExportPaceTests {
    private static let second: UInt64 = 1_000_000_000

    private func time(_ seconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * Self.second) }

    private func pause(
        _ pace: inout SpanExportPace,
        tries: UInt64 = 1,
        since firstTry: UInt64 = 100,
        for retryAfter: UInt64? = nil,
        isEnding: Bool = false,
        at now: UInt64
    ) -> Bool {
        pace.pause(
            after: tries,
            since: time(firstTry),
            retryAfter: retryAfter.map { $0 * Self.second },
            chance: 1,
            isEnding: isEnding,
            at: time(now)
        )
    }

    @Test func `spans gather for five seconds, unless there are many`() {
        var pace = SpanExportPace()
        #expect(pace.nextSend(isTaken: false) == .never)
        pace.spansWait(areMany: false, at: time(100))
        pace.spansWait(areMany: false, at: time(102))
        #expect(pace.nextSend(isTaken: false) == time(105))
        pace.spansWait(areMany: true, at: time(103))
        #expect(pace.nextSend(isTaken: false) == time(103))
        pace.queueIsTaken()
        #expect(pace.nextSend(isTaken: false) == .never)
    }

    @Test func `while a collector is left alone nobody wakes, whatever waits and whether a batch was given up`() {
        for isMany in [false, true] {
            for isTaken in [false, true] {
                var pace = SpanExportPace()
                _ = pause(&pace, for: 30, at: 100)
                pace.spansWait(areMany: isMany, at: time(101))
                // Later than what was gathered is due: a deadline before it would be met again and again.
                #expect(pace.nextSend(isTaken: isTaken) == time(130))
            }
        }
    }

    @Test func `what was taken and is no batch yet is sent when the pause is over`() {
        var pace = SpanExportPace()
        #expect(!pause(&pace, tries: 6, since: 100, at: 159))
        #expect(pace.nextSend(isTaken: true) == time(191) && pace.nextSend(isTaken: false) == .never)
    }

    @Test func `pauses grow from one second to 32`() {
        var pace = SpanExportPace()
        for (tries, wait) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 32), (60, 32)] as [(UInt64, UInt64)] {
            #expect(pause(&pace, tries: tries, at: 100) && pace.pauseEnd == time(100 + wait))
        }
    }

    @Test(
        "a collector is heeded for a minute at most, and the batch has a last chance then",
        arguments: [(5, 105, true), (60, 160, true), (61, 160, true), (3600, 160, true)] as [(UInt64, UInt64, Bool)]
    )
    func retryAfter(seconds: UInt64, end: UInt64, isAgain: Bool) {
        var pace = SpanExportPace()
        #expect(pause(&pace, for: seconds, at: 100) == isAgain)
        #expect(pace.pauseEnd == time(end))
    }

    @Test func `after a minute a batch is given up, and the next one waits for a minute at most`() {
        var pace = SpanExportPace()
        #expect(!pause(&pace, tries: 2, for: 3600, at: 160))
        #expect(pace.pauseEnd == time(220))
    }

    @Test func `at the end nobody is waited for`() {
        var pace = SpanExportPace()
        _ = pause(&pace, for: 60, at: 100)
        pace.hurry(at: time(101))
        #expect(pace.nextSend(isTaken: false) == time(101))
        #expect(pause(&pace, for: 60, isEnding: true, at: 101))
        #expect(pace.pauseEnd.nanoseconds == time(101).nanoseconds + Self.second / 8)
    }
}
