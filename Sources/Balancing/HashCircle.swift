// Which backends a key may go to, and in which order it prefers them.

/// The backends of a tier on a circle, by the hashes of their names, and rendezvous hashing among a key's neighbours there.
///
/// Up to ``reach`` backends all are candidates for every key: this is rendezvous hashing (Thaler and Ravishankar 1998), weighted by
/// -weight / ln(hash). Of more, a key's candidates are those that follow it on the circle, so that a choice costs the same
/// however many there are. A backend that leaves then makes room for one more candidate beside each key that it was a candidate
/// for: about as many keys as it had move beside its own. Growing beyond ``reach`` moves no more keys than any other newcomer does.
struct HashCircle: Sendable {
    /// How many candidates a key has: shares then vary by 1 / √256 = 6 %, and looking at all takes a third of a microsecond.
    static let reach = 256

    /// In rising order.
    private var hashes: [UInt64] = []
    /// The place in the tier that each hash belongs to.
    private var positions: [UInt32] = []
    /// The weight of each; empty when all are equal.
    private var weights: [Double] = []

    /// A circle without anybody.
    init() {}

    init(_ places: [Tier.Place], isEvenlyWeighted: Bool) {
        let order = places.indices.sorted { places[$0].hash < places[$1].hash }
        hashes = order.map { places[$0].hash }
        positions = order.map { UInt32($0) }
        if !isEvenlyWeighted { weights = order.map { Double(places[$0].weight) } }
    }

    /// The ranges on the circle where a key's candidates are; the second one goes on at the beginning.
    private func candidates(of key: UInt64) -> (Range<Int>, Range<Int>) {
        let count = hashes.count
        guard count > Self.reach else { return (0..<count, 0..<0) }
        // The first hash that is not below the key's.
        let place = KeyHash.mixed(key)
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < place { low = middle + 1 } else { high = middle }
        }
        let end = low + Self.reach
        return (low..<min(end, count), 0..<max(0, end - count))
    }

    /// Whether a backend with this hash is a candidate of a key.
    func isCandidate(_ hash: UInt64, for key: UInt64) -> Bool {
        let (first, second) = candidates(of: key)
        return first.contains { hashes[$0] == hash } || second.contains { hashes[$0] == hash }
    }

    /// How well a backend and a key go together: the number that is compared.
    static func score(_ place: Tier.Place, for key: UInt64, isEven: Bool) -> Double {
        let fraction = fraction(place.hash, key)
        // Among equal weights the logarithm changes no order.
        return isEven ? fraction : -Double(place.weight) / logarithm(fraction)
    }

    /// What a backend draws for a key, within (0, 1), both ends left out.
    private static func fraction(_ hash: UInt64, _ key: UInt64) -> Double {
        (Double(KeyHash.mixed(key ^ hash) >> 12) + 0.5) * 0x1p-52
    }

    /// Calls with the position in the tier of each candidate of a key.
    func forEachCandidate(of key: UInt64, _ body: (Int) -> Void) {
        let (first, second) = candidates(of: key)
        for index in first { body(Int(positions[index])) }
        for index in second { body(Int(positions[index])) }
    }

    /// The position in the tier of the candidate that a key prefers.
    func home(of key: UInt64) -> Int? {
        let (first, second) = candidates(of: key)
        var best = Best()
        if weights.isEmpty {
            // Among equals the hash alone decides.
            lookForHash(in: first, key, &best) { _ in true }
            lookForHash(in: second, key, &best) { _ in true }
        } else {
            lookForScore(in: first, key, &best) { _ in true }
            lookForScore(in: second, key, &best) { _ in true }
        }
        return best.position(in: positions)
    }

    /// The position in the tier of the one that a key prefers of those that suit: among its candidates, or among all.
    func next(for key: UInt64, amongAll: Bool = false, where isSuitable: (Int) -> Bool) -> Int? {
        let (first, second) = amongAll ? (0..<hashes.count, 0..<0) : candidates(of: key)
        var best = Best()
        for range in [first, second] {
            if weights.isEmpty {
                lookForHash(in: range, key, &best, where: isSuitable)
            } else {
                lookForScore(in: range, key, &best, where: isSuitable)
            }
        }
        return best.position(in: positions)
    }

    /// The best so far.
    private struct Best {
        var index = -1
        var hash: UInt64 = 0
        var score = -Double.infinity

        func position(in positions: [UInt32]) -> Int? { index < 0 ? nil : Int(positions[index]) }
    }

    @inline(__always)
    private func lookForHash(in range: Range<Int>, _ key: UInt64, _ best: inout Best, where isSuitable: (Int) -> Bool) {
        for index in range {
            let hash = KeyHash.mixed(key ^ hashes[index]) >> 12
            if hash > best.hash || best.index < 0, isSuitable(Int(positions[index])) {
                best.index = index
                best.hash = hash
            }
        }
    }

    @inline(__always)
    private func lookForScore(in range: Range<Int>, _ key: UInt64, _ best: inout Best, where isSuitable: (Int) -> Bool)
    {
        for index in range {
            let fraction = Self.fraction(hashes[index], key)
            // 1 - u never exceeds -ln u: this tells most of those that cannot win without a logarithm.
            if weights[index] < best.score * (1 - fraction) * 0.999_999_999 { continue }
            let score = -weights[index] / logarithm(fraction)
            if score > best.score, isSuitable(Int(positions[index])) {
                best.index = index
                best.score = score
            }
        }
    }
}
