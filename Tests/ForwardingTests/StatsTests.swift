// What is counted of exchanges that went well, failed, and were refused; and that no client can make the exposition grow.

import Dispatch
import Foundation
import HTTPWire
import Logging
import Telemetry
import Testing
import Upstream

@testable import Balancing
@testable import EventLoop
@testable import Forwarding
@testable import Front

@Suite("Stats", .timeLimit(.minutes(5)))
struct StatsTests {
    /// One worker, and clients of it.
    private final class Running {
        let group: WorkerGroup
        private let stopped = DispatchSemaphore(value: 0)

        init(_ backends: [BackendConfiguration]) throws {
            if let problem = CurlLibrary.prepare() { throw POSIXError(.ENOSYS, userInfo: ["problem": problem]) }
            let second: UInt64 = 1_000_000_000
            group = WorkerGroup(
                settings: ForwardingSettings(
                    name: "test",
                    retries: 2,
                    connectTimeout: 10 * second,
                    headTimeout: 60 * second,
                    responseTimeout: 60 * second,
                    idleTimeout: 60 * second,
                    upstreamIdle: 60 * second,
                    tunnelIdle: 60 * second,
                    writeTimeout: 60 * second,
                    bodyProgress: nil,
                    maximumPipelined: 10,
                    headLimits: .init(),
                    accessLogStyle: nil
                ),
                policy: .roundRobin,
                backends: backends,
                limits: ConnectionLimits(total: 10, perClient: 0, diagnostics: Logger(label: "test")),
                metrics: Metrics(workers: 1),
                accessLog: nil
            )
            group.notifyWhenStopped { [stopped] in stopped.signal() }
        }

        func connect() -> SmallConnection {
            let (client, server) = SmallConnection.pair()
            _ = fcntl(server.descriptor, F_SETFL, O_NONBLOCK)
            group.serve(AcceptedSocket(descriptor: server.descriptor, peer: .unix))
            return client
        }

        /// Sends a request on a connection of its own, reads to the connection's end, and returns the status.
        @discardableResult
        func ask(_ request: String) -> String {
            let client = connect()
            defer { client.close() }
            client.send(request)
            let head = client.receive(until: "\r\n\r\n") ?? ""
            _ = client.receive(until: "\0")
            return String(head.dropFirst(9).prefix(3))
        }

        var stats: StatsSnapshot {
            group.stats(BuildStats(version: "1", libcurl: "2", tls: "3"), accessLog: nil)
        }

        /// The state once that many requests are over.
        func stats(after requests: UInt64) throws -> StatsSnapshot {
            let end = ContinuousClock.now + .seconds(60)
            while stats.clients.requestsEnded < requests || stats.clients.connections > 0 {
                guard ContinuousClock.now < end else { throw POSIXError(.ETIMEDOUT) }
                usleep(1000)
            }
            return stats
        }

        func stop() {
            group.drain(.zero)
            stopped.wait()
        }
    }

    private static func get(_ target: String = "/", close: Bool = true) -> String {
        "GET \(target) HTTP/1.1\r\nHost: x\r\n\(close ? "Connection: close\r\n" : "")\r\n"
    }

    private func count(_ label: String, in counts: [LabelledCount]?) -> UInt64? {
        counts?.first { $0.label == label }?.count
    }

    @Test func `a request and its retry are counted where they happened`() throws {
        let origin = try SmallOrigin("blue")
        // A port that nobody listens on any more.
        let gone = try SmallOrigin("gone")
        gone.stop()
        usleep(10_000)
        let running = try Running([
            BackendConfiguration(name: "gone", origin: gone.origin),
            BackendConfiguration(name: "blue", origin: origin.origin),
        ])
        defer {
            origin.stop()
            running.stop()
        }
        #expect(running.ask(Self.get()) == "200")
        #expect(running.ask("BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == "200")
        #expect(running.ask("GET  / HTTP/1.1\r\n\r\n") == "400")
        #expect(running.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n") == "200")
        let stats = try running.stats(after: 4)

        let clients = stats.clients
        #expect(clients.connectionsOpened == 4)
        #expect(clients.requestsBegun == 4)
        #expect(clients.duration.count == 4)
        let requests = clients.requests.filter { $0.count > 0 }.map { "\($0.method) \($0.code) \($0.count)" }
        #expect(requests == ["GET 2xx 1", "GET 4xx 1", "OPTIONS 2xx 1", "other 2xx 1"])
        // The way of an OPTIONS that goes no further ends here, which is no failure.
        #expect(clients.failures.filter { $0.count > 0 } == [LabelledCount(label: "malformed_request_line", count: 1)])
        #expect(clients.unknownReasons == 0)
        #expect(clients.bytesSent > 8)

        let blue = try #require(stats.backends.first { $0.name == "blue" })
        #expect(blue.counts.attempts == 2)
        #expect(count("2xx", in: blue.counts.responses) == 2)
        #expect(blue.counts.connectionsOpened == 1)
        #expect(blue.counts.connectionsReused == 1)
        #expect(blue.counts.connections == 1)
        #expect(blue.counts.bytesReceived == 8)
        #expect(blue.inFlight == 0)
        for histogram in [blue.counts.firstByte, blue.counts.request, blue.counts.wait, blue.counts.body] {
            #expect(histogram.count == 2)
        }
        #expect(blue.counts.dns.count == 1 && blue.counts.connect.count == 1)
        #expect(blue.counts.tls.isEmpty && blue.counts.queue.isEmpty)

        let former = try #require(stats.backends.first { $0.name == "gone" })
        let failed = try #require(count("connection_refused", in: former.counts.failures))
        #expect(failed >= 1 && failed == former.counts.attempts)
        #expect(blue.counts.retries == failed)
        #expect(former.counts.connections == 0)
        #expect(stats.loops.count == 1 && stats.loops[0].turn.count == stats.loops[0].turns)
    }

    @Test func `a backend that was removed keeps its counters, and takes them up again`() throws {
        let origin = try SmallOrigin("blue")
        let blue = BackendConfiguration(name: "blue", origin: origin.origin)
        let running = try Running([blue])
        defer {
            origin.stop()
            running.stop()
        }
        running.ask(Self.get())
        try running.group.change([.remove(name: "blue")])
        var found = try #require(try running.stats(after: 1).backends.first)
        #expect(!found.isMember && found.counts.attempts == 1)
        try running.group.change([.add(blue)])
        let end = ContinuousClock.now + .seconds(60)
        while running.group.adoptedVersion < running.group.pool.version, ContinuousClock.now < end { usleep(1000) }
        running.ask(Self.get())
        found = try #require(try running.stats(after: 2).backends.first)
        #expect(found.isMember && found.counts.attempts == 2)
    }

    /// The value of a metric without labels, and of those of one backend by their label's value.
    private func values(_ name: String, _ stats: StatsSnapshot) -> [String] {
        PrometheusText.render(stats).split(separator: "\n").filter { $0.hasPrefix("curl_lb_\(name)") }.map(String.init)
    }

    @Test func `how many backends are usable is told, also when there are none, and what takes no requests`() throws {
        let origin = try SmallOrigin("blue")
        defer { origin.stop() }
        let empty = try Running([])
        defer { empty.stop() }
        #expect(values("backends_usable", empty.stats) == ["curl_lb_backends_usable 0"])
        let running = try Running(["a", "b"].map { BackendConfiguration(name: $0, origin: origin.origin) })
        defer { running.stop() }
        #expect(values("backends_usable", running.stats) == ["curl_lb_backends_usable 2"])
        let a = running.group.pool.members[0].backend
        running.group.take([BackendCondition(backend: a, operational: .up, requested: .drain, weightPercent: 100)])
        let stats = running.stats
        #expect(values("backends_usable", stats) == ["curl_lb_backends_usable 1"])
        // What the backend has asked for is what holds, though the operator has said nothing.
        #expect(stats.backends.map(\.administrative) == ["ready", "ready"])
        #expect(stats.backends.map(\.requested) == ["drain", "ready"])
        #expect(stats.backends.map(\.takesRequests) == [false, true])
        #expect(
            values(#"backend_state{backend="a""#, stats).map { $0.split(separator: " ").last } == ["0", "1", "0"]
        )
        #expect(values(#"backend_takes_requests{backend="a""#, stats).first?.hasSuffix("} 0") == true)
        try running.group.change([.administrative(name: "b", .maintenance)])
        #expect(values("backends_usable", running.stats) == ["curl_lb_backends_usable 0"])
    }

    @Test func `one backend is told as it is among all`() throws {
        let origin = try SmallOrigin("blue")
        defer { origin.stop() }
        let running = try Running(["a", "b"].map { BackendConfiguration(name: $0, origin: origin.origin) })
        defer { running.stop() }
        for _ in 0..<3 { #expect(running.ask(Self.get()) == "200") }
        _ = try running.stats(after: 3)
        try running.group.change([.remove(name: "b")])
        // Its connection is closed when the worker has heard of it: then nothing counts any more.
        for _ in 0..<60_000 where running.group.backend("b")?.counts.connectionsClosed != 1 { usleep(1000) }
        let all = running.group.backends()
        #expect(all.map(\.name) == ["a", "b"] && all.map(\.isMember) == [true, false])
        for backend in all { #expect(running.group.backend(backend.name) == backend) }
        #expect(running.group.backend("c") == nil)
    }

    @Test func `a change is waited for until it holds for every worker, and not for those that have stopped`() throws {
        let origin = try SmallOrigin("blue")
        defer { origin.stop() }
        let running = try Running([BackendConfiguration(name: "a", origin: origin.origin)])
        try running.group.change([.administrative(name: "a", .drain)])
        #expect(running.group.waitForAdoption(within: .seconds(60)))
        running.stop()
        try running.group.change([.administrative(name: "a", .ready)])
        #expect(running.group.waitForAdoption(within: .seconds(60)))
    }

    @Test func `what a client sends cannot make the exposition grow`() throws {
        let origin = try SmallOrigin("blue")
        let running = try Running([BackendConfiguration(name: "blue", origin: origin.origin)])
        defer {
            origin.stop()
            running.stop()
        }
        // So that nothing is counted for the first time later on.
        running.ask(Self.get())
        let names: (StatsSnapshot) -> [Substring] = { snapshot in
            PrometheusText.render(snapshot).split(separator: "\n").map { line in
                line.hasPrefix("#") ? line : line[..<(line.lastIndex(of: " ") ?? line.endIndex)]
            }
        }
        let before = names(try running.stats(after: 1))
        for index in 0..<200 {
            let odd = String(UnicodeScalar(UInt8(33 + index % 90)))
            let request =
                switch index % 5 {
                case 0: Self.get("/path\(index)?\(odd)")
                case 1: "GET / HTTP/1.1\r\nHost: host\(index)\(odd)\r\nConnection: close\r\n\r\n"
                case 2: "METHOD\(index) / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                case 3:
                    "GET / HTTP/1.1\r\nHost: x\r\nX-\(index): \(odd)\r\nX-Request-Id: \(index)\(odd)\r\nConnection: close\r\n\r\n"
                default: "G\"\\\n\(odd)\(index) / HTTP/9.\(index)\r\n\r\n"
                }
            running.ask(request)
        }
        let after = try running.stats(after: 201)
        #expect(names(after) == before)
        #expect(after.clients.unknownReasons == 0)
    }
}
