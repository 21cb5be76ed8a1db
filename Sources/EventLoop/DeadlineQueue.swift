// The deadlines of one loop: a binary heap that knows each handler's place.

/// A min-heap of handlers by ``EventHandler/queuedDeadline``.
///
/// Handlers know their index, so removal costs O(log n) and nothing stale stays behind. Loop thread only.
struct DeadlineQueue {
    private var heap: [Unmanaged<EventHandler>] = []

    /// How many handlers are queued.
    var count: Int { heap.count }

    /// The earliest queued deadline, or ``MonotonicTime/never``.
    var earliest: MonotonicTime {
        guard let first = heap.first else { return .never }
        return first._withUnsafeGuaranteedRef { $0.queuedDeadline }
    }

    /// The handler with the earliest queued deadline.
    var first: EventHandler? { heap.first?.takeUnretainedValue() }

    /// Queues the handler under its current deadline, or moves it there.
    mutating func update(_ handler: EventHandler) {
        let isNew = handler.queueIndex < 0
        guard handler.deadline != .never else {
            remove(handler)
            return
        }
        let movesUp = isNew || handler.deadline < handler.queuedDeadline
        handler.queuedDeadline = handler.deadline
        if isNew {
            handler.queueIndex = heap.count
            heap.append(Unmanaged.passUnretained(handler))
        }
        if movesUp { siftUp(handler.queueIndex) } else { siftDown(handler.queueIndex) }
    }

    /// Takes the handler out, if it is queued.
    mutating func remove(_ handler: EventHandler) {
        let index = handler.queueIndex
        guard index >= 0 else { return }
        handler.queueIndex = -1
        handler.queuedDeadline = .never
        let last = heap.removeLast()
        guard index < heap.count else { return }
        place(last, at: index)
        siftUp(index)
        siftDown(last._withUnsafeGuaranteedRef { $0.queueIndex })
    }

    /// The handler with the earliest queued deadline if that is not after `now`.
    func due(at now: MonotonicTime) -> EventHandler? {
        guard let first = heap.first, first._withUnsafeGuaranteedRef({ $0.queuedDeadline }) <= now else { return nil }
        return first.takeUnretainedValue()
    }

    private func key(_ index: Int) -> MonotonicTime { heap[index]._withUnsafeGuaranteedRef { $0.queuedDeadline } }

    private mutating func place(_ handler: Unmanaged<EventHandler>, at index: Int) {
        heap[index] = handler
        handler._withUnsafeGuaranteedRef { $0.queueIndex = index }
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let moving = heap[index]
        let movingKey = key(index)
        while index > 0 {
            let parent = (index - 1) / 2
            guard movingKey < key(parent) else { break }
            place(heap[parent], at: index)
            index = parent
        }
        place(moving, at: index)
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let moving = heap[index]
        let movingKey = key(index)
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, key(child + 1) < key(child) { child += 1 }
            guard key(child) < movingKey else { break }
            place(heap[child], at: index)
            index = child
        }
        place(moving, at: index)
    }
}
