// Durations that were counted, as a value that is read, added and subtracted.

/// A histogram at one time.
public struct Histogram: Sendable, Equatable {
    /// How finely it was counted.
    public enum Resolution: String, Sendable, Codable {
        case fine
        /// Between the exported bounds only.
        case coarse

        /// The buckets' upper bounds in nanoseconds, the last `UInt64.max`.
        public var bounds: [UInt64] {
            switch self {
            case .fine: LatencyScale.shared.fine
            case .coarse: LatencyScale.shared.coarse
            }
        }
    }

    public let resolution: Resolution
    /// How many durations lie in each bucket.
    public private(set) var counts: [UInt64]
    /// All durations together, in nanoseconds.
    public private(set) var sum: UInt64

    public init(_ resolution: Resolution) {
        self.init(resolution, counts: [UInt64](repeating: 0, count: resolution.bounds.count), sum: 0)
    }

    init(_ resolution: Resolution, counts: [UInt64], sum: UInt64) {
        self.resolution = resolution
        self.counts = counts
        self.sum = sum
    }

    /// How many durations were counted.
    public var count: UInt64 { counts.reduce(0, &+) }

    public var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }

    /// Adds what another one of the same resolution has counted.
    public static func += (left: inout Histogram, right: Histogram) {
        precondition(left.resolution == right.resolution, "histograms of one resolution")
        for index in left.counts.indices { left.counts[index] &+= right.counts[index] }
        left.sum &+= right.sum
    }

    /// What has been counted since an earlier state of the same histogram; everything, when that one has counted more.
    public func since(_ earlier: Histogram) -> Histogram {
        guard earlier.resolution == resolution, zip(counts, earlier.counts).allSatisfy({ $0 >= $1 }) else {
            return self
        }
        return Histogram(resolution, counts: zip(counts, earlier.counts).map { $0 - $1 }, sum: sum &- earlier.sum)
    }

    /// The duration that a share of all did not exceed, in nanoseconds; nil when none was counted.
    ///
    /// Durations are taken to lie evenly within their bucket; those beyond the last bound count as if they were on it.
    ///
    /// - Parameter share: from 0 to 1: 0.99 for the 99th percentile.
    public func percentile(_ share: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = max(1, (Double(total) * min(max(share, 0), 1)).rounded(.up))
        let bounds = resolution.bounds
        var below: UInt64 = 0
        for (index, count) in counts.enumerated() where count > 0 {
            guard Double(below + count) >= rank else {
                below += count
                continue
            }
            let lower = index == 0 ? 0 : Double(bounds[index - 1])
            let upper = index == bounds.count - 1 ? lower : Double(bounds[index])
            return lower + (upper - lower) * (rank - Double(below)) / Double(count)
        }
        return nil
    }

    /// For each exported bound in seconds, how many durations did not exceed it; the last bound is infinite.
    public var cumulative: [(bound: Double, count: UInt64)] {
        let bounds = resolution.bounds
        var result: [(bound: Double, count: UInt64)] = []
        var below: UInt64 = 0
        var index = 0
        for bound in LatencyScale.shared.coarse {
            while index < bounds.count, bounds[index] <= bound {
                below &+= counts[index]
                index += 1
            }
            result.append((bound == .max ? .infinity : Double(bound) / 1e9, below))
        }
        return result
    }

    /// All durations together, in seconds.
    public var seconds: Double { Double(sum) / 1e9 }
}

extension Histogram: Codable {
    private enum Key: String, CodingKey {
        case resolution
        case count
        case sumSeconds
        case p50
        case p90
        case p99
        case p999
        case buckets
    }

    /// One bucket that is not empty.
    private struct Bucket: Codable {
        /// The bound in seconds; none stands for the last bucket.
        var le: Double?
        var count: UInt64
    }

    /// Count, sum, percentiles in seconds, and every bucket that is not empty.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(resolution, forKey: .resolution)
        try container.encode(count, forKey: .count)
        try container.encode(seconds, forKey: .sumSeconds)
        try container.encode(percentile(0.5).map { $0 / 1e9 }, forKey: .p50)
        try container.encode(percentile(0.9).map { $0 / 1e9 }, forKey: .p90)
        try container.encode(percentile(0.99).map { $0 / 1e9 }, forKey: .p99)
        try container.encode(percentile(0.999).map { $0 / 1e9 }, forKey: .p999)
        let buckets = zip(resolution.bounds, counts).filter { $1 > 0 }.map { bound, count in
            Bucket(le: bound == .max ? nil : Double(bound) / 1e9, count: count)
        }
        try container.encode(buckets, forKey: .buckets)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(try container.decode(Resolution.self, forKey: .resolution))
        sum = UInt64((max(0, try container.decode(Double.self, forKey: .sumSeconds)) * 1e9).rounded())
        let bounds = resolution.bounds
        for bucket in try container.decode([Bucket].self, forKey: .buckets) {
            let bound = bucket.le.map { UInt64(($0 * 1e9).rounded()) } ?? .max
            guard let index = bounds.firstIndex(of: bound) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .buckets,
                    in: container,
                    debugDescription: "\(bound) ns is no bound of a \(resolution) histogram"
                )
            }
            counts[index] = bucket.count
        }
    }
}
