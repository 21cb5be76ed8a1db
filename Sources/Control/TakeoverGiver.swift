// The running process's part in a takeover: it passes its listening sockets on, and ends when the other one serves.

internal import Dispatch
internal import Foundation
internal import Glibc
public import Front
public import Logging
internal import Synchronization

/// Waits for a process that wants to take over.
///
/// Until that one says that it is ready nothing changes here: when it fails before, it has not been. One at a time. Any thread.
public final class TakeoverGiver: Sendable {
    /// How long the other process may take to get ready: its sources and first health checks are to be waited for.
    static let patience = 300

    private let listeners: ListenerGroup
    private let diagnostics: Logger
    private let names: [LocalListener]
    private let leave: @Sendable (_ isGone: @escaping @Sendable () -> Void) -> Void
    private let isOver = Atomic<Bool>(false)

    /// - Parameters:
    ///   - leave: Has the process accept no more and finish what it has; calls back when no worker accepts any more. Called once.
    public init(
        _ listeners: ListenerGroup,
        at place: TakeoverPlace,
        diagnostics: Logger,
        leave: @escaping @Sendable (_ isGone: @escaping @Sendable () -> Void) -> Void
    ) {
        self.listeners = listeners
        self.diagnostics = diagnostics
        self.leave = leave
        var names: [LocalListener] = []
        for name in place.names(for: listeners.addresses) {
            switch LocalListener.listen(on: name) {
            case .success(let listener): names.append(listener)
            case .failure(let failure):
                diagnostics.warning("nobody can take over from this process at \(name.description): \(failure.text)")
            }
        }
        self.names = names
    }

    /// Begins to wait, on a thread of its own.
    public func start() {
        guard !names.isEmpty else { return }
        let thread = Thread { [self] in
            while !isOver.load(ordering: .acquiring) {
                guard let name = nextAsked() else { continue }
                if isOver.load(ordering: .acquiring) { return }
                if let connection = name.accept() { serve(connection) }
            }
        }
        thread.name = "curl-lb.takeover"
        thread.start()
    }

    /// Waits until somebody connects to one of the names.
    private func nextAsked() -> LocalListener? {
        var waiting = names.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { return nil }
        return zip(names, waiting).first { $0.1.revents != 0 }?.0
    }

    /// The process ends: nobody can take over any more.
    public func stop() {
        guard !isOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for name in names { name.removeFile() }
    }

    private func serve(_ connection: LocalConnection) {
        guard connection.isOurs else {
            diagnostics.warning("a process of another user wanted to take over, and was refused")
            return
        }
        connection.setPatience(10)
        guard let hello = connection.receive() else { return }
        guard TakeoverMessage(hello.text) == .hello else {
            _ = connection.send(TakeoverMessage.refused("the running process speaks another language").text)
            return
        }
        let heritage = listeners.heritage
        guard heritage.count <= Self.mostSockets else {
            _ = connection.send(
                TakeoverMessage.refused("more than \(Self.mostSockets) addresses cannot be passed on").text
            )
            return
        }
        let sockets = heritage.map {
            TakeoverMessage.PassedSocket(wanted: $0.wanted, address: $0.address, isOwned: $0.isOwned)
        }
        let offer = TakeoverMessage.sockets(pid: Int(ProcessInfo.processInfo.processIdentifier), sockets)
        guard connection.send(offer.text, descriptors: heritage.map(\.descriptor)) else { return }
        diagnostics.notice("another process wants to take over; serving on until it is ready")
        connection.setPatience(Self.patience)
        guard let answer = connection.receive(), case .ready(let places) = TakeoverMessage(answer.text),
            places.allSatisfy(heritage.indices.contains)
        else {
            diagnostics.warning("the process that wanted to take over is gone before it was ready; serving on")
            return
        }
        listeners.leave(Set(places.map { heritage[$0].descriptor }))
        let isGone = DispatchSemaphore(value: 0)
        leave { isGone.signal() }
        isGone.wait()
        // Before the other one is told, which wants the names. Nobody waits at them: that is this thread's work.
        isOver.store(true, ordering: .releasing)
        for name in names { name.close() }
        _ = connection.send(TakeoverMessage.gone.text)
    }

    private static let mostSockets = 250
}
