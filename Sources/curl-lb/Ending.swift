// How the process ends: it accepts no more, finishes what it has, and is gone; or another one takes over before.

import Control
import Forwarding
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
        /// Signals that have asked for the end.
        var signals = 0
        /// Called when no worker accepts any more.
        var isGone: (@Sendable () -> Void)?
        var preparations: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let workers: WorkerGroup
    private let live: LiveSettings
    private let notifier: ServiceNotifier
    private let diagnostics: Logger

    init(of workers: WorkerGroup, _ live: LiveSettings, _ notifier: ServiceNotifier, _ diagnostics: Logger) {
        self.workers = workers
        self.live = live
        self.notifier = notifier
        self.diagnostics = diagnostics
    }

    /// Has something done as soon as the end begins.
    func willEnd(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.preparations.append(action) } }

    /// A signal asks for the end.
    ///
    /// - Returns: Whether it is to come at once.
    func signalled() -> Bool {
        let (isFirst, isLeft) = state.withLock { state in
            state.signals += 1
            return (state.signals == 1, state.isLeft)
        }
        guard isFirst else { return true }
        if isLeft {
            diagnostics.notice("draining already, since another process has taken over")
        } else {
            notifier.stopping(status: "draining")
            begin()
        }
        return false
    }

    /// Another process serves in place of this one.
    ///
    /// - Parameter isGone: Called when no worker accepts any more.
    func leave(_ isGone: @escaping @Sendable () -> Void) {
        let isDraining = state.withLock { state in
            state.isLeft = true
            state.isGone = isGone
            return state.isDraining
        }
        // It was about to end anyway, and may have ended accepting.
        if isDraining { isGone() } else { begin() }
    }

    private func begin() {
        let preparations = state.withLock { state in
            state.isDraining = true
            return state.isLeft ? [] : state.preparations
        }
        for action in preparations { action() }
        live.stop()
        diagnostics.notice("draining for at most \(live.settings.drainTimeout)")
        workers.stopAccepting()
    }

    /// No worker accepts any more.
    func acceptingHasEnded() {
        workers.drain(live.settings.drainTimeout)
        let isGone = state.withLock { $0.isGone }
        isGone?()
    }
}
