// Probes against a listener that plays a script.

import EventLoop
import Foundation
import Testing
import Upstream

/// Accepts connections on the loopback address, and answers what it receives on each with the same bytes.
///
/// Any thread.
private final class Listener: Sendable {
    let origin: Origin
    private let descriptor: CInt

    /// - Parameters:
    ///   - answer: nil never answers.
    ///   - closes: Whether a connection is closed behind its answer.
    init(_ answer: String?, closes: Bool = true) throws {
        // Programs that tests of other targets start meanwhile do not inherit it.
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        self.descriptor = descriptor
        origin = Origin(scheme: .http, host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port))
        try #require(isListening)
        Thread.detachNewThread { Self.serve(descriptor, answer, closes: closes) }
    }

    func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    private static func serve(_ listener: CInt, _ answer: String?, closes: Bool) {
        var waiting: [CInt] = []
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            guard let answer else {
                waiting.append(connection)
                continue
            }
            var request = [UInt8](repeating: 0, count: 4096)
            let count = read(connection, &request, request.count)
            let text = answer.replacing("REQUEST", with: String(decoding: request.prefix(max(0, count)), as: UTF8.self))
            let bytes = Array(text.utf8)
            _ = send(connection, bytes, bytes.count, CInt(MSG_NOSIGNAL))
            if closes { close(connection) } else { waiting.append(connection) }
        }
        for connection in waiting { close(connection) }
        close(listener)
    }
}

@Suite("Probes", .timeLimit(.minutes(5)))
struct ProbeTests {
    private func probe(
        _ origin: Origin,
        path: String?,
        milliseconds: Int = 60_000,
        bodyLimit: Int = 65536
    ) throws -> ProbeResult {
        try #require(CurlLibrary.prepare() == nil)
        let loop = EventLoop()
        let multi = CurlMulti(loop: loop)
        var result: ProbeResult?
        let request = ProbeRequest(path: path, timeoutMilliseconds: milliseconds, bodyLimit: bodyLimit)
        let probe = Probe(of: origin, request, on: multi, loop: loop) { result = $0 }
        while result == nil { loop.turn() }
        loop.tearDown()
        return try withExtendedLifetime(probe) { try #require(result) }
    }

    private func answer(
        _ script: String,
        path: String = "/up?full=1",
        bodyLimit: Int = 65536,
        closes: Bool = true
    ) throws -> ProbeResult {
        let listener = try Listener(script, closes: closes)
        defer { listener.stop() }
        return try probe(listener.origin, path: path, bodyLimit: bodyLimit)
    }

    @Test func `a probe without a path connects and goes`() throws {
        let listener = try Listener(nil)
        defer { listener.stop() }
        guard case .connected = try probe(listener.origin, path: nil) else {
            Issue.record("not connected")
            return
        }
    }

    @Test(arguments: [nil, "/"] as [String?])
    func `a refused connection says so`(path: String?) throws {
        let listener = try Listener(nil)
        listener.stop()
        guard case .failed(let text) = try probe(listener.origin, path: path) else {
            Issue.record("not refused")
            return
        }
        #expect(text.contains("Failed to connect") || text.contains("refused") || text.contains("Couldn't connect"))
    }

    @Test func `one that answers nothing fails after its time`() throws {
        let listener = try Listener(nil)
        defer { listener.stop() }
        guard case .failed(let text) = try probe(listener.origin, path: "/", milliseconds: 50) else {
            Issue.record("answered")
            return
        }
        #expect(text.contains("timed out"))
    }

    @Test func `the answer to a path has status, fields and body`() throws {
        let result = try answer(
            "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 203 Fine\r\nX-LB-State:  drain \r\nX-Empty:\r\n\r\nREQUEST"
        )
        guard case .answered(let answer) = result else {
            Issue.record("not answered: \(result)")
            return
        }
        #expect(answer.status == 203)
        #expect(answer.fields.map(\.name) == ["x-lb-state", "x-empty"])
        #expect(answer.value("x-lb-state") == "drain" && answer.value("x-empty")?.isEmpty == true)
        let request = String(decoding: answer.body, as: UTF8.self)
        #expect(request.hasPrefix("GET /up?full=1 HTTP/1.1\r\nHost: 127.0.0.1:"))
        #expect(request.contains("\r\nUser-Agent: curl-lb-health\r\n"))
        #expect(request.contains("\r\nConnection: close\r\n"))
    }

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Type: te", "", "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        ]
    )
    func `what is no whole response is a failure`(script: String) throws {
        guard case .failed(let text) = try answer(script) else {
            Issue.record("answered")
            return
        }
        #expect(!text.isEmpty)
    }

    @Test func `of a long body only the beginning is waited for`() throws {
        let body = String(repeating: "a", count: 200_000)
        guard case .answered(let answer) = try answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n\(body)")
        else {
            Issue.record("not answered")
            return
        }
        #expect(answer.status == 200 && answer.body.count == 65536)
    }

    @Test(
        arguments: [
            "Content-Type: text/event-stream\r\n\r\ndata: 1\n\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "Content-Length: 10\r\n\r\n", "Content-Length: 0\r\n\r\n",
        ]
    )
    func `where no body is wanted the end of the final head is the end`(rest: String) throws {
        let result = try answer(
            "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 203 Fine\r\nX-LB-State: drain\r\n\(rest)",
            bodyLimit: 0,
            closes: false
        )
        guard case .answered(let answer) = result else {
            Issue.record("not answered: \(result)")
            return
        }
        #expect(answer.status == 203 && answer.value("x-lb-state") == "drain" && answer.value("x-early") == nil)
        #expect(answer.body.isEmpty)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Type: te", "HTTP/1.1 103 Early Hints\r\n\r\n", ""])
    func `without a whole final head there is no answer`(script: String) throws {
        guard case .failed(let text) = try answer(script, bodyLimit: 0) else {
            Issue.record("answered")
            return
        }
        #expect(!text.isEmpty)
    }

    @Test func `a probe that is cancelled says nothing`() throws {
        try #require(CurlLibrary.prepare() == nil)
        let listener = try Listener(nil)
        defer { listener.stop() }
        let loop = EventLoop()
        let multi = CurlMulti(loop: loop)
        let probe = Probe(
            of: listener.origin,
            ProbeRequest(path: "/", timeoutMilliseconds: 60_000),
            on: multi,
            loop: loop
        ) { _ in Issue.record("a cancelled probe has a result") }
        loop.turn()
        probe.cancel()
        loop.tearDown()
    }
}
