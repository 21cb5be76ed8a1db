// What a stream says of a connection that cannot be made.

import EventLoop
import Glibc
import HTTPWire
import Testing
import Upstream

/// Waits for the end of an attempt to connect.
private final class Observer: StreamObserver {
    var failure: StreamFailure?
    var isConnected = false

    func streamIsWritable(_ stream: Upstream.Stream) { isConnected = true }
    func stream(_ stream: Upstream.Stream, receivedInterimHeadIn buffer: Buffer) {}
    func stream(_ stream: Upstream.Stream, receivedHeadIn buffer: Buffer) {}
    func stream(_ stream: Upstream.Stream, receivedBodyIn buffer: Buffer, isEnd: Bool) {}
    func stream(_ stream: Upstream.Stream, receivedBodyInto pipe: SplicePipe, isEnd: Bool) {}
    func stream(_ stream: Upstream.Stream, failed failure: StreamFailure) { self.failure = failure }
}

/// A port of the loopback address that is taken and refuses every connection: bound, not listening.
private final class RefusingPort {
    let port: UInt16
    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isBound)
    }

    deinit { close(descriptor) }
}

@Suite("Connect failures", .timeLimit(.minutes(5)))
struct ConnectFailureTests {
    /// Tries to connect, and returns what was said of the failure.
    private func failure(of origin: Origin) throws -> StreamFailure {
        try #require(CurlLibrary.prepare() == nil)
        let loop = EventLoop()
        let pool = StreamPool(
            origin: origin,
            settings: StreamSettings(connectTimeoutMilliseconds: 30_000, idleNanoseconds: 0, headLimits: HeadLimits()),
            loop: loop,
            multi: CurlMulti(loop: loop),
            buffers: BufferPool(capacity: 131_072, maximumIdle: 1)
        )
        let observer = Observer()
        let stream = pool.connect()
        stream.begin(observer, method: .get, isUpgradeAsked: false)
        while observer.failure == nil, !observer.isConnected { loop.turn() }
        #expect(!observer.isConnected)
        pool.close()
        loop.tearDown()
        return try #require(observer.failure)
    }

    @Test func `a port that refuses is a failure to connect with its errno, before any byte was sent`() throws {
        let refusing = try RefusingPort()
        let failure = try failure(of: Origin(scheme: .http, host: "127.0.0.1", port: refusing.port))
        #expect(failure.phase == .connect)
        #expect(failure.cause == .curl(7))
        #expect(failure.systemError == ECONNREFUSED)
        #expect(!failure.wasRequestSent && !failure.wasResponseBegun && !failure.wasReused)
        #expect(failure.text.contains("127.0.0.1"))
    }

    @Test func `a socket path that is not there is a failure to connect`() throws {
        let path = "/nonexistent/backend.sock"
        let failure = try failure(of: Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: path))
        #expect(failure.phase == .connect)
        #expect(failure.cause == .curl(7))
        #expect(!failure.wasRequestSent)
    }

    @Test func `a refusing port is no TLS failure either`() throws {
        let refusing = try RefusingPort()
        let failure = try failure(of: Origin(scheme: .https, host: "127.0.0.1", port: refusing.port))
        #expect(failure.phase == .connect)
        #expect(failure.systemError == ECONNREFUSED)
    }
}
