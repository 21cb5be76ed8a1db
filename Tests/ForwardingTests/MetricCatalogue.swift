// All metrics that the program exposes, as a running group of workers makes them.

import Balancing
import Foundation
import HTTPWire
import Logging
import Telemetry
import Upstream

@testable import EventLoop
@testable import Forwarding
@testable import Front

/// One metric's name, kind, labels and meaning.
struct CataloguedMetric {
    let name: String
    let kind: MetricFamily.Kind
    let help: String
    /// The labels' names, each with the values that samples have.
    let labels: [(name: String, values: Set<String>)]
}

/// Every metric there is: asked of workers that have served a request, with an access log and spans.
enum MetricCatalogue {
    static func metrics() throws -> [CataloguedMetric] {
        try families().map { family in
            let names = family.samples.first?.labels.map(\.name) ?? []
            let labels = names.map { name in
                (name, Set(family.samples.compactMap { sample in sample.labels.first { $0.name == name }?.value }))
            }
            return CataloguedMetric(name: family.name, kind: family.kind, help: family.help, labels: labels)
        }
    }

    static func families() throws -> [MetricFamily] {
        if let problem = CurlLibrary.prepare() { throw POSIXError(.ENOSYS, userInfo: ["problem": problem]) }
        let origin = try SmallOrigin("blue")
        defer { origin.stop() }
        let minute: UInt64 = 60_000_000_000
        var settings = ForwardingSettings(
            name: "test",
            retries: 2,
            connectTimeout: minute,
            headTimeout: minute,
            responseTimeout: minute,
            idleTimeout: minute,
            upstreamIdle: minute,
            tunnelIdle: minute,
            writeTimeout: minute,
            bodyProgress: nil,
            maximumPipelined: 10,
            headLimits: .init(),
            accessLogStyle: AccessLogStyle(format: .json)
        )
        settings.trace = TraceSettings(sampling: TraceSampling(oneOf: 1), isRecording: true)
        let accessLog = try AccessLog.open(.file(path: "/dev/null"), diagnostics: Logger(label: "test"))
        let stopped = DispatchSemaphore(value: 0)
        let group = WorkerGroup(
            settings: settings,
            policy: .roundRobin,
            backends: [BackendConfiguration(name: "blue", origin: origin.origin)],
            limits: ConnectionLimits(total: 10, perClient: 0, diagnostics: Logger(label: "test")),
            metrics: Metrics(workers: 1),
            accessLog: accessLog,
            spans: SpanQueue()
        )
        group.notifyWhenStopped { stopped.signal() }
        // A phase that no request has gone through has no sample.
        let (client, server) = SmallConnection.pair()
        _ = fcntl(server.descriptor, F_SETFL, O_NONBLOCK)
        group.serve(AcceptedSocket(descriptor: server.descriptor, peer: .unix))
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _ = client.receive(until: "\0")
        client.close()
        group.drain(.zero)
        stopped.wait()
        let snapshot = group.stats(BuildStats(version: "1", libcurl: "2", tls: "3"), accessLog: accessLog)
        return MetricFamilies.all(of: snapshot)
    }
}
