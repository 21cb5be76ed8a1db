// What has changed lately in the pool, in the backends' health and in the settings, for whoever watches.

internal import Balancing
internal import Forwarding
internal import Synchronization
internal import Telemetry

/// One change.
public struct ChangeRecord: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable {
        case pool
        case health
        case settings
    }

    /// In seconds since 1970.
    public var time: Double
    public var kind: Kind
    /// The backend that it is about; nil when it is about none alone.
    public var backend: String?
    public var text: String

    /// With a null for what is nil.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(kind, forKey: .kind)
        try container.encode(backend, forKey: .backend)
        try container.encode(text, forKey: .text)
    }
}

/// Keeps the latest changes.
///
/// Any thread.
public final class ChangeJournal: Sendable {
    /// How many are kept.
    public static let kept = 50

    private struct State {
        var records: [ChangeRecord] = []
        var count: UInt64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Notes a change that happens now.
    public func note(_ kind: ChangeRecord.Kind, backend: String? = nil, _ text: String) {
        let record = ChangeRecord(time: StatsSnapshot.now, kind: kind, backend: backend, text: text)
        state.withLock { state in
            state.count += 1
            if state.records.count == Self.kept { state.records.removeFirst() }
            state.records.append(record)
        }
    }

    /// What has come since a place, the oldest first, as far as it is kept.
    func records(after place: inout UInt64) -> [ChangeRecord] {
        state.withLock { state in
            let new = Int(clamping: min(state.count - min(place, state.count), UInt64(state.records.count)))
            place = state.count
            return Array(state.records.suffix(new))
        }
    }

    /// Notes what has changed in the pool; of very much at once only how much.
    func note(_ news: PoolNews) {
        let told = news.changes.compactMap { change in Self.text(of: change).map { (change, $0) } }
        guard told.count <= Self.kept / 2 else {
            let came = news.changes.count { if case .add = $0 { true } else { false } }
            let went = news.changes.count { if case .remove = $0 { true } else { false } }
            note(.pool, "\(told.count) changes: \(came) backends added, \(went) removed; \(news.members.count) in all")
            return
        }
        for (change, text) in told { note(.pool, backend: Self.backend(of: change), text) }
    }

    private static func backend(of change: PoolChange) -> String? {
        switch change {
        case .add(let backend): backend.name
        case .remove(let name), .weight(let name, _), .backup(let name, _), .maximumInFlight(let name, _),
            .administrative(let name, _), .operational(let name, _), .health(let name, _):
            name
        case .order, .policy: nil
        }
    }

    /// nil for what nobody wants to hear.
    private static func text(of change: PoolChange) -> String? {
        switch change {
        case .add(let backend): "added: \(backend.origin)"
        case .remove: "removed"
        case .weight(_, let weight): "weight \(weight)"
        case .backup(_, let isBackup): isBackup ? "is a backup" : "is no backup any more"
        case .maximumInFlight(_, let limit): limit == 0 ? "no max_conns" : "max_conns \(limit)"
        case .administrative(_, let state): "\(state)"
        case .operational(_, let state): "\(state)"
        case .order: nil
        case .policy(let policy): "policy \(policy)"
        case .health: "is checked in another way"
        }
    }
}
