// Which key a request has: some are asked for far more often than others.

internal import Balancing
internal import Glibc

/// Zipf's law: the k-th of so many keys is as popular as 1 / k to some power.
struct Popularity {
    /// The hash of each key.
    private let keys: [UInt64]
    /// How popular it and those before it are together.
    private var sums: [Double] = []

    init(count: Int, exponent: Double) {
        keys = (0..<count).map { number in
            let bytes = Array("key \(number)".utf8)
            return KeyHash.of(bytes.span)
        }
        var sum = 0.0
        for rank in 1...count {
            sum += pow(Double(rank), -exponent)
            sums.append(sum)
        }
    }

    func key(_ random: inout RandomNumbers) -> UInt64 {
        let sought = random.fraction() * (sums.last ?? 0)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < sought { low = middle + 1 } else { high = middle }
        }
        return keys[low]
    }
}
