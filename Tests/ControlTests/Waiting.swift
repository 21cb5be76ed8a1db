// What tests of other threads need: a director's surroundings, and patience.

import Balancing
import Forwarding
import Foundation
import Logging
import Synchronization
import Testing

@testable import Control

/// Waits for a condition, though not for ever.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(60)
    while try !condition() {
        guard ContinuousClock.now < end else {
            Issue.record("in vain waited for: \(what)")
            throw CancellationError()
        }
        usleep(1000)
    }
}

/// Lines of diagnostics, kept.
///
/// Any thread.
final class KeptLines: Sendable {
    private let kept = Mutex<[String]>([])

    var all: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: KeptLines
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.kept.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}

/// A resolver that a test plays.
///
/// Any thread.
final class PlayedResolver: Sendable {
    private struct State {
        var answers: [String: Result<[String], LookupFailure>] = [:]
        var isSilent = false
        var lookups = 0
        var pending = 0
        var mostPending = 0
    }

    private let state = Mutex(State())

    /// How many lookups were begun.
    var lookups: Int { state.withLock { $0.lookups } }
    /// How many have been under way at one time.
    var mostPending: Int { state.withLock { $0.mostPending } }

    /// Whether lookups take until this is false.
    var isSilent: Bool {
        get { state.withLock { $0.isSilent } }
        set { state.withLock { $0.isSilent = newValue } }
    }

    func answer(_ name: String, _ addresses: String...) {
        state.withLock { $0.answers[name] = .success(addresses) }
    }

    func fail(_ name: String, _ text: String) {
        state.withLock { $0.answers[name] = .failure(LookupFailure(text: text)) }
    }

    func resolve(_ name: String) -> Result<[String], LookupFailure> {
        state.withLock { state in
            state.lookups += 1
            state.pending += 1
            state.mostPending = max(state.pending, state.mostPending)
        }
        while isSilent { usleep(1000) }
        return state.withLock { state in
            state.pending -= 1
            return state.answers[name] ?? .failure(LookupFailure(text: "no such name"))
        }
    }
}

/// A director whose pool takes everything, with a resolver that the test plays.
///
/// Any thread.
final class DiscoveryScene: Sendable {
    let resolver = PlayedResolver()
    let lines = KeptLines()
    let director: PoolDirector
    private let applied: Applied

    private final class Applied: Sendable {
        let changes = Mutex<[[PoolChange]]>([])
        let failures = Mutex<UInt64>(0)
    }

    init(interval: Duration = .milliseconds(100), programTimeout: Duration = .seconds(30)) {
        let applied = Applied()
        self.applied = applied
        director = PoolDirector(
            policy: .roundRobin,
            discovery: DiscoverySettings(
                nameInterval: interval,
                programInterval: interval,
                programTimeout: programTimeout
            ),
            resolve: { [resolver] in resolver.resolve($0) },
            diagnostics: lines.logger,
            failures: { _ in applied.failures.withLock { $0 } },
            apply: { changes in applied.changes.withLock { $0.append(changes) } }
        )
    }

    deinit { try? director.configure([]) }

    func configure(_ text: String) throws { try director.configure(BackendEntry.parse(entries: listEntries(text))) }

    var names: String { director.members.map(\.name).joined(separator: " ") }

    /// All changes of the pool so far.
    var changes: [[PoolChange]] { applied.changes.withLock { $0 } }

    /// Has an attempt at a member fail.
    func fail() { applied.failures.withLock { $0 += 1 } }

    func waitFor(_ names: String) throws {
        try eventually("the members \(names); there are \(self.names); \(lines.all)") { self.names == names }
    }

    func waitFor(line part: String) throws {
        try eventually("the line \(part) among \(lines.all)") { lines.all.contains { $0.contains(part) } }
    }
}
