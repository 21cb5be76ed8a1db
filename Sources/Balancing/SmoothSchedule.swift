// The order of smooth weighted round robin, worked out beforehand.

/// nginx's smooth weighted round robin (`ngx_http_upstream_get_peer`), played through once.
///
/// With weights 5, 1 and 1 the order is a a b a c a a. It repeats after as many turns as the weights sum up to, so a list of
/// that length and a cursor do all that is left to do for a request.
enum SmoothSchedule {
    /// The most turns of a schedule: what a schedule takes in memory, at 4 bytes a turn.
    static let maximumTurns = 65536
    /// The most steps of working one out, turns times positions: some ten milliseconds.
    private static let maximumSteps = 1 << 24

    /// The positions in their order.
    ///
    /// When the weights, divided by what they have in common, sum up to more than a schedule may hold, they are scaled down and
    /// rounded; each keeps one turn at least. A share is then off by at most one turn of the schedule.
    ///
    /// - Parameter weights: Each above 0.
    static func positions(_ weights: [Int]) -> [UInt32] {
        let weights = reduced(weights)
        if weights.allSatisfy({ $0 == 1 }) { return weights.indices.map { UInt32($0) } }
        let total = weights.reduce(0, +)
        var current = [Int](repeating: 0, count: weights.count)
        var positions: [UInt32] = []
        positions.reserveCapacity(total)
        for _ in 0..<total {
            var best = 0
            for position in weights.indices {
                current[position] += weights[position]
                if current[position] > current[best] { best = position }
            }
            current[best] -= total
            positions.append(UInt32(best))
        }
        return positions
    }

    /// The weights without their common divisor, and small enough.
    private static func reduced(_ weights: [Int]) -> [Int] {
        let divisor = max(1, weights.reduce(0, greatestCommonDivisor))
        let weights = weights.map { $0 / divisor }
        let total = weights.reduce(0, +)
        let limit = min(maximumTurns, max(maximumSteps / max(1, weights.count), 2 * weights.count))
        guard total > limit else { return weights }
        return weights.map { max(1, Int((Double($0) * Double(limit) / Double(total)).rounded())) }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
