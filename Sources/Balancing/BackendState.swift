// What a backend's two states, together, allow: the one truth table.

/// Whether a backend works, as probes and live traffic tell.
public enum OperationalState: String, Sendable, CaseIterable {
    case up
    case down
}

/// What the operator wants of a backend.
public enum AdministrativeState: String, Sendable, CaseIterable {
    /// It takes its share.
    case ready
    /// It finishes what it has, and gets nothing new but from clients that are bound to it.
    case drain
    /// It gets nothing, and is not probed: somebody works on it.
    case maintenance
}

/// Both states of a backend.
public struct BackendState: Sendable, Equatable {
    public var operational: OperationalState
    public var administrative: AdministrativeState

    public init(_ operational: OperationalState = .up, _ administrative: AdministrativeState = .ready) {
        self.operational = operational
        self.administrative = administrative
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

    /// The table; its rows are those of HAProxy's server states.
    public var use: Use {
        switch (administrative, operational) {
        case (.ready, .up): Use(takesRequests: true, keepsAffinity: true, isProbed: true)
        case (.ready, .down): Use(takesRequests: false, keepsAffinity: false, isProbed: true)
        case (.drain, .up): Use(takesRequests: false, keepsAffinity: true, isProbed: true)
        case (.drain, .down): Use(takesRequests: false, keepsAffinity: false, isProbed: true)
        case (.maintenance, .up): Use(takesRequests: false, keepsAffinity: false, isProbed: false)
        case (.maintenance, .down): Use(takesRequests: false, keepsAffinity: false, isProbed: false)
        }
    }
}
