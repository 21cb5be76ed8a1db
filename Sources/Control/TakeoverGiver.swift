// The running process's part in a takeover, as the rest of the program sees it.

internal import CLinux
internal import Dispatch
internal import Foundation
public import Front
internal import Glibc
public import Logging
internal import Synchronization

/// Waits for a process that wants to take over, on a thread of its own.
///
/// Until that one says that it is ready nothing changes here: when it fails before, it has not been. Any thread.
public final class TakeoverGiver: Sendable {
    /// How long the other process may take to get ready: its sources and first health checks are to be waited for.
    public static let patience = Duration.seconds(300)
    /// How long its thread is waited for, which is never busy for long.
    private static let haste = 1000

    /// What the rest of the program has to do with it.
    public struct Parts: Sendable {
        /// Has the process accept no more and finish what it has; called once, on the giver's thread.
        let leave: @Sendable () -> Void
        /// Called when a process that wanted to take over has not been: this one stays the one that serves.
        let stay: @Sendable () -> Void

        public init(leave: @escaping @Sendable () -> Void, stay: @escaping @Sendable () -> Void = {}) {
            self.leave = leave
            self.stay = stay
        }
    }

    /// A connection that was made by this process, to one that it has started.
    struct Invitation: Sendable {
        let connection: LocalConnection
        /// Called when the other process is waited for no longer.
        let dismiss: @Sendable () -> Void
    }

    private let listeners: ListenerGroup
    private let place: TakeoverPlace
    private let patience: Duration
    private let diagnostics: Logger
    private let parts: Parts
    /// Wakes the thread.
    private let bell = lb_eventfd()
    private let invitations = Mutex<[Invitation]>([])
    private let hasBegun = Atomic<Bool>(false)
    private let isClosing = Atomic<Bool>(false)
    private let isClosed = DispatchSemaphore(value: 0)

    public init(
        _ listeners: ListenerGroup,
        at place: TakeoverPlace,
        patience: Duration = patience,
        diagnostics: Logger,
        _ parts: Parts
    ) {
        self.listeners = listeners
        self.place = place
        self.patience = patience
        self.diagnostics = diagnostics
        self.parts = parts
    }

    deinit { close(bell) }

    /// Begins to wait; the names are this process's from here on, unless somebody else has them yet.
    public func start() {
        guard !hasBegun.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let isOpen = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            let reception = TakeoverReception(self, listeners, at: place, patience: patience, diagnostics, parts)
            isOpen.signal()
            reception.run()
        }
        thread.name = "curl-lb.takeover"
        thread.start()
        isOpen.wait()
    }

    /// No worker accepts any more: who has taken over is told, and the names are given back.
    ///
    /// A process that has got the sockets already, and is not ready yet, may go on with them. Does not wait.
    public func acceptingHasEnded() {
        isClosing.store(true, ordering: .releasing)
        ring()
    }

    /// Waits until that is done, before the process ends, though not for long.
    public func waitForFarewell() {
        guard hasBegun.load(ordering: .acquiring), isClosing.load(ordering: .acquiring) else { return }
        if isClosed.wait(timeout: .now() + .milliseconds(Self.haste)) == .success { isClosed.signal() }
    }

    /// Serves a process that this one has started.
    func invite(_ invitation: Invitation) {
        invitations.withLock { $0.append(invitation) }
        ring()
    }

    private func ring() {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    // MARK: The thread's side

    /// Readable when the thread has something to look at.
    var bellDescriptor: CInt { bell }

    /// What there is to look at.
    func takeNews() -> (invitations: [Invitation], isClosing: Bool) {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
        let invitations = invitations.withLock { invitations in
            defer { invitations = [] }
            return invitations
        }
        return (invitations, isClosing.load(ordering: .acquiring))
    }

    func hasClosed() { isClosed.signal() }
}
