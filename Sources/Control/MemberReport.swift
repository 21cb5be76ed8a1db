// A member of the pool as the control plane knows it: where it came from, what it is set to, what the operator has changed.

public import Balancing

/// Who made a backend a member.
public enum MemberSource: Sendable, Hashable, CustomStringConvertible {
    /// `LB_BACKENDS` or the command line.
    case configuration
    /// A source of discovery, such as `dns://app:80`.
    case discovery(String)
    /// Somebody who operates the running program.
    case `operator`

    public var description: String {
        switch self {
        case .configuration: "configuration"
        case .discovery(let source): source
        case .operator: "operator"
        }
    }
}

/// What the operator has changed of a member; nil is unchanged.
public struct MemberOverrides: Sendable, Equatable {
    /// In place of the setting's.
    public var weight: Int?
    /// In place of the setting's.
    public var state: AdministrativeState?

    public init(weight: Int? = nil, state: AdministrativeState? = nil) {
        self.weight = weight
        self.state = state
    }
}

/// What an operator wants changed of a member.
public struct MemberAdjustment: Sendable, Equatable {
    public enum Weight: Sendable, Equatable {
        case keep
        /// Back to what its setting says.
        case ofSetting
        case own(Int)
    }

    public var weight = Weight.keep
    /// nil leaves it as it is.
    public var state: AdministrativeState?

    public init(weight: Weight = .keep, state: AdministrativeState? = nil) {
        self.weight = weight
        self.state = state
    }
}

/// One member of the pool.
public struct MemberReport: Sendable, Equatable {
    /// What its source says of it.
    public let setting: BackendSetting
    public let source: MemberSource
    public let overrides: MemberOverrides
    /// Which backend it is of those that have had this name, from 1: another one when it was removed and added again, or
    /// its origin has changed.
    public internal(set) var incarnation: UInt64

    init(
        setting: BackendSetting,
        source: MemberSource,
        overrides: MemberOverrides = MemberOverrides(),
        incarnation: UInt64 = 0
    ) {
        self.setting = setting
        self.source = source
        self.overrides = overrides
        self.incarnation = incarnation
    }

    public var name: String { setting.name }
    /// The weight that holds.
    public var weight: Int { overrides.weight ?? setting.weight }
    /// The administrative state that holds.
    public var state: AdministrativeState { overrides.state ?? setting.state }
}
