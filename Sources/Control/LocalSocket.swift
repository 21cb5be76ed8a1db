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

/// A connection between two processes that keeps the bounds of messages.
///
/// Confined to its thread; closes when it is let go of.
final class LocalConnection {
    /// No message is as long.
    static let maximumLength = 65536

    private let descriptor: CInt

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// Connects; nil when nobody listens there.
    static func connect(to name: LocalName) -> LocalConnection? {
        let descriptor = lb_packet_socket()
        guard descriptor >= 0 else { return nil }
        let connection = LocalConnection(descriptor)
        return name.withAddress { Glibc.connect(descriptor, $0, $1) } == 0 ? connection : nil
    }

    /// Whether the process at the other end runs as our user.
    var isOurs: Bool { lb_peer_user(descriptor) == geteuid() }

    /// How long a message is waited for.
    func setPatience(_ seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends a message; false when that cannot be.
    func send(_ text: String, descriptors: [CInt] = []) -> Bool {
        let bytes = Array(text.utf8)
        return lb_send_descriptors(descriptor, bytes, bytes.count, descriptors, CInt(descriptors.count)) == bytes.count
    }

    /// The next message; nil at the end, after the time that it is waited for, and when it is too long.
    func receive() -> (text: String, descriptors: [CInt])? {
        var bytes = [UInt8](repeating: 0, count: Self.maximumLength)
        var descriptors = [CInt](repeating: -1, count: Int(LB_MAX_PASSED))
        var count: CInt = 0
        while true {
            let length = lb_receive_descriptors(descriptor, &bytes, bytes.count, &descriptors, &count)
            if length < 0, errno == EINTR { continue }
            let passed = Array(descriptors[..<Int(count)])
            guard length > 0 else {
                for descriptor in passed { Glibc.close(descriptor) }
                return nil
            }
            return (String(decoding: bytes[..<length], as: UTF8.self), passed)
        }
    }
}

/// A socket that other processes connect to.
final class LocalListener: Sendable {
    let name: LocalName
    let descriptor: CInt

    /// Binds the name and listens; returns why not as a text.
    static func listen(on name: LocalName) -> Result<LocalListener, ListFailure> {
        let descriptor = lb_packet_socket()
        guard descriptor >= 0 else { return .failure(ListFailure(text: String(cString: strerror(errno)))) }
        if case .path(let path) = name {
            // What nobody listens on any more is in the way.
            if LocalConnection.connect(to: name) == nil, errno == ECONNREFUSED { unlink(path) }
        }
        let result = name.withAddress { bind(descriptor, $0, $1) }
        // Before it listens, so that nobody else is ever let in.
        if result == 0, case .path(let path) = name { chmod(path, 0o600) }
        guard result == 0, Glibc.listen(descriptor, 4) == 0 else {
            let reason = result == nil ? "the name is too long" : String(cString: strerror(errno))
            Glibc.close(descriptor)
            return .failure(ListFailure(text: reason))
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

    /// Gives the name back; nobody may be waiting for a connection.
    func close() {
        removeFile()
        Glibc.close(descriptor)
    }

    /// Leaves no file behind.
    func removeFile() { if case .path(let path) = name { unlink(path) } }
}
