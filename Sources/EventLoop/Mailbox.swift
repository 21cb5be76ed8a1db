// The one way into a loop from other threads.

internal import CLinux
internal import Glibc
internal import Synchronization

/// A queue of values that any thread may post and that one loop reads in its own time.
///
/// The wake-up (an eventfd) is skipped while one is pending.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isWakeUpPending = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakeUp: CInt

    public init() {
        wakeUp = lb_eventfd()
        precondition(wakeUp >= 0, "eventfd: \(String(cString: strerror(errno)))")
    }

    deinit { close(wakeUp) }

    /// Posts a message.
    ///
    /// Any thread.
    ///
    /// - Returns: false when the mailbox has been closed; the message is dropped and its content the caller's again.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        let (isPosted, needsWakeUp) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            let needsWakeUp = !state.isWakeUpPending
            state.isWakeUpPending = true
            return (true, needsWakeUp)
        }
        if needsWakeUp {
            var one: UInt64 = 1
            _ = write(wakeUp, &one, 8)
        }
        return isPosted
    }

    /// Refuses all further messages and returns those not yet read.
    ///
    /// Any thread.
    public func closeAndDrain() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Whether it takes no messages any more.
    ///
    /// Any thread.
    public var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Delivers messages to `receive` on the loop from now on.
    ///
    /// Loop thread only, once.
    public func open(on loop: EventLoop, receive: @escaping (Message) -> Void) {
        let reader = Reader(loop: loop, mailbox: self, receive: receive)
        let isRegistered = loop.register(reader, descriptor: wakeUp, interest: .readable, edgeTriggered: true)
        precondition(isRegistered, "epoll refuses an eventfd: \(String(cString: strerror(errno)))")
    }

    /// The mailbox as its loop sees it.
    private final class Reader: EventHandler {
        private let mailbox: Mailbox
        private let receive: (Message) -> Void

        init(loop: EventLoop, mailbox: Mailbox, receive: @escaping (Message) -> Void) {
            self.mailbox = mailbox
            self.receive = receive
            super.init(loop: loop)
        }

        override func ready(_ readiness: Readiness) {
            var count: UInt64 = 0
            _ = read(mailbox.wakeUp, &count, 8)
            let messages = mailbox.state.withLock { state in
                state.isWakeUpPending = false
                defer { state.messages = [] }
                return state.messages
            }
            for message in messages { receive(message) }
        }
    }
}
