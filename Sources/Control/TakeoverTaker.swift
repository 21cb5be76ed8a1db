// The new process's part in a takeover: it asks for the listening sockets, and says when it serves.

public import Front
internal import Glibc

/// Takes the listening sockets over from the process that runs.
///
/// Confined to its thread.
public final class TakeoverTaker {
    /// What became of the other process.
    public enum Outcome: Sendable, Equatable {
        /// It accepts no more.
        case gone
        /// It has ended, perhaps before it could be taken over from.
        case ended
        /// It has not said in time that it accepts no more.
        case silent
        /// It serves on, and this process must not.
        case refused(String)
    }

    /// How long the running process may take to answer, and to accept no more, in seconds.
    private static let patience = 15
    /// How long nobody is asked while the process that was found ends, in microseconds.
    private static let pause: UInt32 = 20_000
    /// So often nobody is found before it is believed, where somebody was: one that has taken over from it may be about to listen.
    private static let doubts = 5

    private let connection: LocalConnection
    /// The process that runs.
    public let pid: Int
    /// Its sockets, which ``Front/ListenerGroup`` is to be given.
    public let sockets: [InheritedSocket]

    /// Asks the process that runs for its sockets.
    ///
    /// A process that was started by another one to take over from it (``Successor``) asks that one and nobody else, whatever the
    /// two listen on.
    ///
    /// - Parameter environment: The variables of this process.
    /// - Returns: nil when there is none that listens on any of these addresses, or it has just ended.
    /// - Throws: ``TakeoverError`` when it passes them on to nobody, or not to us.
    public static func ask(
        at place: TakeoverPlace,
        addresses: [ListenAddress],
        environment: [String: String] = [:]
    ) throws(TakeoverError) -> TakeoverTaker? {
        if let connection = Successor.connection(environment) {
            guard let taker = try TakeoverTaker(connection, "which has started this one") else {
                throw TakeoverError("the process which has started this one cannot be reached")
            }
            return taker
        }
        let end = ContinuousClock.now + .seconds(patience)
        var doubts = 0
        while true {
            doubts -= 1
            for name in place.names(for: addresses) {
                switch LocalConnection.connect(to: name, within: patience) {
                case .success(let connection):
                    if let taker = try TakeoverTaker(connection, "at \(name.description)") { return taker }
                    doubts = Self.doubts
                case .failure(let failure) where failure.isNobodyThere: continue
                case .failure(let failure):
                    let problem = failure.isLate ? "does not answer" : "cannot be reached: \(failure.text)"
                    throw TakeoverError("the process at \(name.description) \(problem)")
                }
            }
            guard doubts > 0, ContinuousClock.now < end else { return nil }
            usleep(pause)
        }
    }

    /// - Parameter place: Where the process is, as messages say it.
    /// - Returns: nil when it is about to end.
    private init?(_ connection: LocalConnection, _ place: String) throws(TakeoverError) {
        guard connection.isOurs else { throw TakeoverError("the process \(place) runs as another user") }
        connection.setPatience(Self.patience)
        _ = connection.send(TakeoverMessage.hello.text)
        let (text, descriptors): (String, [CInt])
        switch connection.receive() {
        case .success(let answer): (text, descriptors) = answer
        case .failure(.closed): return nil
        case .failure(.late): throw TakeoverError("the process \(place) does not answer")
        }
        switch TakeoverMessage(text) {
        case .sockets(let pid, let sockets) where sockets.count == descriptors.count:
            self.connection = connection
            self.pid = pid
            self.sockets = zip(sockets, descriptors).map { socket, descriptor in
                InheritedSocket(
                    descriptor: descriptor,
                    wanted: socket.wanted,
                    address: socket.address,
                    isOwned: socket.isOwned
                )
            }
        case .refused(let reason):
            throw TakeoverError("the process \(place) refuses: \(escaped(reason))")
        case .hello, .ready, .gone, .sockets, nil:
            for descriptor in descriptors { close(descriptor) }
            throw TakeoverError("the process \(place) does not speak our language")
        }
    }

    /// Makes sure that the other process still waits for this one, before this one serves.
    ///
    /// - Throws: ``TakeoverError`` when it has let go of it.
    public func demandSuccession() throws(TakeoverError) {
        guard connection.hasNews, case .refused(let reason) = outcome() else { return }
        throw TakeoverError("process \(pid) serves on: \(reason)")
    }

    /// Says that this process serves: from here on the other one does not, unless ``outcome()`` tells otherwise.
    ///
    /// - Parameter listeners: The descriptors that are accepted from.
    public func sayReady(_ listeners: ListenerGroup) {
        let used = Set(listeners.heritage.map(\.descriptor))
        let places = sockets.indices.filter { used.contains(sockets[$0].descriptor) }
        // When it is gone, or has let go of us, that is what is heard next.
        _ = connection.send(TakeoverMessage.ready(places).text)
    }

    /// Waits until the other process accepts no more, or something else has become of it.
    ///
    /// One that serves on says so before it closes the connection: one that closes it without a word has ended.
    public func outcome() -> Outcome {
        switch connection.receive() {
        case .failure(.closed): return .ended
        case .failure(.late): return .silent
        case .success(let answer):
            for descriptor in answer.descriptors { close(descriptor) }
            switch TakeoverMessage(answer.text) {
            case .gone: return .gone
            case .refused(let reason): return .refused(escaped(reason))
            case .hello, .sockets, .ready, nil: return .silent
            }
        }
    }
}

/// Why a running process cannot be taken over from.
public struct TakeoverError: Error, CustomStringConvertible {
    public let description: String

    init(_ reason: String) { description = "--takeover: \(reason)" }
}
