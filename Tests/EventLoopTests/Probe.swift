// A handler that writes down what its loop calls, and does what a test tells it to do then.

import EventLoop

/// What happened on a loop, in order.
final class Journal {
    var entries: [String] = []
}

/// Notes each call under its name, then runs the test's reaction to it.
final class Probe: EventHandler {
    let name: String
    let journal: Journal
    private(set) var readiness: [Readiness] = []
    var onReady: (Probe) -> Void = { _ in }
    var onDeadline: (Probe) -> Void = { _ in }
    var onResume: (Probe) -> Void = { _ in }

    init(_ name: String, _ loop: EventLoop, _ journal: Journal) {
        self.name = name
        self.journal = journal
        super.init(loop: loop)
    }

    override func ready(_ readiness: Readiness) {
        self.readiness.append(readiness)
        journal.entries.append("\(name) ready")
        onReady(self)
    }

    override func deadlineReached() {
        journal.entries.append("\(name) deadline")
        onDeadline(self)
    }

    override func resume() {
        journal.entries.append("\(name) resumed")
        onResume(self)
    }
}

extension EventLoop {
    /// A turn that does not wait, whatever the deadlines are: something quiet is put off to it.
    func turnAtOnce() {
        schedule(EventHandler(loop: self))
        turn()
    }
}

extension MonotonicTime {
    /// A deadline that is over; larger numbers are later.
    static func past(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    /// A deadline that no test reaches; larger numbers are later.
    static func distant(_ seconds: UInt64 = 0) -> MonotonicTime { .now + (3600 + seconds) * 1_000_000_000 }
}
