// The policies: by which rule the backend of the next attempt is chosen.

/// The rule by which a backend is chosen.
public enum Policy: Sendable, Hashable {
    case roundRobin
    case leastConnections
    case randomTwo
    case peakEWMA
    case first
    case hash(HashKey)
}

extension Policy: CustomStringConvertible {
    /// The word that settings and explanations have for it, such as `round_robin` or `hash:cookie:sid`.
    public var description: String {
        switch self {
        case .roundRobin: "round_robin"
        case .leastConnections: "least_conn"
        case .randomTwo: "random_two"
        case .peakEWMA: "peak_ewma"
        case .first: "first"
        case .hash(.clientAddress): "hash:ip"
        case .hash(.uri): "hash:uri"
        case .hash(.header(let name)): "hash:header:\(name)"
        case .hash(.cookie(let name)): "hash:cookie:\(name)"
        }
    }
}

/// What of a request is hashed.
public enum HashKey: Sendable, Hashable {
    /// The client's address, without its port.
    case clientAddress
    /// Path and query.
    case uri
    /// The first field line of that name, whose case does not matter.
    case header(String)
    /// The first cookie of that name.
    case cookie(String)
}

/// What a choice depends on beside the backends.
struct Circumstances {
    /// The time, in nanoseconds.
    var now: UInt64 = 0
    /// What stands for the request's key; nil when it has none.
    var key: UInt64?
    /// Whether it is an attempt beside another one that is chosen for.
    var isBeside = false
    /// The next turn of such attempts.
    var besideTurn: UInt = 0
    var random: SplitMix

    /// Takes the next turn in the order of round robin.
    ///
    /// Attempts beside another have an order of their own. One that moved the common cursor would be followed by the next request at
    /// the place behind its own: with few requests at a time the backend that is slow would get each turn that it has been helped out of.
    mutating func nextTurn(in tier: Tier) -> UInt {
        guard isBeside else { return tier.cursor.next() }
        besideTurn &+= 1
        return besideTurn
    }
}

/// One rule, in a file of its own: a pure function of the backends' counters, the circumstances and, for an order that all
/// workers share, a cursor.
protocol PolicyRule {
    /// The position of the backend to try next.
    ///
    /// - Returns: nil when every backend of the tier was tried or is full.
    static func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int?

    /// By which number a backend was compared with the others, for explanations.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating?
}

/// The number by which a rule compares backends.
enum Rating: Sendable, Equatable {
    /// The lower, the better.
    case cost(Double)
    /// The higher, the better.
    case score(Double)
}

extension PolicyRule {
    /// No number: the order alone decides.
    static func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? { nil }
}

extension Policy {
    /// What a request has to give beside itself.
    var hashKey: HashKey? {
        if case .hash(let key) = self { key } else { nil }
    }

    /// Whether it goes by the order of smooth weighted round robin, always or where it has no preference.
    var isOrdered: Bool {
        switch self {
        case .roundRobin, .leastConnections, .hash: true
        case .randomTwo, .peakEWMA, .first: false
        }
    }

    /// Whether it draws backends by weight.
    var isDrawn: Bool {
        switch self {
        case .randomTwo, .peakEWMA: true
        case .roundRobin, .leastConnections, .first, .hash: false
        }
    }

    /// The position of the backend to try next, by the policy's rule.
    func choose(in tier: Tier, excluding tried: TriedBackends, _ circumstances: inout Circumstances) -> Int? {
        switch self {
        case .roundRobin: RoundRobin.choose(in: tier, excluding: tried, &circumstances)
        case .leastConnections: LeastConnections.choose(in: tier, excluding: tried, &circumstances)
        case .randomTwo: RandomTwo.choose(in: tier, excluding: tried, &circumstances)
        case .peakEWMA: PeakEWMA.choose(in: tier, excluding: tried, &circumstances)
        case .first: First.choose(in: tier, excluding: tried, &circumstances)
        case .hash: HashAffinity.choose(in: tier, excluding: tried, &circumstances)
        }
    }

    /// By which number the policy compares a backend with the others.
    func rating(of position: Int, in tier: Tier, _ circumstances: Circumstances) -> Rating? {
        switch self {
        case .roundRobin: RoundRobin.rating(of: position, in: tier, circumstances)
        case .leastConnections: LeastConnections.rating(of: position, in: tier, circumstances)
        case .randomTwo: RandomTwo.rating(of: position, in: tier, circumstances)
        case .peakEWMA: PeakEWMA.rating(of: position, in: tier, circumstances)
        case .first: First.rating(of: position, in: tier, circumstances)
        case .hash: HashAffinity.rating(of: position, in: tier, circumstances)
        }
    }
}
