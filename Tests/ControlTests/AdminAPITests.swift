// The admin API as values: what each route answers, and what changes do.

import Balancing
import Foundation
import Front
import HTTPWire
import Telemetry
import Testing

@testable import Control

@Suite("Admin API", .timeLimit(.minutes(5)))
struct AdminAPITests {
    /// A response's body as JSON.
    private func object(_ response: AdminResponse?) throws -> [String: Any] {
        let body = try #require(response?.body)
        return try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
    }

    /// Status and reason of a problem.
    private func problem(_ response: AdminResponse?) throws -> String {
        #expect(response?.contentType == "application/problem+json")
        let object = try object(response)
        #expect(object["status"] as? Int == response?.status)
        #expect(object["type"] as? String == "about:blank")
        #expect(object["title"] as? String == AdminResponse.reasonPhrase(response?.status ?? 0))
        #expect((object["detail"] as? String)?.isEmpty == false)
        return "\(response?.status ?? 0) \(object["reason"] as? String ?? "")"
    }

    // MARK: Reading

    @Test func `paths and methods`() throws {
        let scene = try AdminScene()
        for path in [
            "/nothing", "/stats/", "/Stats", "/backends/", "//", "/backends/%zz", "/backends/%+1", "/backends/%ff",
        ] {
            #expect(try problem(scene.ask(.get, path)) == "404 not_found", "\(path)")
        }
        #expect(try problem(scene.ask(.get, "/backends/c")) == "404 unknown_backend")
        #expect(try problem(scene.ask(.get, "/backends/{name}")) == "404 unknown_backend")
        for (method, path, allow) in [
            (.options, "/stats", "GET, HEAD"), (.post, "/", "GET, HEAD"), (.post, "/healthz", "GET, HEAD"),
            (.delete, "/backends", "GET, HEAD, POST"), (.put, "/backends/a:80", "GET, HEAD, PATCH, DELETE"),
            (.trace, "/events", "GET, HEAD"), (.other, "/config", "GET, HEAD, POST"),
            (.options, "/backends", "GET, HEAD, POST"),
            (.options, "*", "GET, HEAD, POST, PATCH, DELETE"),
        ] as [(HTTPWire.Method, String, String)] {
            let response = scene.ask(method, path)
            #expect(try problem(response) == "405 method_not_allowed", "\(method) \(path)")
            #expect(response?["Allow"] == allow)
        }
    }

    @Test func `backends are told with who made them members`() throws {
        let scene = try AdminScene()
        try scene.director.add(try #require(BackendSetting.parse(entries: ["http://c"]).first))
        let all = try #require(try object(scene.ask(.get, "/backends"))["backends"] as? [[String: Any]])
        #expect(all.map { $0["name"] as? String } == ["a:80", "b:80", "c:80"])
        #expect(all.map { $0["source"] as? String } == ["configuration", "configuration", "operator"])
        let one = try object(scene.ask(.get, "/backends/a:80"))
        #expect(one["weight"] as? Int == 3)
        // What is nil is told as null.
        #expect(one["health"] is NSNull)
        #expect(try object(scene.ask(.get, "/backends/a%3A80"))["name"] as? String == "a:80")
        let stats = try object(scene.ask(.get, "/stats"))
        #expect(stats["name"] as? String == "test")
        #expect(stats["is_panic"] as? Bool == false)
        #expect(stats["queue_waiting"] as? Int == 0)
        #expect((stats["backends"] as? [Any])?.count == 3)
    }

    @Test func `a name with slashes is found, encoded or not`() throws {
        let scene = try AdminScene("http+unix:///run/app.sock")
        for path in ["/backends/unix:/run/app.sock", "/backends/unix%3A%2Frun%2Fapp.sock"] {
            #expect(try object(scene.ask(.get, path))["name"] as? String == "unix:/run/app.sock")
        }
    }

    @Test func `metrics are in Prometheus' format`() throws {
        let response = try AdminScene().ask(.get, "/metrics")
        #expect(response?.contentType == PrometheusText.contentType)
        #expect(response?.text.contains("\ncurl_lb_backend_weight{backend=\"a:80\"} 3\n") == true)
    }

    @Test func `settings are told without secrets`() throws {
        let token = "0123456789abcdef"
        let (settings, provenance) = try Settings.load(
            environment: [
                "LB_BACKENDS": "http://a", "LB_ADMIN_TOKEN": token, "LB_STICKY_SECRET": "something very secret",
                "LB_RETRIES": "3",
            ]
        )
        let scene = try AdminScene(settings: SettingsDocument.report(settings, provenance))
        let response = scene.ask(.get, "/config")
        let rows = try #require(try object(response)["settings"] as? [[String: String]])
        func row(_ name: String) -> [String: String]? { rows.first { $0["name"] == name } }
        #expect(rows.count == SettingsTable.rows.count)
        #expect(row("LB_ADMIN_TOKEN") == ["name": "LB_ADMIN_TOKEN", "value": "(secret)", "source": "environment"])
        #expect(row("LB_STICKY_SECRET")?["value"] == "(secret)")
        #expect(row("LB_RETRIES") == ["name": "LB_RETRIES", "value": "3", "source": "environment"])
        #expect(row("LB_ADMIN") == ["name": "LB_ADMIN", "value": "127.0.0.1:9900", "source": "default"])
        #expect(response?.text.contains(token) == false && response?.text.contains("very secret") == false)
    }

    @Test func `settings that have changed are told, and that they have`() throws {
        let scene = try AdminScene()
        let (settings, provenance) = try Settings.load(environment: ["LB_BACKENDS": "http://a", "LB_RETRIES": "7"])
        scene.sources.settingsChanged(to: settings, provenance, "LB_RETRIES is 7, was 2")
        #expect(
            scene.ask(.get, "/config")?.text.contains(#""name":"LB_RETRIES","source":"environment","value":"7""#)
                == true
        )
        #expect(scene.journal.map(\.kind) == [.settings])
        #expect(scene.journal.map(\.text) == ["LB_RETRIES is 7, was 2"])
    }

    @Test func `liveness and readiness`() throws {
        let scene = try AdminScene()
        #expect(scene.ask(.get, "/healthz")?.text == "ok\n")
        #expect(try problem(scene.ask(.get, "/readyz")) == "503 starting")
        scene.sources.phase = .serving
        #expect(try problem(scene.ask(.get, "/readyz")) == "503 no_backend")
        scene.sources.phase = .draining
        #expect(try problem(scene.ask(.get, "/readyz")) == "503 draining")
        #expect(scene.ask(.get, "/healthz")?.status == 200)
    }

    @Test func `events are a stream, and HEAD gets its head`() throws {
        let scene = try AdminScene()
        #expect(scene.ask(.get, "/events") == nil)
        let head = try #require(scene.ask(.head, "/events"))
        #expect(head.contentType == "text/event-stream")
        // A stream has no length.
        let text = String(decoding: head.head(date: [], keepAlive: true, clientMinorVersion: 1), as: UTF8.self)
        #expect(!text.contains("Content-Length") && text.contains("\r\nContent-Type: text/event-stream\r\n"))
    }

    // MARK: Changes

    @Test func `a backend is added, changed and removed, and each answer comes when workers go by it`() throws {
        let scene = try AdminScene()
        let added = scene.ask(.post, "/backends", #"{"backend": "http+unix://run/x;weight=2"}"#)
        #expect(try problem(added) == "422 invalid_value")
        let created = scene.ask(.post, "/backends", #"{"backend": "http+unix:///run/x.sock;weight=2"}"#)
        #expect(created?.status == 201)
        #expect(created?["Location"] == "/backends/unix:%2Frun%2Fx.sock")
        #expect(try object(created)["source"] as? String == "operator")
        #expect(scene.adoptions == 1)

        let name = "/backends/unix:%2Frun%2Fx.sock"
        let changed = try object(scene.ask(.patch, name, #"{"weight": 7, "state": "drain"}"#))
        #expect(changed["weight"] as? Int == 7 && changed["administrative"] as? String == "drain")
        #expect(try object(scene.ask(.patch, name, #"{"weight": null}"#))["weight"] as? Int == 2)
        let ready = try object(scene.ask(.patch, name, #"{"state": "ready"}"#))
        #expect(ready["administrative"] as? String == "ready" && ready["weight"] as? Int == 2)
        #expect(scene.adoptions == 4)

        let removed = scene.ask(.delete, name)
        #expect(removed?.status == 204 && removed?.body.isEmpty == true)
        #expect(try problem(scene.ask(.delete, name)) == "404 unknown_backend")
        #expect(scene.adoptions == 5)
    }

    @Test func `a change that not every worker goes by yet is accepted, and no more is said of it`() throws {
        let scene = try AdminScene(isAdopted: false)
        let added = scene.ask(.post, "/backends", #"{"backend": "http://c"}"#)
        #expect(added?.status == 202 && added?["Location"] == "/backends/c:80")
        #expect(try object(added)["name"] as? String == "c:80")
        let changed = scene.ask(.patch, "/backends/c:80", #"{"state": "drain"}"#)
        #expect(try changed?.status == 202 && object(changed)["administrative"] as? String == "drain")
        #expect(scene.ask(.delete, "/backends/c:80")?.status == 202)
        // It is made nevertheless.
        #expect(try problem(scene.ask(.get, "/backends/c:80")) == "404 unknown_backend")
        #expect(scene.adoptions == 3)
    }

    @Test func `of one backend, or of all, no more is read than is asked for`() throws {
        let scene = try AdminScene()
        #expect(scene.ask(.get, "/backends/a:80")?.status == 200)
        #expect(scene.ask(.patch, "/backends/a:80", #"{"weight": 2}"#)?.status == 200)
        #expect(scene.ask(.get, "/backends")?.status == 200)
        #expect(scene.wholeReadings == 0)
        #expect(scene.ask(.get, "/stats")?.status == 200)
        #expect(scene.wholeReadings == 1)
    }

    @Test
    func `the state is made once a second, and every ten at the least where that takes more than a tenth of the time`()
    {
        let millisecond: UInt64 = 1_000_000
        for (cost, interval) in [(0, 1000), (100, 1000), (200, 2000), (3000, 10_000)] as [(UInt64, UInt64)] {
            #expect(EventHub.statsInterval(cost: cost * millisecond) == interval * millisecond)
        }
    }

    @Test func `weight and state are changed both or neither`() throws {
        let scene = try AdminScene()
        let response = scene.ask(.patch, "/backends/a:80", #"{"weight": 70000, "state": "drain"}"#)
        #expect(try problem(response) == "422 invalid_value")
        #expect(scene.director.members.first?.weight == 3)
        #expect(scene.director.members.first?.state == .ready)
        #expect(scene.adoptions == 0)
    }

    @Test func `what the operator has done is written into the file of settings`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "lb.env")
        let former = "# ours\nLB_RETRIES=1\nLB_BACKENDS=\"http://a;weight=3 http://b\"\n"
        try former.write(to: file, atomically: true, encoding: .utf8)
        let scene = try AdminScene(settingsFile: SettingsFilePlace(path: file.path, inherited: nil))
        _ = scene.ask(.patch, "/backends/a:80", #"{"weight": 7, "state": "drain"}"#)
        _ = scene.ask(.delete, "/backends/b:80")
        _ = scene.ask(.post, "/backends", #"{"backend": "http://c"}"#)
        let answer = scene.ask(.post, "/config", #"{"write": "backends"}"#)
        #expect(answer?.status == 200)
        #expect(try object(answer)["file"] as? String == file.path)
        #expect(try object(answer)["unwritten"] as? [String] == [])
        let expected = "# ours\nLB_RETRIES=1\nLB_BACKENDS=\"http://a;weight=7;state=drain http://c:80\"\n"
        #expect(try String(contentsOf: file, encoding: .utf8) == expected)

        try "LB_BACKENDS=\"http://a".write(to: file, atomically: true, encoding: .utf8)
        #expect(
            try problem(scene.ask(.post, "/config", #"{"write": "backends"}"#)) == "409 settings_not_written"
        )
        for body in ["", "{}", #"{"write": "all"}"#, #"{"write": "backends", "to": "/etc/passwd"}"#] {
            #expect(try problem(scene.ask(.post, "/config", body)) == "400 malformed_body")
        }
        #expect(
            try problem(AdminScene().ask(.post, "/config", #"{"write": "backends"}"#)) == "409 no_settings_file"
        )
    }

    @Test func `a name that is taken`() throws {
        let scene = try AdminScene()
        #expect(try problem(scene.ask(.post, "/backends", #"{"backend": "http://a"}"#)) == "409 name_taken")
        #expect(
            try problem(scene.ask(.post, "/backends", #"{"backend": "https://c;name=b:80"}"#)) == "422 invalid_value"
        )
    }

    @Test(arguments: [
        "", "{", "[]", "null", "5", #""http://c""#, "{}", #"{"backend": 5}"#, #"{"backend": null}"#,
        #"{"backend": "http://c", "weight": 2}"#, #"{"Backend": "http://c"}"#, #"{"backend": "http://c"} x"#,
        String(repeating: "[", count: 60000), "\u{FEFF}\u{0}",
    ])
    func `a body that is no addition`(body: String) throws {
        #expect(try problem(AdminScene().ask(.post, "/backends", body)) == "400 malformed_body")
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"weight": "5"}"#, #"{"weight": 1.5}"#, #"{"weight": true}"#, #"{"state": "up"}"#,
        #"{"state": null}"#, #"{"wieght": 5}"#, #"{"state": "drain", "x": 1}"#, #"{"weight": 1e400}"#,
    ])
    func `a body that is no change`(body: String) throws {
        let scene = try AdminScene()
        #expect(try problem(scene.ask(.patch, "/backends/a:80", body)) == "400 malformed_body")
        #expect(scene.director.members.first?.weight == 3)
    }

    @Test(arguments: [
        "a", "ftp://c", "http://c/path", "dns://c:80", "exec:/bin/sh", "file:/etc/passwd", "http://c http://d",
        "http://c;weight=x", "http://user:password@c",
    ])
    func `what is no backend is refused in the words of the settings, without passwords`(backend: String) throws {
        let scene = try AdminScene()
        let response = scene.ask(.post, "/backends", #"{"backend": "\#(backend)"}"#)
        #expect(try problem(response) == "422 invalid_value")
        #expect(response?.text.contains("expected") == true && response?.text.contains("password@") == false)
        #expect(scene.director.members.count == 2)
    }

    @Test func `hostile text stays inside its string`() throws {
        let scene = try AdminScene()
        let response = scene.ask(.post, "/backends", #"{"backend": "\"}</script>\u0000\n\u2028"}"#)
        #expect(try problem(response) == "422 invalid_value")
        #expect(response?.text.dropLast().contains("\n") == false)
    }

    // MARK: Changes, as they are told

    @Test func `the journal tells what the director does, and of very much only how much`() throws {
        let scene = try AdminScene()
        _ = scene.ask(.patch, "/backends/a:80", #"{"weight": 9, "state": "drain"}"#)
        try eventually("the changes") { scene.journal.contains { $0.text == "drain" } }
        #expect(scene.journal.map(\.backend) == ["a:80", "a:80"])
        #expect(scene.journal.map(\.text) == ["weight 9", "drain"])
        #expect(scene.journal.allSatisfy { $0.kind == .pool })
        let many = (0..<1000).map { "http://c\($0)" }.joined(separator: " ")
        try scene.director.configure(BackendEntry.parse(entries: listEntries(many)))
        try eventually("the summary") {
            scene.journal.last?.text == "1002 changes: 1000 backends added, 2 removed; 1000 in all"
        }
    }

    @Test func `fifty changes are kept`() {
        let journal = ChangeJournal()
        for number in 0..<120 { journal.note(.settings, "\(number)") }
        var place: UInt64 = 0
        #expect(journal.records(after: &place).map(\.text) == (70..<120).map { "\($0)" })
        #expect(journal.records(after: &place).isEmpty)
        journal.note(.health, backend: "a", "x")
        #expect(journal.records(after: &place).map(\.backend) == ["a"])
    }
}

extension AdminScene {
    /// All changes that were noted and are kept.
    fileprivate var journal: [ChangeRecord] {
        var place: UInt64 = 0
        return sources.journal.records(after: &place)
    }
}
