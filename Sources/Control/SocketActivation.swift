// Listening sockets that systemd passes on (sd_listen_fds(3)).

public import Front
internal import Glibc

/// The sockets of a socket unit.
public enum SocketActivation {
    private static let firstDescriptor: CInt = 3
    private static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

    /// Takes the sockets that were passed to this process, if any, and the variables that tell of them out of its environment: they are
    /// not for the programs that it starts.
    ///
    /// - Throws: ``InheritanceError`` for one that cannot be accepted from.
    public static func take(_ environment: [String: String]) throws(InheritanceError) -> [InheritedSocket] {
        for variable in variables { unsetenv(variable) }
        guard let count = count(environment, pid: Int(getpid())) else { return [] }
        var sockets: [InheritedSocket] = []
        for descriptor in firstDescriptor..<firstDescriptor + CInt(count) {
            sockets.append(try InheritedSocket(adopting: descriptor))
        }
        return sockets
    }

    /// How many sockets the variables tell of; nil when they are not for this process.
    static func count(_ environment: [String: String], pid: Int) -> Int? {
        guard let owner = environment["LISTEN_PID"].flatMap({ wholeNumber($0) }), owner == pid,
            let count = environment["LISTEN_FDS"].flatMap({ wholeNumber($0) }), (1...1024).contains(count)
        else { return nil }
        return count
    }
}
