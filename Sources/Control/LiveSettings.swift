// The settings of the running process: read again when somebody asks for it, or their file has changed.

internal import Dispatch
internal import Foundation
public import Logging
internal import Synchronization

/// Reads the settings again, and has what differs applied: all of it, or when anything is wrong, nothing.
///
/// Any thread.
public final class LiveSettings: Sendable {
    /// Who wants them read.
    public enum Occasion: Sendable {
        /// The operator, who waits for a word.
        case request
        /// The watch over the file.
        case watch
    }

    /// How often the file is looked at.
    static let interval = 1.0

    /// Has the running process go over to other settings; throws when that cannot be, and then has changed nothing.
    public typealias Apply = @Sendable (_ next: Settings, _ former: Settings) throws -> Void

    private let environment: [String: String]
    private let arguments: [String]
    private let diagnostics: Logger
    private let apply: Apply
    private let state: Mutex<Settings>
    /// Where they are read, one time after the other.
    private let queue = DispatchQueue(label: "curl-lb.settings")
    private let isOver = Atomic<Bool>(false)
    private let observers = Mutex<[@Sendable (SettingsChange) -> Void]>([])
    private let around: @Sendable (_ isBeginning: Bool) -> Void

    /// - Parameters:
    ///   - settings: What the process runs with.
    ///   - environment: The variables of the process; where `LB_ENV_FILE` names a file, that is what can change.
    ///   - arguments: The backends of the command line.
    ///   - around: Told before and after each change of the settings, whatever comes of it, and each time that the operator asks.
    public init(
        _ settings: Settings,
        environment: [String: String],
        arguments: [String],
        diagnostics: Logger,
        around: @escaping @Sendable (_ isBeginning: Bool) -> Void = { _ in },
        apply: @escaping Apply
    ) {
        state = Mutex(settings)
        self.environment = environment
        self.arguments = arguments
        self.diagnostics = diagnostics
        self.around = around
        self.apply = apply
    }

    /// What holds now.
    public var settings: Settings { state.withLock { $0 } }

    /// Has an observer called after each change, on the queue that made it.
    public func observe(_ observer: @escaping @Sendable (SettingsChange) -> Void) {
        observers.withLock { $0.append(observer) }
    }

    /// Begins to look at the file once a second, on a thread of its own, for as long as the process lives; without a file, does nothing.
    public func watch() {
        guard let path = settings.environmentFile else { return }
        let thread = Thread { [self] in
            // The process has read it before: what is another one now is being written.
            var file = WatchedFile(path, isHasty: false)
            var problem: String?
            while !isOver.load(ordering: .relaxed) {
                // Where a request reads it, too: what is seen first is applied first.
                queue.sync {
                    switch file.look() {
                    case .unchanged: break
                    case .changed(let bytes):
                        problem = nil
                        read(.watch, .success(bytes))
                    case .problem(let text):
                        if text != problem { diagnostics.error("\(path): \(text); the settings stay as they are") }
                        problem = text
                    }
                }
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
        thread.name = "curl-lb.settings"
        thread.start()
    }

    /// Reads the settings again, soon.
    public func reload() { queue.async { self.read(.request) } }

    /// Reads them no more: another process has taken over.
    public func stop() { isOver.store(true, ordering: .relaxed) }

    /// Reads the settings again now.
    ///
    /// - Parameter contents: What stands in the file, where that is known already; else it is read when its writer seems to be done.
    func read(_ occasion: Occasion, _ contents: EnvironmentFileContents? = nil) {
        guard !isOver.load(ordering: .relaxed) else { return }
        let former = settings
        let source = former.environmentFile ?? "the environment"
        let file = contents ?? former.environmentFile.map { WatchedFile.settled($0) }
        let reading = SettingsReading.read(
            running: former,
            environment: environment,
            arguments: arguments,
            file: file
        )
        if case .unchanged = reading, case .watch = occasion { return }
        around(true)
        defer { around(false) }
        switch reading {
        case .refused(let problems):
            refuse(problems)
        case .unchanged:
            let hint = former.environmentFile == nil ? " (LB_ENV_FILE names none that could)" : ""
            diagnostics.notice("\(source): nothing has changed\(hint)")
        case .changed(let change):
            do {
                if !change.differences.isEmpty { try apply(change.settings, former) }
            } catch {
                refuse(["\(error)"])
                return
            }
            state.withLock { $0 = change.settings }
            if !change.differences.isEmpty {
                diagnostics.notice("\(source) is in force: \(change.summary)")
            }
            for name in change.waiting {
                diagnostics.warning("\(source): the other value of \(name) needs a restart or --takeover")
            }
            if !change.differences.isEmpty {
                for observer in observers.withLock({ $0 }) { observer(change) }
            }
        }
    }

    private func refuse(_ problems: [String]) {
        for problem in problems { diagnostics.error("\(problem)") }
        let count = problems.count == 1 ? "it" : "these \(problems.count) problems"
        diagnostics.error("the settings stay as they are, because of \(count)")
    }
}
