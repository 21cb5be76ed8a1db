// Descriptors for tests: pipes and socket pairs that close what they opened.

import EventLoop
import Glibc
import Testing

/// Two connected ends, closed with their owner unless a test has closed one itself.
final class Ends {
    private(set) var near: CInt
    private(set) var far: CInt

    private init(_ descriptors: [CInt]) {
        near = descriptors[0]
        far = descriptors[1]
    }

    /// A connected pair of non-blocking stream sockets.
    static func socketPair() throws -> Ends {
        var descriptors: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, type, 0, &descriptors) == 0)
        return Ends(descriptors)
    }

    /// A non-blocking pipe: `near` is read, `far` is written.
    static func pipe() throws -> Ends {
        var descriptors: [CInt] = [-1, -1]
        try #require(Glibc.pipe(&descriptors) == 0)
        for descriptor in descriptors {
            #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
            #expect(fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
        }
        return Ends(descriptors)
    }

    deinit {
        closeNear()
        closeFar()
    }

    func closeNear() {
        if near >= 0 { close(near) }
        near = -1
    }

    func closeFar() {
        if far >= 0 { close(far) }
        far = -1
    }

    /// Writes at the far end, so that the near end becomes readable.
    func poke(_ text: String = "x") {
        let bytes = Array(text.utf8)
        #expect(write(far, bytes, bytes.count) == bytes.count)
    }
}

/// Reads what there is and drops it.
func drain(_ descriptor: CInt) {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while read(descriptor, &bytes, bytes.count) > 0 {}
}
