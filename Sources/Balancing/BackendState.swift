// What a backend's states, together, allow: the one truth table.

/// Whether a backend works, as probes and live traffic tell.
public enum OperationalState: String, Sendable, CaseIterable {
    case up
    /// Active health checks have failed.
    case down
    /// Taken out for a time because of what live traffic showed; ends by itself.
    case ejected
    /// Not checked yet: nothing is known.
    case unchecked
}

/// What the operator wants of a backend, or the backend itself by way of its health check.
public enum AdministrativeState: String, Sendable, CaseIterable {
    /// It takes its share.
    case ready
    /// It finishes what it has, and gets nothing new but from clients that are bound to it.
    case drain
    /// It gets nothing, and is not probed: somebody works on it.
    case maintenance

    /// How much of its use it takes away from a backend.
    private var strictness: Int {
        switch self {
        case .ready: 0
        case .drain: 1
        case .maintenance: 2
        }
    }

    /// The one of two that allows less.
    static func stricter(_ first: Self, _ second: Self) -> Self {
        first.strictness >= second.strictness ? first : second
    }
}

/// All states of a backend.
public struct BackendState: Sendable, Equatable {
    public var operational: OperationalState
    /// The operator's word.
    public var administrative: AdministrativeState
    /// The backend's own word, from the answers to its health checks; only it can take it back.
    public var requested: AdministrativeState

    public init(
        _ operational: OperationalState = .up,
        _ administrative: AdministrativeState = .ready,
        requested: AdministrativeState = .ready
    ) {
        self.operational = operational
        self.administrative = administrative
        self.requested = requested
    }

    /// What a backend in these states is used for.
    public struct Use: Sendable, Equatable {
        /// Whether a policy may choose it.
        public let takesRequests: Bool
        /// Whether a client that is bound to it (by a cookie, for example) still reaches it.
        public let keepsAffinity: Bool
        /// Whether active health checks go on.
        public let isProbed: Bool
    }

    /// The stricter of the operator's and the backend's own word.
    public var effectiveAdministrative: AdministrativeState { .stricter(administrative, requested) }

    /// The table; its rows are those of HAProxy's server states, and Envoy's ejection.
    public var use: Use {
        // Who asked for maintenance itself is probed on: its answers are the only way back.
        let isProbed = administrative != .maintenance
        return switch (effectiveAdministrative, operational) {
        case (.ready, .up): Use(takesRequests: true, keepsAffinity: true, isProbed: isProbed)
        case (.ready, .down): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.ready, .ejected): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.ready, .unchecked): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.drain, .up): Use(takesRequests: false, keepsAffinity: true, isProbed: isProbed)
        case (.drain, .down): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.drain, .ejected): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.drain, .unchecked): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        case (.maintenance, _): Use(takesRequests: false, keepsAffinity: false, isProbed: isProbed)
        }
    }

    /// Whether it takes requests when nothing is usable: whatever it is thought to be able to, nobody has asked to spare it.
    public var servesInPanic: Bool { effectiveAdministrative == .ready }
}
