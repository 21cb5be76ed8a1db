// One backend in a snapshot: what it is, how it stands, what was counted, and what is known of its health.

/// One backend: what it is, how it stands, and what was counted.
public struct BackendStats: Sendable, Codable, Equatable {
    public var name: String
    /// Where it is; nil for one that is no member any more.
    public var address: String?
    /// Whether it belongs to the pool; false for one that was removed, whose counters are kept.
    public var isMember: Bool
    /// `unchecked`, `up`, `down` or `ejected`; nil for one that is no member.
    public var operational: String?
    /// `ready`, `drain` or `maintenance`; nil for one that is no member.
    public var administrative: String?
    /// The backend's own word, from the answers to its health checks: `ready`, `drain` or `maintenance`; nil for one that is no
    /// member.
    public var requested: String?
    /// Whether a policy may choose it, unless it is full; in panic mode others may be chosen, too.
    public var takesRequests: Bool
    public var weight: Int
    public var isBackup: Bool
    /// Requests in flight.
    public var inFlight: Int
    /// The most requests in flight; 0 for any number.
    public var maximumInFlight: Int
    public var counts: BackendCounts
    /// Who made it a member: `configuration`, `operator`, or a source of discovery such as `dns://app:80`; nil for one that is no
    /// member.
    public var source: String?
    /// What is known of its health; nil for one that is no member.
    public var health: BackendHealthStats?

    public init(
        name: String,
        address: String?,
        isMember: Bool,
        operational: String?,
        administrative: String?,
        requested: String?,
        takesRequests: Bool,
        weight: Int,
        isBackup: Bool,
        inFlight: Int,
        maximumInFlight: Int,
        counts: BackendCounts
    ) {
        self.name = name
        self.address = address
        self.isMember = isMember
        self.operational = operational
        self.administrative = administrative
        self.requested = requested
        self.takesRequests = takesRequests
        self.weight = weight
        self.isBackup = isBackup
        self.inFlight = inFlight
        self.maximumInFlight = maximumInFlight
        self.counts = counts
    }

    /// One that is no member any more.
    public init(former name: String, inFlight: Int, counts: BackendCounts) {
        self.init(
            name: name,
            address: nil,
            isMember: false,
            operational: nil,
            administrative: nil,
            requested: nil,
            takesRequests: false,
            weight: 0,
            isBackup: false,
            inFlight: inFlight,
            maximumInFlight: 0,
            counts: counts
        )
    }
}

extension BackendStats {
    /// From the one that allows most to the one that allows least.
    static let administrativeStates = ["ready", "drain", "maintenance"]

    /// What holds: the stricter of the operator's word and the backend's own; nil for one that is no member.
    public var effectiveAdministrative: String? {
        let places = [administrative, requested].compactMap { word in
            Self.administrativeStates.firstIndex { $0 == word }
        }
        return places.max().map { Self.administrativeStates[$0] }
    }

    /// With a null for what is nil: readers find each member in every object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(address, forKey: .address)
        try container.encode(isMember, forKey: .isMember)
        try container.encode(operational, forKey: .operational)
        try container.encode(administrative, forKey: .administrative)
        try container.encode(requested, forKey: .requested)
        try container.encode(takesRequests, forKey: .takesRequests)
        try container.encode(weight, forKey: .weight)
        try container.encode(isBackup, forKey: .isBackup)
        try container.encode(inFlight, forKey: .inFlight)
        try container.encode(maximumInFlight, forKey: .maximumInFlight)
        try container.encode(counts, forKey: .counts)
        try container.encode(source, forKey: .source)
        try container.encode(health, forKey: .health)
    }
}
