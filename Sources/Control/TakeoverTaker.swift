// The new process's part in a takeover: it asks for the listening sockets, and says when it serves.

public import Front
internal import Glibc

/// Takes the listening sockets over from the process that runs.
///
/// Confined to its thread.
public final class TakeoverTaker {
    /// How long the running process may take to answer, and to accept no more, in seconds.
    private static let patience = 15

    private let connection: LocalConnection
    /// The process that runs.
    public let pid: Int
    /// Its sockets, which ``Front/ListenerGroup`` is to be given.
    public let sockets: [InheritedSocket]

    /// Asks the process that runs for its sockets.
    ///
    /// - Returns: nil when there is none that listens on any of these addresses.
    /// - Throws: ``TakeoverError`` when it passes them on to nobody, or not to us.
    public static func ask(
        at place: TakeoverPlace,
        addresses: [ListenAddress]
    ) throws(TakeoverError) -> TakeoverTaker? {
        for name in place.names(for: addresses) {
            guard let connection = LocalConnection.connect(to: name) else { continue }
            return try TakeoverTaker(connection, name)
        }
        return nil
    }

    private init(_ connection: LocalConnection, _ name: LocalName) throws(TakeoverError) {
        guard connection.isOurs else {
            throw TakeoverError("the process at \(name.description) runs as another user")
        }
        connection.setPatience(Self.patience)
        guard connection.send(TakeoverMessage.hello.text), let answer = connection.receive() else {
            throw TakeoverError("the process at \(name.description) does not answer")
        }
        switch TakeoverMessage(answer.text) {
        case .sockets(let pid, let sockets) where sockets.count == answer.descriptors.count:
            self.connection = connection
            self.pid = pid
            self.sockets = zip(sockets, answer.descriptors).map { socket, descriptor in
                InheritedSocket(
                    descriptor: descriptor,
                    wanted: socket.wanted,
                    address: socket.address,
                    isOwned: socket.isOwned
                )
            }
        case .refused(let reason):
            throw TakeoverError("the process at \(name.description) refuses: \(escaped(reason))")
        case .hello, .ready, .gone, .sockets, nil:
            for descriptor in answer.descriptors { close(descriptor) }
            throw TakeoverError("the process at \(name.description) does not speak our language")
        }
    }

    /// Says that this process serves, and waits until the other one accepts no more.
    ///
    /// - Parameter listeners: The descriptors that are accepted from.
    /// - Returns: Whether the other process has said so; it may have ended meanwhile, which is as good.
    public func isReady(_ listeners: ListenerGroup) -> Bool {
        let used = Set(listeners.heritage.map(\.descriptor))
        let places = sockets.indices.filter { used.contains(sockets[$0].descriptor) }
        guard connection.send(TakeoverMessage.ready(places).text), let answer = connection.receive() else {
            return false
        }
        return TakeoverMessage(answer.text) == .gone
    }
}

/// Why a running process cannot be taken over from.
public struct TakeoverError: Error, CustomStringConvertible {
    public let description: String

    init(_ reason: String) { description = "--takeover: \(reason)" }
}
