// One origin's life: listen, say so, answer until a signal asks to stop.

import Dispatch
import FlyingFox
import FlyingSocks
import Foundation
import Glibc

/// Why the origin cannot listen (any more), in words for the person who started it.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String
}

/// Answers on `host`:`port` until SIGINT or SIGTERM; does not return after one.
///
/// - Parameter timeout: How long receiving a request's body and working out the answer's head may take. Each request
///   leaves a timer of about 800 bytes behind that is freed only when it would have fired, so longer costs memory
///   under load: 30 s at 10,000 requests a second come to 240 MB.
func serve(name: String, host: String, port: UInt16, timeout: Duration) async throws {
    ignoreBrokenPipes()
    raiseDescriptorLimit()
    let signals = StopSignals()
    defer { withExtendedLifetime(signals) {} }
    let stop = signals.received

    let handler = RouteHandler(name: name, port: port)
    let server = HTTPServer(config: try configuration(host: host, port: port, timeout: timeout), handler: handler)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do {
                try await server.run()
            } catch {
                throw ListenFailure(error, host: host, port: port)
            }
        }
        group.addTask {
            try await server.waitUntilListening()
            let port = await server.listeningAddress?.port ?? port
            handler.identity.listening(on: port)
            announce("origin \(name) listens on http://\(authority(host: host, port: port)) (pid \(getpid()))")
            for await _ in stop {
                await server.stop(timeout: drainSeconds)
                exit(EXIT_SUCCESS)
            }
        }
        try await group.next()
        group.cancelAll()
    }
}

/// Answers in flight may take this long after a signal; a stream without an end is cut then.
private let drainSeconds = 0.2

private func configuration(host: String, port: UInt16, timeout: Duration) throws -> HTTPServer.Configuration {
    let pool = PromptPool(base: HTTPServer.defaultPool())
    let seconds = TimeInterval(timeout.components.seconds)
    var configuration: HTTPServer.Configuration
    do {
        if host.contains(":") {
            let address: sockaddr_in6 = try .inet6(ip6: host, port: port)
            configuration = .init(address: address, timeout: seconds, pool: pool, logger: .disabled)
        } else {
            let address: sockaddr_in = try .inet(ip4: host, port: port)
            configuration = .init(address: address, timeout: seconds, pool: pool, logger: .disabled)
        }
    } catch {
        throw ListenFailure(description: "'\(host)' is not a numeric IP address")
    }
    // A body that FlyingFox can replay it keeps whole (2 MiB by default). Ours are read once, so none is kept.
    configuration.sharedRequestReplaySize = configuration.sharedRequestBufferSize
    return configuration
}

/// One line on standard output, at once even when that is a pipe.
private func announce(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

private func authority(host: String, port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}

/// SIGINT and SIGTERM, as elements of a stream for as long as this value lives.
private struct StopSignals {
    let received: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (received, continuation) = AsyncStream<Void>.makeStream()
        self.received = received
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }
}

/// FlyingFox writes without MSG_NOSIGNAL: a client that left would end the process.
private func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
}

/// FlyingFox stops listening for good when `accept` finds no free descriptor, so take all we may have.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

extension ListenFailure {
    fileprivate init(_ error: any Error, host: String, port: UInt16) {
        let place = authority(host: host, port: port)
        description =
            switch error {
            case SocketError.failed(type: "Bind", errno: EADDRINUSE, message: _):
                "cannot listen on \(place): the port is in use by another program"
            case SocketError.failed(type: _, errno: _, let message):
                "cannot listen on \(place): \(message)"
            default:
                "stopped listening on \(place): \(error.localizedDescription)"
            }
    }
}

extension Socket.Address {
    fileprivate var port: UInt16? {
        switch self {
        case .ip4(_, let port), .ip6(_, let port): port
        case .unix: nil
        }
    }
}
