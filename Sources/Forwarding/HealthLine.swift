// What diagnostics say of the backends' health: one line for each change.

public import Balancing
internal import Logging

/// A change of the backends' health, as observers of a ``HealthMonitor`` hear it.
public struct HealthNews: Sendable, Equatable {
    /// The backend that it is about; nil when it is about all of them.
    public let backend: String?
    /// What has changed and why, without the backend's name: `is down, was up: …`.
    public let text: String
}

extension HealthNews {
    /// What an event says.
    public init(_ event: HealthEvent) { self = HealthLine(event).news }
}

/// A line and how severe it is.
struct HealthLine: Equatable {
    let level: Logger.Level
    /// The same without its level.
    let news: HealthNews

    /// - Parameters:
    ///   - backend: What it is about; nil when it is about none alone.
    ///   - text: What has happened to it.
    init(level: Logger.Level, backend: String? = nil, text: String) {
        self.level = level
        news = HealthNews(backend: backend, text: text)
    }

    /// The line as diagnostics have it.
    var text: String { news.backend.map { "backend \($0) \(news.text)" } ?? news.text }

    init(_ event: HealthEvent) {
        switch event.change {
        case .operational(let from, let to):
            level =
                switch (from, to) {
                case (_, .down), (_, .ejected): .warning
                case (.unchecked, .up), (_, .unchecked): .info
                case (_, .up): .notice
                }
            news = HealthNews(
                backend: event.backend,
                text: "is \(to.rawValue), was \(from.rawValue): \(event.why)"
            )
        case .wish(let wish):
            level = .notice
            let weight = wish.weightPercent == 100 ? "" : " at \(wish.weightPercent) % of its weight"
            let state =
                switch wish.state {
                case .ready: "be used"
                case .drain: "be drained"
                case .maintenance: "be taken out"
                }
            news = HealthNews(backend: event.backend, text: "asks to \(state)\(weight): \(event.why)")
        }
    }
}

/// Whether anybody is usable, as it was last told.
struct PoolSituation {
    private enum State {
        case served
        case panic
        case none
    }

    private var state = State.served
    /// Of the snapshot that it was told of.
    private var version: UInt64 = 0

    /// What is to be said when the first checks are over.
    mutating func begin(_ snapshot: PoolSnapshot) -> HealthLine? {
        version = snapshot.version
        state = Self.state(of: snapshot)
        if state == .panic { return Self.line(.panic, snapshot) }
        let usable = snapshot.members.count(where: \.takesRequests)
        return HealthLine(level: .info, text: "\(usable) of \(snapshot.members.count) backends are usable")
    }

    /// What is to be said of a change, if anything.
    mutating func follow(_ snapshot: PoolSnapshot) -> HealthLine? {
        // What was on its way when it began is older.
        guard snapshot.version > version else { return nil }
        version = snapshot.version
        let next = Self.state(of: snapshot)
        guard next != state else { return nil }
        state = next
        return Self.line(next, snapshot)
    }

    private static func state(of snapshot: PoolSnapshot) -> State {
        if snapshot.isPanic { return .panic }
        return snapshot.usesUntried || snapshot.members.contains(where: \.takesRequests) ? .served : .none
    }

    private static func line(_ state: State, _ snapshot: PoolSnapshot) -> HealthLine {
        switch state {
        case .panic:
            let count = snapshot.members.count(where: \.servesInPanic)
            return HealthLine(
                level: .warning,
                text: "panic: no backend is usable, so requests go to all that are ready, \(count) in number"
            )
        case .none:
            return HealthLine(level: .warning, text: "no backend is usable: requests are answered with 503")
        case .served:
            let count = snapshot.members.count(where: \.takesRequests)
            return HealthLine(level: .notice, text: "backends are usable again, \(count) of \(snapshot.members.count)")
        }
    }
}
