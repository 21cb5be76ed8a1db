// FlyingFox's socket pool, with Nagle's algorithm off on every connection.

import FlyingSocks
import Glibc

/// Hands everything on to `base`, and sets TCP_NODELAY on each socket that waits for something to read.
///
/// FlyingFox writes head and body apart and leaves Nagle's algorithm on: on a kept connection the body can then wait
/// for the client's delayed ACK of the head, 40 ms. A pool is the one place where FlyingFox shows us its sockets. The
/// listening one waits first, and on Linux the accepted ones take the option over from it.
struct PromptPool: AsyncSocketPool {
    let base: any AsyncSocketPool

    func prepare() async throws {
        try await base.prepare()
    }

    func run() async throws {
        try await base.run()
    }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        if events == .read {
            try? socket.setValue(true, for: BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY))
        }
        try await base.suspendSocket(socket, untilReadyFor: events)
    }
}
