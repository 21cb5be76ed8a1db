// The names at which a running process waits for its successor, as sockets.

internal import Glibc
internal import Logging

/// Listens at all names, and tries again where another process has one yet.
///
/// Confined to its thread.
final class TakeoverDoors {
    /// From one try to the next: the process that has the name may be about to end.
    private static let pause = Duration.milliseconds(500)
    /// So many tries are made before anything is said.
    private static let silentTries = 3

    private(set) var listeners: [LocalListener] = []
    /// When the names that are missing are tried again; nil when none is.
    private(set) var nextTry: ContinuousClock.Instant?
    private var missing: [LocalName]
    private var tries = 0
    private let diagnostics: Logger

    init(_ names: [LocalName], _ diagnostics: Logger) {
        missing = names
        self.diagnostics = diagnostics
        if !names.isEmpty { nextTry = .now }
    }

    /// Tries, if it is time, to have the names that are missing.
    func open() {
        guard let time = nextTry, time <= .now else { return }
        tries += 1
        var failures: [(name: LocalName, text: String, isTaken: Bool)] = []
        for name in missing {
            switch LocalListener.listen(on: name) {
            case .success(let listener):
                listeners.append(listener)
                if tries > Self.silentTries {
                    diagnostics.notice("another process can take over from this one at \(name.description) now")
                }
            case .failure(let failure): failures.append((name, failure.text, failure.isTaken))
            }
        }
        for failure in failures where failure.isTaken ? tries == Self.silentTries : tries == 1 {
            diagnostics.warning(
                "nobody can take over from this process at \(failure.name.description): \(failure.text)"
            )
        }
        missing = failures.map(\.name)
        nextTry = missing.isEmpty ? nil : .now + Self.pause * (tries < Self.silentTries ? 1 : 10)
    }

    /// Gives all names back; nobody may be waiting at them.
    func close() {
        for listener in listeners { listener.close() }
        listeners = []
        missing = []
        nextTry = nil
    }
}
