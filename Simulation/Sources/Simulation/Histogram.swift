// Times by the million: counted in classes that are narrow enough to tell quantiles to one in a hundred.

/// Counts of times, in nanoseconds: 64 classes for each power of two.
public struct Histogram: Sendable, Equatable {
    private static let bits = 6
    private var classes = [UInt64](repeating: 0, count: (65 - bits) << bits)
    public private(set) var count: UInt64 = 0
    private var sum = 0.0
    public private(set) var greatest: UInt64 = 0

    public init() {}

    public mutating func add(_ time: UInt64) {
        classes[Self.index(time)] += 1
        count += 1
        sum += Double(time)
        greatest = max(greatest, time)
    }

    /// In seconds; 0 without any.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) * 1e-9 }

    /// The time that such a part of all does not exceed, in seconds; 0 without any.
    public func quantile(_ part: Double) -> Double {
        let rank = max(1, UInt64((part * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in classes.enumerated() {
            seen += number
            if seen >= rank { return min(Self.middle(of: index), Double(greatest)) * 1e-9 }
        }
        return 0
    }

    private static func index(_ time: UInt64) -> Int {
        // Below 2⁶ each time has its own class.
        let shift = max(0, 63 - bits - time.leadingZeroBitCount)
        return shift << bits + Int(time >> UInt64(shift))
    }

    private static func middle(of index: Int) -> Double {
        let shift = max(0, index >> bits - 1)
        let mantissa = UInt64(index - shift << bits)
        return (Double(mantissa) + (shift == 0 ? 0 : 0.5)) * Double(UInt64(1) << UInt64(shift))
    }
}
