// How the process ends: it accepts no more, finishes what it has, and is gone; or another one takes over before.

import Control
import Forwarding
import Foundation
import Logging
import Synchronization

/// The way to the end, which is gone once.
///
/// Any thread.
final class Ending: Sendable {
    private struct State {
        var isDraining = false
        /// Another process has taken over.
        var isLeft = false
        /// Whether the service manager takes this process for the service.
        var isService: Bool
        /// Signals that have asked for the end.
        var signals = 0
        var exitCode = EXIT_SUCCESS
        /// Called when the end begins.
        var preparations: [@Sendable () -> Void] = []
        var hasEndedAccepting = false
        /// Called when no worker accepts any more.
        var farewells: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>
    private let workers: WorkerGroup
    private let live: LiveSettings
    private let notifier: ServiceNotifier
    private let diagnostics: Logger
    private let lastLines: @Sendable (_ milliseconds: Int) -> Void

    /// - Parameters:
    ///   - isService: Whether no other process serves yet.
    ///   - lastLines: Writes what waits to be written, for no longer than that.
    init(
        of workers: WorkerGroup,
        _ live: LiveSettings,
        _ notifier: ServiceNotifier,
        isService: Bool,
        _ diagnostics: Logger,
        lastLines: @escaping @Sendable (_ milliseconds: Int) -> Void
    ) {
        self.workers = workers
        self.live = live
        self.notifier = notifier
        self.diagnostics = diagnostics
        self.lastLines = lastLines
        state = Mutex(State(isService: isService))
    }

    /// Whether the end has begun.
    var isDraining: Bool { state.withLock { $0.isDraining } }
    /// With what the process ends.
    var exitCode: Int32 { state.withLock { $0.exitCode } }

    func writeLastLines(milliseconds: Int) { lastLines(milliseconds) }

    /// Has something done as soon as the end begins, which may have been.
    func willEnd(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isDraining { state.preparations.append(action) }
            return state.isDraining
        }
        if isLate { action() }
    }

    /// Has something done as soon as no worker accepts any more, which may be so already; it may not wait.
    func willEndAccepting(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.hasEndedAccepting { state.farewells.append(action) }
            return state.hasEndedAccepting
        }
        if isLate { action() }
    }

    /// Takes over from another process, unless the end has begun: then that one is to serve on.
    ///
    /// - Parameter body: What makes it so; it may not wait.
    /// - Returns: Whether it was done.
    func becomeService(_ body: () -> Void) -> Bool {
        state.withLock { state in
            guard !state.isDraining, state.signals == 0 else { return false }
            state.isService = true
            body()
            return true
        }
    }

    /// A signal asks for the end.
    ///
    /// - Returns: Whether it is to come at once.
    func signalled() -> Bool {
        let (isFirst, isLeft, isService) = state.withLock { state in
            state.signals += 1
            return (state.signals == 1, state.isLeft, state.isService)
        }
        guard isFirst else { return true }
        if isLeft {
            diagnostics.notice("draining already, since another process has taken over")
        } else {
            if isService { notifier.stopping(status: "draining") }
            begin()
        }
        return false
    }

    /// Another process serves in place of this one: what is said of the service is that one's to say.
    func leave() {
        notifier.fallSilent()
        state.withLock { $0.isLeft = true }
        begin()
    }

    /// The process that was to be taken over from serves on.
    func giveUp() {
        notifier.fallSilent()
        state.withLock { state in
            state.isService = false
            state.exitCode = EXIT_FAILURE
        }
        begin()
    }

    private func begin() {
        let preparations: [@Sendable () -> Void]? = state.withLock { state in
            guard !state.isDraining else { return nil }
            state.isDraining = true
            return state.preparations
        }
        // It may have been about to end anyway.
        guard let preparations else { return }
        for action in preparations { action() }
        live.stop()
        diagnostics.notice("draining for at most \(live.settings.drainTimeout)")
        workers.stopAccepting()
    }

    /// No worker accepts any more.
    func acceptingHasEnded() {
        let farewells = state.withLock { state in
            state.hasEndedAccepting = true
            return state.farewells
        }
        workers.drain(live.settings.drainTimeout)
        for action in farewells { action() }
    }
}
