// All listening sockets of the process, on a queue of their own.

internal import Dispatch
internal import EventLoop
public import Logging
internal import Synchronization

/// Accepts on every address and hands each connection over.
///
/// Any thread may stop it.
public final class ListenerGroup: Sendable {
    /// The addresses bound, with the ports that the kernel chose.
    public let addresses: [ListenAddress]
    private let mailbox: Mailbox<Command>

    private enum Command: Sendable {
        case stop
    }

    private init(addresses: [ListenAddress], mailbox: Mailbox<Command>) {
        self.addresses = addresses
        self.mailbox = mailbox
    }

    /// Binds all addresses and begins to accept.
    ///
    /// - Parameters:
    ///   - deliver: gets each accepted connection, on the group's queue.
    ///   - stopped: called on the group's queue when the last connection has been delivered after ``stop()``.
    /// - Throws: ``ListenError`` for the first address that cannot be had; none is listened on then.
    public static func start(
        on addresses: [ListenAddress],
        diagnostics: Logger,
        deliver: @escaping @Sendable (AcceptedSocket) -> Void,
        stopped: @escaping @Sendable () -> Void
    ) throws(ListenError) -> ListenerGroup {
        let queue = DispatchQueue(label: "curl-lb.listener")
        let mailbox = Mailbox<Command>()
        let outcome = Mutex<Result<[ListenAddress], ListenError>?>(nil)
        let isBound = DispatchSemaphore(value: 0)
        queue.async {
            let loop = EventLoop()
            var listeners: [Listener] = []
            do throws(ListenError) {
                for address in addresses {
                    listeners.append(
                        try Listener(address, loop: loop, diagnostics: diagnostics, deliver: deliver)
                    )
                }
            } catch {
                for listener in listeners { listener.close() }
                outcome.withLock { $0 = .failure(error) }
                isBound.signal()
                return
            }
            for listener in listeners { listener.start() }
            outcome.withLock { $0 = .success(listeners.map(\.address)) }
            isBound.signal()
            mailbox.open(on: loop) { _ in
                for listener in listeners { listener.close() }
                loop.stop()
            }
            loop.run()
            loop.tearDown()
            stopped()
        }
        isBound.wait()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("binding has an outcome") }
        return ListenerGroup(addresses: try result.get(), mailbox: mailbox)
    }

    /// Stops accepting, once what the kernel has accepted is delivered.
    public func stop() { mailbox.post(.stop) }
}
