// The pace of bodies: what is judged, and when.

import Testing

@testable import EventLoop
@testable import Forwarding

@Suite("The pace of bodies")
struct ProgressWindowTests {
    private let pace = BodyProgress(bytes: 100, nanoseconds: 10)
    private func time(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    @Test func `a window ends once, however often it is opened`() {
        var window = ProgressWindow()
        #expect(window.end == .never)
        window.open(pace, at: time(5), moved: 0)
        window.open(pace, at: time(9), moved: 50)
        #expect(window.end == time(15))
        window.close()
        #expect(window.end == .never)
    }

    @Test func `without a pace there is none`() {
        var window = ProgressWindow()
        window.open(nil, at: time(5), moved: 0)
        #expect(window.end == .never)
    }

    private static let verdicts: [(UInt64, Bool)] = [
        (1000, false), (1001, false), (1099, false), (1100, true), (9999, true), (0, false),
    ]

    @Test(arguments: verdicts)
    func `what moved since its beginning decides`(moved: UInt64, isKept: Bool) {
        var window = ProgressWindow()
        window.open(pace, at: time(0), moved: 1000)
        let verdict = window.isKept(pace, at: time(10), moved: moved)
        #expect(verdict == isKept)
        #expect(window.end == (isKept ? time(20) : .never))
    }

    @Test func `the next window counts anew`() {
        var window = ProgressWindow()
        window.open(pace, at: time(0), moved: 0)
        let first = window.isKept(pace, at: time(10), moved: 500)
        let second = window.isKept(pace, at: time(20), moved: 550)
        #expect(first)
        #expect(!second)
    }
}
