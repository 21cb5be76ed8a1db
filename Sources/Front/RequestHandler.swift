// What a client connection calls: it does not know that it serves a proxy.

public import HTTPWire

/// Why a request cannot be handed over as one.
public enum RequestRefused {
    /// The bytes are no acceptable request head.
    case malformed(RequestRefusal)
    /// The head did not arrive in time.
    case timedOut
    /// More requests than allowed arrived before the first of them was answered.
    case tooManyPipelined
    /// There are too many connections; nothing was read.
    case tooManyConnections(ConnectionRefusal)
}

/// Answers the requests of a worker's client connections.
///
/// Loop thread only.
public protocol RequestHandler: AnyObject {
    /// Begins an exchange for the request head that stands in `connection.reader`.
    func beginExchange(on connection: ClientConnection) -> any ClientExchange

    /// Begins an exchange that can only be an error answer, after which the connection closes.
    func beginExchange(on connection: ClientConnection, refusing reason: RequestRefused) -> any ClientExchange

    /// The connection is closed and no longer counts.
    func connectionClosed(_ connection: ClientConnection)
}

/// One exchange as its client connection sees it.
///
/// It answers through ``ClientConnection/send(_:)``, and ends with ``ClientConnection/finishExchange(keepAlive:)`` or
/// ``ClientConnection/abort()``. No other call comes before ``start()`` or after the end.
public protocol ClientExchange: AnyObject {
    /// Begins the work.
    func start()

    /// More of the request body may be read, after ``ClientConnection/readBody()`` gave `.pending`.
    func bodyIsReadable()

    /// All response bytes handed over have left, after ``ClientConnection/send(_:)`` gave false.
    func responseIsDrained()

    /// Some of them have.
    func responseIsMoving()

    /// The client is gone; the connection closes after this call. May come in place of ``start()``.
    func clientIsGone()

    /// The process ends and waits no longer: a last answer may be sent, but only at once.
    func processStops()

    /// The deadline that the exchange set on the connection has come.
    func deadlineReached()
}
