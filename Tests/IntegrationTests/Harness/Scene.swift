// The frame of an integration test: what is started in it is ended with it, and the end is looked at.

import Foundation
import Testing

/// Starts programs and origins for one test.
///
/// Confined to the test.
final class Scene {
    private var origins: [ScriptedOrigin] = []
    private var balancers: [CurlLB] = []
    private var others: [ChildProcess] = []
    private var cleanUps: [() -> Void] = []
    /// Lines on standard error that the test brings about on purpose: a part of each.
    private var expectedLines: [String] = []
    /// What each balancer's environment has beside what the test says.
    var environment: [String: String] = [:]

    private init() {}

    /// Plays a test.
    ///
    /// Afterwards every balancer that still runs has closed all connections, and ends well when asked to.
    static func play(_ test: (Scene) throws -> Void) throws {
        let scene = Scene()
        defer { scene.clear() }
        try test(scene)
        try scene.end()
    }

    // MARK: Starting

    /// An origin with a script for each connection.
    func origin(path: String? = nil, _ script: @escaping ScriptedOrigin.Script) throws -> ScriptedOrigin {
        try added(ScriptedOrigin(path: path, script))
    }

    /// An origin with a script for each request.
    func origin(
        path: String? = nil,
        replying reply: @escaping @Sendable (_ request: Message, _ connection: Connection) throws -> Void
    ) throws -> ScriptedOrigin {
        try added(ScriptedOrigin(path: path, replying: reply))
    }

    /// An origin that answers each request with the same bytes.
    func origin(answering response: String = Reply.ok("ok")) throws -> ScriptedOrigin {
        let response = response.bytes
        return try origin { _, connection in try connection.send(response) }
    }

    private func added(_ origin: ScriptedOrigin) -> ScriptedOrigin {
        origins.append(origin)
        return origin
    }

    /// A balancer in front of origins.
    func curlLB(_ origins: [ScriptedOrigin], _ environment: [String: String] = [:]) throws -> CurlLB {
        try curlLB(origins.map(\.url), environment)
    }

    /// A balancer in front of backends.
    func curlLB(
        _ backends: [String],
        _ environment: [String: String] = [:],
        arguments: [String] = [],
        passing sockets: [CInt] = [],
        output: ChildProcess.Output = .captured,
        behind wrapper: [String] = [],
        openFiles: Int? = nil
    ) throws -> CurlLB {
        let balancer = try CurlLB(
            backends,
            self.environment.merging(environment) { $1 },
            arguments: arguments,
            passing: sockets,
            output: output,
            behind: wrapper,
            openFiles: openFiles
        )
        balancers.append(balancer)
        return balancer
    }

    /// The program by itself, for those who look at how it starts or that it does not.
    ///
    /// Without an admin API unless the environment says otherwise: its usual port is one for all who run at the same time.
    func program(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
        try process(Program.curlLB, arguments, environment: ["LB_ADMIN": "off"].merging(environment) { $1 })
    }

    /// Any other program.
    func process(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let process = try ChildProcess(executable, arguments, environment: environment)
        others.append(process)
        return process
    }

    /// A port that refuses connections for as long as the test runs.
    func refusingPort() throws -> UInt16 {
        let descriptor = try SocketAddress.loopback(port: 0).bind()
        cleanUps.append { close(descriptor) }
        return SocketAddress.port(of: descriptor)
    }

    /// A URL that refuses connections for as long as the test runs.
    func refusingURL() throws -> String { "http://127.0.0.1:\(try refusingPort())" }

    /// An empty folder.
    func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("curl-lb-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        cleanUps.append { try? FileManager.default.removeItem(atPath: path) }
        return path
    }

    /// Has something done at the end.
    func atEnd(_ action: @escaping () -> Void) { cleanUps.append(action) }

    /// Says that a warning or an error on a balancer's standard error is part of the test.
    func expectLine(containing part: String) { expectedLines.append(part) }

    // MARK: Ending

    private func end() throws {
        for origin in origins { origin.stop() }
        for process in others { process.send(SIGTERM) }
        for process in others { _ = try process.waitForExit() }
        for balancer in balancers {
            if balancer.process.exitStatus == nil {
                try eventually("all connections of curl-lb to be closed") { balancer.process.connectionCount == 0 }
                balancer.process.send(SIGTERM)
                let status = try balancer.process.waitForExit()
                #expect(status == .code(0), "curl-lb said: \(balancer.process.standardError.text)")
            }
            let surprises = balancer.process.standardError.lines.filter { line in
                let words = [" warning ", " error ", " critical ", "Fatal error"]
                return words.contains { line.contains($0) } && !expectedLines.contains { line.contains($0) }
            }
            #expect(surprises.isEmpty)
        }
    }

    private func clear() {
        for origin in origins { origin.stop() }
        for process in others { process.kill() }
        for balancer in balancers { balancer.process.kill() }
        for action in cleanUps.reversed() { action() }
    }
}

/// Responses that many scripts send.
enum Reply {
    static func ok(_ body: String, fields: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(body.unicodeScalars.count)\r\n\r\n\(body)"
    }
}
