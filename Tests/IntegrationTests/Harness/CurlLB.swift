// The program under test, running.

import Foundation

/// The program in front of its backends.
///
/// Any thread.
final class CurlLB: Sendable {
    let process: ChildProcess
    /// Where it listens.
    let address: SocketAddress

    /// Starts it in front of backends and waits until it listens.
    ///
    /// With one worker, a port of the kernel's choice, no admin API, and neither health checks nor ejections, since scripts count
    /// connections and fail on purpose; unless the environment says otherwise.
    ///
    /// - Parameters:
    ///   - wrapper: A command that becomes the program, which it is given the path of as its last argument.
    ///   - openFiles: How many files it may open; nil for as many as we may.
    init(
        _ backends: [String],
        _ environment: [String: String] = [:],
        arguments: [String] = [],
        passing sockets: [CInt] = [],
        output: ChildProcess.Output = .captured,
        behind wrapper: [String] = [],
        openFiles: Int? = nil
    ) throws {
        var variables = [
            "LB_LISTEN": "127.0.0.1:0", "LB_NAME": "curl-lb", "LB_WORKERS": "1", "LB_HEALTH": "off", "LB_EJECT": "off",
            "LB_ADMIN": "off",
            "LB_BACKENDS": backends.joined(separator: ","),
        ]
        variables.merge(environment) { $1 }
        // util-linux, on every Debian.
        let limit = openFiles.map { ["/usr/bin/prlimit", "--nofile=\($0):\($0)"] } ?? []
        let command = wrapper + limit + [Program.curlLB]
        let process = try ChildProcess(
            command[0],
            command.dropFirst() + arguments,
            environment: variables,
            passing: sockets,
            output: output
        )
        self.process = process
        let words = "listening on "
        do {
            try eventually("the start of curl-lb; it said: \(process.standardError.text)") {
                let isReady = process.standardError.lines.contains { $0.contains(words) }
                if !isReady, let status = process.exitStatus {
                    throw Disappointment("curl-lb ended with \(status): \(process.standardError.text)")
                }
                return isReady
            }
        } catch {
            process.kill()
            throw error
        }
        let line = process.standardError.lines.first { $0.contains(words) } ?? ""
        let start = line.range(of: words)?.upperBound ?? line.endIndex
        let place = line[start...].prefix { $0 != ";" && $0 != "," }
        if place.hasPrefix("unix:") {
            address = .unix(path: String(place.dropFirst(5)))
        } else {
            address = .loopback(port: UInt16(place.split(separator: ":").last ?? "") ?? 0)
        }
    }

    /// The port it listens on; 0 when that is no port.
    var port: UInt16 {
        if case .loopback(let port) = address { port } else { 0 }
    }

    /// A new connection.
    func connect(receiveBuffer: CInt? = nil) throws -> Connection {
        try .to(address, receiveBuffer: receiveBuffer)
    }

    /// The response to one request on a connection of its own.
    func response(to request: String) throws -> Message {
        let connection = try connect()
        defer { connection.close() }
        try connection.send(request)
        return try connection.receiveResponse(to: String(request.prefix { $0 != " " }))
    }

    /// The response to a GET on a connection of its own.
    func get(_ target: String = "/") throws -> Message {
        try response(to: "GET \(target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    }

    /// Access log lines so far.
    var log: [String] { process.standardOutput?.lines ?? [] }

    /// The access log line that stands at this place, once it is there.
    func logLine(_ index: Int = 0) throws -> String {
        try eventually("access log line \(index) of \(log)") { log.count > index }
        return log[index]
    }
}
