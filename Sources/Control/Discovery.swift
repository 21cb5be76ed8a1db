// All sources of discovery that are followed: what they find goes to the director, what goes wrong is said once.

internal import Foundation
internal import Logging
internal import Synchronization

/// How often sources are looked at.
public struct DiscoverySettings: Sendable, Equatable {
    /// How often a name is looked up.
    public var nameInterval: Duration
    /// How often a program is run.
    public var programInterval: Duration
    /// How long a program may run.
    public var programTimeout: Duration

    public init(nameInterval: Duration, programInterval: Duration, programTimeout: Duration) {
        self.nameInterval = nameInterval
        self.programInterval = programInterval
        self.programTimeout = programTimeout
    }
}

/// Follows sources, each on a thread of its own.
///
/// A source that gives no usable answer keeps what it has found last; that, and that it answers again, is said in one line.
///
/// Any thread.
final class Discovery: Sendable {
    /// What a source has found; nil when its first look gave nothing.
    typealias Report = @Sendable (_ source: String, _ backends: [BackendSetting]?) -> Void

    private struct Followed {
        let source: DiscoverySource
        let settings: DiscoverySettings
        let watch: SourceWatch
        /// Why it could not be used at the last look.
        var problem: String?
        /// How many backends it has found last; nil before the first good answer.
        var count: Int?
    }

    /// How often a file is read.
    static let fileInterval = Duration.seconds(1)

    private let followed = Mutex<[String: Followed]>([:])
    private let resolve: NameLookup.Resolve
    private let diagnostics: Logger

    init(resolve: @escaping NameLookup.Resolve, diagnostics: Logger) {
        self.resolve = resolve
        self.diagnostics = diagnostics
    }

    /// Follows these sources and no other; one that is as it was is not disturbed.
    ///
    /// - Parameters:
    ///   - failures: How many attempts at a source's backends have failed since the start; asked for names only.
    ///   - report: Gets what sources find, on any thread, never before this has returned.
    func follow(
        _ sources: [DiscoverySource],
        _ settings: DiscoverySettings,
        failures: @escaping @Sendable (_ source: String) -> UInt64,
        report: @escaping Report
    ) {
        followed.withLock { followed in
            let before = followed
            followed = [:]
            for source in sources {
                let identity = source.identity
                let isName = if case .dns = source.kind { true } else { false }
                if let same = before[identity], same.source == source, same.settings == settings {
                    followed[identity] = same
                    continue
                }
                let watch = SourceWatch(
                    identity,
                    interval: interval(of: source, settings),
                    failures: { isName ? failures(identity) : 0 },
                    look: look(at: source, settings)
                ) { [self] watch, answer in take(answer, of: identity, from: watch, report) }
                followed[identity] = Followed(
                    source: source,
                    settings: settings,
                    watch: watch,
                    problem: before[identity]?.problem,
                    count: before[identity]?.count
                )
            }
            for (identity, former) in before where followed[identity]?.watch !== former.watch { former.watch.stop() }
        }
    }

    private func interval(of source: DiscoverySource, _ settings: DiscoverySettings) -> Duration {
        switch source.kind {
        case .dns: settings.nameInterval
        case .file: Self.fileInterval
        case .exec: settings.programInterval
        }
    }

    private func look(at source: DiscoverySource, _ settings: DiscoverySettings) -> any SourceLook {
        switch source.kind {
        case .dns(let scheme, let host, let port):
            NameLook(scheme: scheme, host: host, port: port, options: source.options, resolve: resolve)
        case .file(let path): FileLook(path: path, options: source.options)
        case .exec(let path):
            ProgramLook(path: path, options: source.options, timeout: settings.programTimeout)
        }
    }

    private func take(_ answer: SourceAnswer, of identity: String, from watch: SourceWatch, _ report: Report) {
        let isCurrent = followed.withLock { followed in
            guard followed[identity]?.watch === watch else { return false }
            note(answer, of: identity, &followed)
            return true
        }
        guard isCurrent else { return }
        switch answer {
        case .backends(let backends): report(identity, backends)
        case .problem: report(identity, nil)
        case .unchanged: break
        }
    }

    /// Says what has changed about a source's answering.
    private func note(_ answer: SourceAnswer, of identity: String, _ followed: inout [String: Followed]) {
        guard var entry = followed[identity] else { return }
        switch answer {
        case .unchanged: return
        case .problem(let problem):
            if entry.problem != problem {
                let rest =
                    entry.count.map { "its \($0) backends stay as they are" } ?? "it has given no backends yet"
                diagnostics.warning("\(identity): \(problem); \(rest)")
            }
            entry.problem = problem
        case .backends(let backends):
            if entry.problem != nil { diagnostics.notice("\(identity): answers again") }
            entry.problem = nil
            entry.count = backends.count
        }
        followed[identity] = entry
    }
}
