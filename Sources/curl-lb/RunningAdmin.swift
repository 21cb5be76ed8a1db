// The admin API of the running program, also while one process takes over from another.

import Control
import Foundation
import Front
import Logging
import Synchronization

/// The admin API, once and for as long as the process has it.
///
/// Two processes cannot have one address. One that takes over has it when the former one has left it.
///
/// Any thread.
final class RunningAdmin: Sendable {
    /// How long a process that has taken over waits for the address.
    private static let patience = Duration.seconds(5)
    private static let pause: UInt32 = 20_000

    private struct State {
        var server: AdminServer?
        var isOver = false
    }

    private let state = Mutex(State())
    private let address: ListenAddress?
    private let isAddressGiven: Bool
    private let token: AdminToken?
    private let diagnostics: Logger

    init(_ settings: Settings, _ provenance: Provenance, _ diagnostics: Logger) {
        address = settings.adminAddress
        isAddressGiven = provenance.isAdminAddressGiven
        token = settings.adminToken
        self.diagnostics = diagnostics
    }

    /// Begins to listen; those who connect wait for ``start(_:)``.
    ///
    /// An address that nobody has asked for may be taken: two balancers on one machine are nothing to end for.
    func open() throws(AdminFailure) {
        guard let address else { return }
        do throws(AdminFailure) {
            let server = try AdminServer(on: address, token: token, diagnostics: diagnostics)
            state.withLock { $0.server = server }
        } catch {
            guard !isAddressGiven else { throw error }
            tell(error)
        }
    }

    /// Serves from now on, if it listens.
    func start(_ sources: AdminSources) {
        guard let server = state.withLock({ $0.server }) else { return }
        server.start(sources)
        diagnostics.notice("admin API at \(server.address)")
    }

    /// Listens and serves as soon as the former process has left the address.
    func takeOver(_ sources: AdminSources) {
        guard let address else { return }
        Thread.detachNewThread { [self] in
            let end = ContinuousClock.now + Self.patience
            while true {
                do throws(AdminFailure) {
                    let server = try AdminServer(on: address, token: token, diagnostics: diagnostics)
                    let isWanted = state.withLock { state in
                        if !state.isOver { state.server = server }
                        return !state.isOver
                    }
                    if isWanted { start(sources) }
                    return
                } catch {
                    guard ContinuousClock.now < end else {
                        tell(error)
                        return
                    }
                }
                usleep(Self.pause)
            }
        }
    }

    /// Closes everything, for good.
    func stop() {
        let server = state.withLock { state in
            state.isOver = true
            return state.server.take()
        }
        server?.stop()
    }

    private func tell(_ failure: AdminFailure) { diagnostics.warning("no admin API: \(failure); or set LB_ADMIN=off") }
}
