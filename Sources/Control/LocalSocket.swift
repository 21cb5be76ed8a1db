// Sockets between processes of one machine: their names, messages with descriptors, and who is at the other end.

internal import CLinux
internal import Glibc

/// The name of a Unix-domain socket.
enum LocalName: Sendable, Equatable {
    case path(String)
    /// In the abstract name space, which is the network name space's, as TCP ports are, and which leaves no files behind.
    case abstract(String)

    /// As environment variables have it: `/path` or `@name`.
    init?(_ text: String) {
        if text.hasPrefix("/") {
            self = .path(text)
        } else if text.hasPrefix("@"), text.utf8.count > 1 {
            self = .abstract(String(text.dropFirst()))
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .path(let path): path
        case .abstract(let name): "@\(name)"
        }
    }

    /// Calls with the address; nil when the name is too long.
    func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        let bytes: [UInt8] =
            switch self {
            case .path(let path): Array(path.utf8) + [0]
            case .abstract(let name): [0] + Array(name.utf8)
            }
        guard bytes.count <= capacity else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = (MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + bytes.count
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}

/// Why a name cannot be had, or nobody be reached at it.
struct LocalFailure: Error, Equatable {
    let text: String
    private let code: CInt

    /// - Parameter code: As `errno` has it.
    init(_ code: CInt, _ text: String? = nil) {
        self.code = code
        self.text = text ?? String(cString: strerror(code))
    }

    /// Whether another process has the name.
    var isTaken: Bool { code == EADDRINUSE }
    /// Whether nobody listens there.
    var isNobodyThere: Bool { code == ENOENT || code == ECONNREFUSED }
    /// Whether somebody listens there, and lets nobody in.
    var isLate: Bool { code == EAGAIN }
}

/// A connection between two processes that keeps the bounds of messages.
///
/// One thread at a time; closes when it is let go of.
final class LocalConnection: Sendable {
    /// Why there is no next message.
    enum Silence: Error {
        /// The other side has closed the connection.
        case closed
        /// The time that it is waited for is over.
        case late
    }

    /// No message is as long.
    static let maximumLength = 65536

    let descriptor: CInt

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// Connects; where somebody listens whose queue is full, it waits no longer than that.
    static func connect(to name: LocalName, within seconds: Int) -> Result<LocalConnection, LocalFailure> {
        let descriptor = lb_packet_socket()
        guard descriptor >= 0 else { return .failure(LocalFailure(errno)) }
        let connection = LocalConnection(descriptor)
        connection.setPatience(seconds)
        let result = name.withAddress { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno } ?? ENAMETOOLONG
        return result == 0 ? .success(connection) : .failure(LocalFailure(result))
    }

    /// Whether the process at the other end runs as our user.
    var isOurs: Bool { lb_peer_user(descriptor) == geteuid() }

    /// How long a message is waited for.
    func setPatience(_ seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Whether the other side has said something, or has closed the connection.
    var hasNews: Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) > 0
    }

    /// Sends a message; false when that cannot be.
    func send(_ text: String, descriptors: [CInt] = []) -> Bool {
        let bytes = Array(text.utf8)
        return lb_send_descriptors(descriptor, bytes, bytes.count, descriptors, CInt(descriptors.count)) == bytes.count
    }

    /// The next message; one that is too long is the end, too.
    func receive() -> Result<(text: String, descriptors: [CInt]), Silence> {
        var bytes = [UInt8](repeating: 0, count: Self.maximumLength)
        var descriptors = [CInt](repeating: -1, count: Int(LB_MAX_PASSED))
        var count: CInt = 0
        var wasReset = false
        while true {
            let length = lb_receive_descriptors(descriptor, &bytes, bytes.count, &descriptors, &count)
            if length < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return .failure(.late)
                // It has closed without reading all that we have said. What it has said before comes next.
                case ECONNRESET where !wasReset:
                    wasReset = true
                    continue
                default: return .failure(.closed)
                }
            }
            let passed = Array(descriptors[..<Int(count)])
            guard length > 0 else {
                for descriptor in passed { Glibc.close(descriptor) }
                return .failure(.closed)
            }
            return .success((String(decoding: bytes[..<length], as: UTF8.self), passed))
        }
    }
}

/// A socket that other processes connect to.
final class LocalListener: Sendable {
    let name: LocalName
    let descriptor: CInt

    /// Binds the name and listens.
    static func listen(on name: LocalName) -> Result<LocalListener, LocalFailure> {
        let descriptor = lb_packet_socket()
        guard descriptor >= 0 else { return .failure(LocalFailure(errno)) }
        if case .path(let path) = name, case .failure(let failure) = LocalConnection.connect(to: name, within: 1),
            failure.isNobodyThere
        {
            // What nobody listens on any more is in the way.
            unlink(path)
        }
        let result = name.withAddress { bind(descriptor, $0, $1) }
        // Before it listens, so that nobody else is ever let in.
        if result == 0, case .path(let path) = name { chmod(path, 0o600) }
        guard result == 0, Glibc.listen(descriptor, 4) == 0 else {
            let failure = result == nil ? LocalFailure(ENAMETOOLONG, "the name is too long") : LocalFailure(errno)
            Glibc.close(descriptor)
            return .failure(failure)
        }
        return .success(LocalListener(name, descriptor))
    }

    private init(_ name: LocalName, _ descriptor: CInt) {
        self.name = name
        self.descriptor = descriptor
    }

    /// The next connection; nil when there is none.
    func accept() -> LocalConnection? {
        let connection = lb_accept_waiting(descriptor)
        return connection >= 0 ? LocalConnection(connection) : nil
    }

    /// Gives the name back, and leaves no file behind; nobody may be waiting for a connection.
    func close() {
        if case .path(let path) = name { unlink(path) }
        Glibc.close(descriptor)
    }
}
