// One row of the table of cases: bytes in, what the backend sees, bytes out, and where that is written.

/// A conversation of one client connection with the balancer and its backend.
struct Case: Sendable {
    /// What the client does, in order.
    enum Step: Sendable {
        case send(String)
        case receive(Answer)
        /// These bytes and no others so far.
        case receiveBytes(String)
        /// The balancer ends its sending, without a further byte.
        case receiveEnd
        /// These bytes, and then a reset: the answer is broken off.
        case receiveBroken(String)
        /// Until the balancer has read all that was sent.
        case waitUntilRead
        /// Until so many requests have reached the backend.
        case waitUntilSeen(Int)
        case finishSending
        case close
    }

    /// What the backend does once it has a head, in order.
    enum Act: Sendable {
        case receiveBody
        case send(String)
        /// These bytes, whatever the message's framing.
        case receiveBytes(String)
        /// The balancer ends its sending, without a further byte.
        case receiveEnd
        /// Until the balancer has read all that was sent.
        case waitUntilRead
        case finishSending
        case close

        static let ok: [Act] = answer(Reply.ok("ok"))

        static func answer(_ response: String) -> [Act] { [.receiveBody, .send(response)] }

        static func answerAndClose(_ response: String) -> [Act] { [.receiveBody, .send(response), .close] }
    }

    /// What becomes of the client's connection.
    enum Ending: Sendable {
        /// Another request on it is answered.
        case usable
        /// The balancer closes it, without a further byte.
        case closed
        /// The steps have seen to it.
        case done
    }

    let label: String
    /// The RFC and section that asks for it.
    let section: String
    let steps: [Step]
    /// The backend's script for each request; ``Act/ok`` where there is none.
    let origin: [[Act]]
    /// The requests that the backend sees, all of them.
    let seen: [Seen]
    let ending: Ending
    /// How many connections to the backend the requests with the last, probing one take; nil when that is open.
    let connections: Int?

    init(
        _ label: String,
        _ section: String,
        _ steps: [Step],
        origin: [[Act]] = [],
        seen: [Seen],
        ending: Ending = .usable,
        connections: Int? = nil
    ) {
        self.label = label
        self.section = section
        self.steps = steps
        self.origin = origin
        self.seen = seen
        self.ending = ending
        self.connections = connections
    }
}
