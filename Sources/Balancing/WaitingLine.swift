// Who waits, in the order in which they came; anybody may leave at any time.

/// A line of waiting elements, each with a ticket; later ones have higher tickets.
///
/// To come and to go cost O(1) on average, to be found by one's ticket O(log count).
public struct WaitingLine<Element> {
    /// In the order of tickets; nil where somebody has left.
    private var places: [(ticket: UInt64, element: Element?)] = []
    /// Where the first one stands; before it are only empty places.
    private var head = 0
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// Places kept in memory, empty ones included.
    var length: Int { places.count }

    /// The first one in the line.
    public var first: (ticket: UInt64, element: Element)? { next(from: head) }

    /// The first one behind a ticket.
    public func first(after ticket: UInt64) -> (ticket: UInt64, element: Element)? {
        next(from: position(of: ticket + 1))
    }

    private func next(from start: Int) -> (ticket: UInt64, element: Element)? {
        for position in start..<max(start, places.count) {
            if let element = places[position].element { return (places[position].ticket, element) }
        }
        return nil
    }

    /// Adds an element at the end.
    public mutating func append(_ element: Element, ticket: UInt64) {
        precondition(places.last.map { $0.ticket < ticket } ?? true, "tickets rise")
        places.append((ticket, element))
        count += 1
    }

    /// Takes out who has this ticket, if anybody.
    @discardableResult
    public mutating func remove(_ ticket: UInt64) -> Element? {
        let position = position(of: ticket)
        guard position < places.count, places[position].ticket == ticket else { return nil }
        guard let element = places[position].element else { return nil }
        places[position].element = nil
        count -= 1
        tidy()
        return element
    }

    /// The first position whose ticket is not lower.
    private func position(of ticket: UInt64) -> Int {
        var (low, high) = (head, places.count)
        while low < high {
            let middle = low + (high - low) / 2
            if places[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Forgets empty places when they are most of all.
    private mutating func tidy() {
        if count == 0 {
            places.removeAll(keepingCapacity: true)
            head = 0
            return
        }
        while places[head].element == nil { head += 1 }
        guard places.count > 64 + 2 * count else { return }
        places.removeAll { $0.element == nil }
        head = 0
    }
}
