// Tests of the file of settings as a whole: what stands over what, what its mistakes look like, and what has changed.

import Foundation
import Front
import Logging
import Synchronization
import Testing

@testable import Control

/// A file that is there as long as a test uses it.
final class TemporaryFile {
    let path = FileManager.default.temporaryDirectory.appending(path: "curl-lb-\(UUID().uuidString).env").path

    init(_ text: String) throws { try write(text) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }
}

@Suite struct SettingsReadingTests {
    private func problems(_ text: String, _ environment: [String: String] = [:]) throws -> [String] {
        let file = try TemporaryFile(text)
        var environment = environment
        environment["LB_ENV_FILE"] = file.path
        let error = #expect(throws: SettingsError.self) { try Settings.load(environment: environment) }
        return (error?.problems ?? []).map { $0.replacing(file.path, with: "FILE") }
    }

    @Test func `the file stands over the environment, and tells where each value came from`() throws {
        let file = try TemporaryFile("# ours\nLB_RETRIES=7\nLB_BACKENDS='http://b\nhttp://c'\n")
        let (settings, provenance) = try Settings.load(environment: [
            "LB_ENV_FILE": file.path, "LB_RETRIES": "1", "LB_WORKERS": "3", "LB_BACKENDS": "http://a",
        ])
        #expect(settings.retries == 7 && settings.workers == 3 && settings.environmentFile == file.path)
        #expect(settings.backends.map(\.name) == ["b:80", "c:80"])
        #expect(provenance["LB_RETRIES"] == .file && provenance["LB_WORKERS"] == .environment)
        let text = SettingsDocument.effectiveValues(settings, provenance)
        #expect(text.contains("LB_RETRIES=7") && text.contains("  # LB_ENV_FILE, line 2\n"))
    }

    @Test func `backends of the command line replace those of the file, too`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://b\n")
        let (settings, _) = try Settings.load(environment: ["LB_ENV_FILE": file.path], arguments: ["http://c"])
        #expect(settings.backends.map(\.name) == ["c:80"])
    }

    @Test func `each mistake is told with file and line, in the order in which it would be met`() throws {
        let text = """
            LB_RETRIES=many
            LB_BACKENDS=http://a
            LB_RETRY=3
            PATH=/bin
            LB_ENV_FILE=/tmp/other
            what

            """
        #expect(
            try problems(text) == [
                "FILE:3: LB_RETRY is not a setting; did you mean LB_RETRIES?",
                "FILE:4: PATH is not a setting; curl-lb --help lists them all",
                "FILE:5: LB_ENV_FILE cannot stand in the file itself",
                "FILE:6: expected NAME=value, not \"what\"",
                "FILE:1: LB_RETRIES=\"many\": expected a whole number between 0 and 100",
            ]
        )
    }

    @Test func `a file without backends is refused as an environment without them is`() throws {
        let lines = try problems("LB_RETRIES=1\n")
        #expect(lines.count == 1 && lines[0].hasPrefix("no backend: "))
    }

    private func change(_ before: String, _ after: String) throws -> SettingsReading {
        let file = try TemporaryFile(before)
        let environment = ["LB_ENV_FILE": file.path]
        let running = try Settings.load(environment: environment).settings
        try file.write(after)
        return SettingsReading.read(running: running, environment: environment, arguments: [])
    }

    @Test func `what has changed is named with both values, backends by their names`() throws {
        let reading = try change(
            "LB_BACKENDS=http://a http://b http://c\nLB_RETRIES=1\nLB_STICKY_SECRET=0123456789abcdef\n",
            "LB_BACKENDS=http://a http://d http://c;weight=2\nLB_POLICY=first\nLB_STICKY_SECRET=0123456789abcdeg\n"
        )
        guard case .changed(let change) = reading else { Issue.record("\(reading)"); return }
        #expect(
            change.differences == [
                "LB_BACKENDS: added d:80, changed c:80, removed b:80", "LB_POLICY=first (was round_robin)",
                "LB_STICKY_SECRET is another one", "LB_RETRIES=2 (was 1)",
            ]
        )
        #expect(change.waiting.isEmpty)
        #expect(change.settings.retries == 2)
    }

    @Test func `what cannot change stays as it is and is named, the rest changes`() throws {
        let reading = try change(
            "LB_BACKENDS=http://a\nLB_WORKERS=1\nLB_LISTEN=127.0.0.1:1\n",
            "LB_BACKENDS=http://a\nLB_WORKERS=2\nLB_LISTEN=127.0.0.1:2\nLB_MAX_HEADER=1KiB\nLB_RETRIES=3\n"
        )
        guard case .changed(let change) = reading else { Issue.record("\(reading)"); return }
        #expect(change.differences == ["LB_RETRIES=3 (was 2)"])
        #expect(change.waiting == ["LB_LISTEN", "LB_WORKERS", "LB_MAX_HEADER"])
        #expect(change.settings.workers == 1 && change.settings.maxHeadBytes == 65536)
        #expect(change.settings.listenAddresses == [.tcp(host: "127.0.0.1", port: 1)])
        #expect(change.settings.name == InstanceName.derived(from: change.settings.listenAddresses))
    }

    @Test(arguments: ["LB_BACKENDS=http://a\n", "# other words\nLB_BACKENDS='http://a'\nLB_RETRIES=2\n"])
    func `what says the same has not changed`(after: String) throws {
        #expect(try change("LB_BACKENDS=http://a\n", after) == .unchanged)
    }

    @Test func `another order of the same backends is one`() throws {
        let reading = try change("LB_BACKENDS=http://a http://b\n", "LB_BACKENDS=http://b http://a\n")
        guard case .changed(let change) = reading else { Issue.record("\(reading)"); return }
        #expect(change.differences == ["LB_BACKENDS: another order"])
    }

    @Test func `a file that is not there for a moment is a problem, and never an empty file`() throws {
        let file = try TemporaryFile("LB_RETRIES=7\n")
        let (path, other) = (file.path, file.path + ".other")
        let isOver = Atomic<Bool>(false)
        let isDone = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while !isOver.load(ordering: .relaxed) {
                rename(path, other)
                rename(other, path)
            }
            isDone.signal()
        }
        var found = Set<Int>()
        for _ in 0..<3000 {
            let environment = ["LB_ENV_FILE": path, "LB_BACKENDS": "http://a"]
            if let loaded = try? Settings.load(environment: environment) { found.insert(loaded.settings.retries) }
        }
        isOver.store(true, ordering: .relaxed)
        isDone.wait()
        #expect(found.subtracting([7]).isEmpty)
    }

    @Test func `of a file that cannot be read nothing is said but that`() {
        let error = #expect(throws: SettingsError.self) {
            try Settings.load(environment: ["LB_ENV_FILE": "/nonexistent"], arguments: [], file: nil)
        }
        #expect(
            error?.problems == [#"LB_ENV_FILE="/nonexistent": expected none or the path of a readable file"#]
        )
    }

    // MARK: Applying

    private final class Applied: Sendable {
        let all = Mutex<[Settings]>([])
    }

    private struct Refusal: Error {}

    private func live(_ path: String, _ applied: Applied, failing: Bool = false) throws -> LiveSettings {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let environment = ["LB_ENV_FILE": path]
        return LiveSettings(
            try Settings.load(environment: environment).settings,
            environment: environment,
            arguments: [],
            diagnostics: logger
        ) { next, _ in
            if failing { throw Refusal() }
            applied.all.withLock { $0.append(next) }
        }
    }

    @Test func `a valid file is applied once, an invalid one not at all`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://a\n")
        let applied = Applied()
        let live = try live(file.path, applied)
        live.read(.request)
        try file.write("LB_BACKENDS=http://a\nLB_RETRIES=9\nLB_WORKERS=x\n")
        live.read(.request)
        #expect(applied.all.withLock { $0 }.isEmpty && live.settings.retries == 2)
        try file.write("LB_BACKENDS=http://a\nLB_RETRIES=9\n")
        live.read(.watch)
        live.read(.watch)
        #expect(applied.all.withLock { $0.map(\.retries) } == [9])
        #expect(live.settings.retries == 9)
        live.stop()
        try file.write("LB_BACKENDS=http://a\nLB_RETRIES=8\n")
        live.read(.request)
        #expect(live.settings.retries == 9)
    }

    @Test func `what was seen is what is applied, though another file lies there by now`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://a\n")
        let applied = Applied()
        let live = try live(file.path, applied)
        try file.write("LB_BACK")
        live.read(.watch, .success(Array("LB_BACKENDS=http://a\nLB_RETRIES=9\n".utf8)))
        #expect(applied.all.withLock { $0.map(\.retries) } == [9])
        live.read(.watch, .failure(ListFailure(text: "gone")))
        #expect(live.settings.retries == 9)
    }

    @Test func `a request, too, waits until the writer of the file seems to be done`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://a\n")
        let applied = Applied()
        let live = try live(file.path, applied)
        try file.write("LB_BACKENDS=http://a\nLB_RETRIES=9\n")
        let time = ContinuousClock().measure { live.read(.request) }
        #expect(time >= .milliseconds(100))
        #expect(applied.all.withLock { $0.map(\.retries) } == [9])
    }

    @Test func `what cannot be applied leaves the settings as they are`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://a\n")
        let live = try live(file.path, Applied(), failing: true)
        try file.write("LB_BACKENDS=http://a\nLB_RETRIES=9\n")
        live.read(.request)
        #expect(live.settings.retries == 2)
    }

    // MARK: The command

    private func reload(_ arguments: [String], _ environment: [String: String] = [:]) -> CommandOutcome {
        CommandOutcome.decide(arguments: ["reload"] + arguments, environment: environment, version: VersionReport())
    }

    @Test func `reload --check tells what a file is worth`() throws {
        let file = try TemporaryFile("LB_BACKENDS=http://a\nLB_WORKERS=2\n")
        let line = "\(file.path):2: another value of LB_WORKERS needs a restart or --takeover\n"
        #expect(reload(["--check", file.path]) == .print("curl-lb: the settings are valid\n\(line)"))
        try file.write("LB_RETRIES=x\n")
        #expect(
            reload(["--check", file.path, "http://a"])
                == .fail(["curl-lb: \(file.path):1: LB_RETRIES=\"x\": expected a whole number between 0 and 100"])
        )
    }
}

@Suite struct WatchedFileTests {
    @Test func `a file is told of when it is there, when it has changed, and when it is gone`() throws {
        let file = try TemporaryFile("a")
        var watched = WatchedFile(file.path)
        #expect(watched.look() == .changed(Array("a".utf8)))
        #expect(watched.look() == .unchanged)
        try file.write("b")
        #expect(watched.look() == .changed(Array("b".utf8)))
        // Another file of the same content in its place.
        try file.write("b")
        #expect(watched.look() == .unchanged)
        try FileManager.default.removeItem(atPath: file.path)
        guard case .problem = watched.look() else { Issue.record("it is gone"); return }
        try file.write("b")
        #expect(watched.look() == .changed(Array("b".utf8)))
    }

    @Test func `after a problem the file is not taken before its writer seems to be done`() throws {
        let file = try TemporaryFile("a")
        var watched = WatchedFile(file.path)
        #expect(watched.look() == .changed(Array("a".utf8)))
        try FileManager.default.removeItem(atPath: file.path)
        guard case .problem = watched.look() else { Issue.record("it is gone"); return }
        try file.write("b")
        var look = WatchedFile.Look.unchanged
        let time = ContinuousClock().measure { look = watched.look() }
        #expect(look == .changed(Array("b".utf8)) && time >= .milliseconds(100))
    }
}
