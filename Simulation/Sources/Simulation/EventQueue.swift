// What is to happen in virtual time: the earliest first.

/// A heap of events by time; those of one time come in the order in which they were put in, so that a run can be had again.
struct EventQueue<Event> {
    private struct Entry {
        var time: UInt64
        var number: UInt64
        var event: Event

        func isBefore(_ other: Entry) -> Bool {
            time < other.time || (time == other.time && number < other.number)
        }
    }

    /// Four children each: half as deep as two, and siblings lie side by side in memory.
    private static var fanOut: Int { 4 }

    private var entries: [Entry] = []
    private var number: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }

    /// The time of the earliest event.
    var nextTime: UInt64? { entries.first?.time }

    mutating func push(_ event: Event, at time: UInt64) {
        number += 1
        let entry = Entry(time: time, number: number, event: event)
        var position = entries.count
        entries.append(entry)
        while position > 0 {
            let parent = (position - 1) / Self.fanOut
            guard entry.isBefore(entries[parent]) else { break }
            entries[position] = entries[parent]
            position = parent
        }
        entries[position] = entry
    }

    /// Takes the earliest event out.
    mutating func pop() -> (time: UInt64, event: Event)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty { sink(last) }
        return (first.time, first.event)
    }

    /// Puts an entry in the first one's place, and then where it belongs.
    private mutating func sink(_ entry: Entry) {
        var position = 0
        while true {
            let begin = position * Self.fanOut + 1
            guard begin < entries.count else { break }
            var least = begin
            for child in begin..<min(begin + Self.fanOut, entries.count) where entries[child].isBefore(entries[least]) {
                least = child
            }
            guard entries[least].isBefore(entry) else { break }
            entries[position] = entries[least]
            position = least
        }
        entries[position] = entry
    }
}

/// What is to happen the same time after it was put in, and mostly does not: time limits.
///
/// In the order of its entries, so that no heap is needed; one that is over by then is dropped when its time comes, or when it is
/// the first.
struct DeadlineQueue<Subject> {
    private var entries: [(time: UInt64, subject: Subject)] = []
    private var first = 0

    mutating func push(_ subject: Subject, at time: UInt64) { entries.append((time, subject)) }

    /// The first entry that still stands.
    mutating func next(where stands: (Subject) -> Bool) -> (time: UInt64, subject: Subject)? {
        while first < entries.count {
            if stands(entries[first].subject) { return entries[first] }
            drop()
        }
        return nil
    }

    /// Takes the first entry out.
    mutating func drop() {
        first += 1
        // Those that are done with are given back when they are the greater part.
        if first > 1024, first * 2 > entries.count {
            entries.removeFirst(first)
            first = 0
        }
    }
}
