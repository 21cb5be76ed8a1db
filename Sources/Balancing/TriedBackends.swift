// Which backends an exchange has tried already.

/// A set of backend indices: the first 64 inline, those beyond in an array that keeps its memory.
public struct TriedBackends {
    private var low: UInt64 = 0
    private var high: [UInt64] = []

    public init() {}

    /// Whether the backend at this index was tried.
    public func contains(_ index: Int) -> Bool {
        if index < 64 { return low >> UInt64(index) & 1 == 1 }
        let word = index / 64 - 1
        return word < high.count && high[word] >> UInt64(index % 64) & 1 == 1
    }

    public var isEmpty: Bool { low == 0 && high.allSatisfy { $0 == 0 } }

    /// Adds the backend at this index.
    public mutating func insert(_ index: Int) {
        if index < 64 {
            low |= 1 << UInt64(index)
            return
        }
        let word = index / 64 - 1
        while high.count <= word { high.append(0) }
        high[word] |= 1 << UInt64(index % 64)
    }

    /// Takes all of these out: others have got their indices.
    public mutating func subtract(_ others: TriedBackends) {
        low &= ~others.low
        for word in 0..<min(high.count, others.high.count) { high[word] &= ~others.high[word] }
    }

    /// Empties the set, keeping its memory.
    public mutating func removeAll() {
        low = 0
        if !high.isEmpty { high.removeAll(keepingCapacity: true) }
    }
}
