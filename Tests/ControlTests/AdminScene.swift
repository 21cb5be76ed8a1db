// The admin API in front of a pool that is only remembered.

import Balancing
import Forwarding
import Front
import HTTPWire
import Logging
import Synchronization
import Telemetry

@testable import Control

/// An API to ask, without sockets and without workers.
final class AdminScene {
    let director: PoolDirector
    let sources: AdminSources
    let api: AdminAPI
    private let waits = Counted()
    private let wholes = Counted()

    private final class Counted: Sendable {
        let count = Atomic<Int>(0)
    }

    /// How often it was waited for the workers to go by a change.
    var adoptions: Int { waits.count.load(ordering: .relaxed) }

    /// How often the whole state was read.
    var wholeReadings: Int { wholes.count.load(ordering: .relaxed) }

    /// - Parameter isAdopted: Whether workers go by a change before long.
    init(
        _ backends: String = "http://a;weight=3 http://b",
        at address: ListenAddress = .tcp(host: "127.0.0.1", port: 9900),
        token: String? = nil,
        settings: [SettingReport] = [],
        settingsFile: SettingsFilePlace? = nil,
        isAdopted: Bool = true
    ) throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let director = PoolDirector(
            policy: .roundRobin,
            discovery: Settings().discovery,
            resolve: { _ in .failure(LookupFailure(text: "no resolver")) },
            diagnostics: logger,
            failures: { _ in 0 },
            apply: { changes throws(PoolRefusal) in
                for case .weight(_, let weight) in changes where !PoolRoster.weights.contains(weight) {
                    throw .outOfRange(weight)
                }
            }
        )
        try director.configure(BackendEntry.parse(entries: listEntries(backends)))
        self.director = director
        let metrics = Metrics(workers: 1, methods: ["GET"], reasons: ReasonTable(["refused"], ofAttempts: ["refused"]))
        sources = AdminSources(
            director: director,
            settings: settings,
            settingsFile: settingsFile,
            failures: metrics.failures,
            journal: ChangeJournal(),
            reading: AdminReading(
                stats: { [wholes] in
                    wholes.count.wrappingAdd(1, ordering: .relaxed)
                    return Self.stats(of: director, metrics)
                },
                backends: { Self.stats(of: director, metrics).backends },
                backend: { name in Self.stats(of: director, metrics).backends.first { $0.name == name } },
                health: { _ in nil },
                pool: { nil }
            ),
            adoption: { [waits] in
                waits.count.wrappingAdd(1, ordering: .relaxed)
                return isAdopted
            }
        )
        let token = try token.map { try SettingKind<AdminToken?>.adminToken.parse($0) } ?? nil
        api = AdminAPI(access: AdminAccess(address: address, token: token), sources: sources, diagnostics: logger)
    }

    private static func stats(of director: PoolDirector, _ metrics: Metrics) -> StatsSnapshot {
        StatsSnapshot(
            time: 1,
            name: "test",
            build: BuildStats(version: "1", libcurl: "2", tls: "3"),
            process: .now(),
            policy: "\(director.policy)",
            poolVersion: 1,
            backends: director.members.map { member in
                BackendStats(
                    name: member.name,
                    address: "\(member.setting.origin)",
                    isMember: true,
                    operational: "up",
                    administrative: member.state.rawValue,
                    requested: "ready",
                    takesRequests: member.state == .ready,
                    weight: member.weight,
                    isBackup: false,
                    inFlight: 0,
                    maximumInFlight: 0,
                    counts: metrics.noCounts
                )
            },
            clients: metrics.clientCounts(),
            loops: metrics.loopCounts(),
            lostLogLines: nil
        )
    }

    /// The response; nil for an event stream.
    func ask(_ request: AdminRequest, _ body: String = "") -> AdminResponse? {
        switch api.admit(request) {
        case .answer(let response): response
        case .wantsBody(let route): api.answer(request.method, route, Array(body.utf8))
        case .stream: nil
        }
    }

    func ask(
        _ method: HTTPWire.Method,
        _ path: String,
        _ body: String = "",
        host: String? = "localhost:9900"
    ) -> AdminResponse? {
        ask(AdminRequest(method: method, path: path, host: host, contentType: "application/json"), body)
    }
}

extension AdminResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}
