// What a snapshot says of a backend's health.

/// One member's health; ages and spans in seconds.
public struct BackendHealthStats: Sendable, Codable, Equatable {
    /// An ejection that is not over.
    public struct Ejection: Sendable, Codable, Equatable {
        /// What live traffic showed.
        public var reason: String
        public var age: Double
        /// How long until a trial may end it; 0 when one may already.
        public var endsIn: Double

        public init(reason: String, age: Double, endsIn: Double) {
            self.reason = reason
            self.age = age
            self.endsIn = endsIn
        }
    }

    /// A change of the operational state, or of the backend's own word.
    public struct Change: Sendable, Codable, Equatable {
        public var age: Double
        /// From what to what, and why.
        public var text: String

        public init(age: Double, text: String) {
            self.age = age
            self.text = text
        }
    }

    /// A check or a trial that was made.
    public struct Probe: Sendable, Codable, Equatable {
        public var age: Double
        public var isGood: Bool
        public var text: String
        /// How long it took; nil when that is not known.
        public var milliseconds: Double?

        public init(age: Double, isGood: Bool, text: String, milliseconds: Double?) {
            self.age = age
            self.isGood = isGood
            self.text = text
            self.milliseconds = milliseconds
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(age, forKey: .age)
            try container.encode(isGood, forKey: .isGood)
            try container.encode(text, forKey: .text)
            try container.encode(milliseconds, forKey: .milliseconds)
        }
    }

    /// How much of the weight counts: less than 100 in slow start, or when the backend has asked for less.
    public var weightPercent: Int
    /// The path that checks ask for, `connect`, or `off` where no checks are made.
    public var check: String
    /// How many ejections it has not been forgiven.
    public var ejections: Int
    public var ejection: Ejection?
    /// Of its operational state, or of its own word.
    public var latestChange: Change?
    /// The latest probes, the newest last.
    public var probes: [Probe]

    public init(
        weightPercent: Int,
        check: String,
        ejections: Int,
        ejection: Ejection?,
        latestChange: Change?,
        probes: [Probe]
    ) {
        self.weightPercent = weightPercent
        self.check = check
        self.ejections = ejections
        self.ejection = ejection
        self.latestChange = latestChange
        self.probes = probes
    }

    /// With a null for what is nil.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(weightPercent, forKey: .weightPercent)
        try container.encode(check, forKey: .check)
        try container.encode(ejections, forKey: .ejections)
        try container.encode(ejection, forKey: .ejection)
        try container.encode(latestChange, forKey: .latestChange)
        try container.encode(probes, forKey: .probes)
    }
}
