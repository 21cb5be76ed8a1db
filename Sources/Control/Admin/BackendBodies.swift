// The bodies of changes: what a client may ask for, and nothing else.

internal import Balancing
internal import FoundationEssentials

/// The body of `POST /backends`.
struct BackendAddition: Decodable, Equatable {
    /// In the syntax of LB_BACKENDS.
    let backend: String

    static let expectation = #"Expected a JSON object such as {"backend": "http://10.0.0.1:80;weight=2"}."#

    private enum Key: String, CodingKey, CaseIterable {
        case backend
    }

    init(from decoder: any Decoder) throws {
        try refuseUnknownMembers(in: decoder, Key.self)
        backend = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .backend)
    }
}

/// The body of `PATCH /backends/{name}`.
struct BackendPatch: Decodable, Equatable {
    let adjustment: MemberAdjustment

    static let expectation =
        #"Expected a JSON object such as {"weight": 5, "state": "drain"}: a weight from \#(PoolRoster.weights.lowerBound) to"#
        + " \(PoolRoster.weights.upperBound), or null for that of the settings; a state of"
        + " \(alternatives(AdministrativeState.allCases.map(\.rawValue))); or both."

    private enum Key: String, CodingKey, CaseIterable {
        case weight
        case state
    }

    init(from decoder: any Decoder) throws {
        try refuseUnknownMembers(in: decoder, Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        var adjustment = MemberAdjustment()
        if container.contains(.weight) {
            adjustment.weight =
                try container.decodeNil(forKey: .weight)
                ? .ofSetting : .own(try container.decode(Int.self, forKey: .weight))
        }
        if container.contains(.state) {
            let word = try container.decode(String.self, forKey: .state)
            guard let state = AdministrativeState(rawValue: word) else {
                throw DecodingError.dataCorruptedError(forKey: .state, in: container, debugDescription: "no state")
            }
            adjustment.state = state
        }
        guard adjustment != MemberAdjustment() else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "nothing is asked for"))
        }
        self.adjustment = adjustment
    }
}

/// The body of `POST /config`.
struct SettingsWrite: Decodable, Equatable {
    static let expectation = #"Expected the JSON object {"write": "backends"}."#

    private enum Key: String, CodingKey, CaseIterable {
        case write
    }

    private enum Subject: String, Decodable {
        case backends
    }

    init(from decoder: any Decoder) throws {
        try refuseUnknownMembers(in: decoder, Key.self)
        _ = try decoder.container(keyedBy: Key.self).decode(Subject.self, forKey: .write)
    }
}

/// A member that is misspelt would else be passed over in silence.
private func refuseUnknownMembers<Key: CodingKey & CaseIterable>(in decoder: any Decoder, _: Key.Type) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let known = Set(Key.allCases.map(\.stringValue))
    guard let unknown = container.allKeys.first(where: { !known.contains($0.stringValue) }) else { return }
    throw DecodingError.dataCorruptedError(forKey: unknown, in: container, debugDescription: "no member of this name")
}

/// Any member of an object.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
}

/// Reads a body; nil when it is not as expected.
func decoded<Body: Decodable>(_: Body.Type, from bytes: [UInt8]) -> Body? {
    try? JSONDecoder().decode(Body.self, from: Data(bytes))
}
