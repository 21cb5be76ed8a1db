// Tests of the program as a service of systemd, whose part a test plays: sockets that are passed on, and what it is told.

import CLinux
import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct ServiceTests {
    /// The socket that services send their words to.
    private final class Manager: Sendable {
        let path: String
        private let descriptor: CInt
        private let words = Mutex<[String]>([])

        init(in folder: String) throws {
            path = "\(folder)/notify"
            descriptor = lb_datagram_socket()
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else { throw Disappointment("cannot bind \(path): errno \(errno)") }
        }

        deinit { close(descriptor) }

        /// All messages so far.
        var messages: [String] {
            var bytes = [UInt8](repeating: 0, count: 4096)
            return words.withLock { words in
                while true {
                    let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
                    guard count > 0 else { return words }
                    words.append(String(decoding: bytes[..<count], as: UTF8.self))
                }
            }
        }

        func wait(for words: String, times: Int = 1) throws {
            try eventually("\(words) among \(messages)") { messages.count { $0.contains(words) } >= times }
        }
    }

    @Test func `the manager hears of readiness, of each reading of the settings, of life and of the end`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let folder = try scene.folder()
            let manager = try Manager(in: folder)
            try "LB_BACKENDS=\(origin.url)\n".write(toFile: "\(folder)/env", atomically: true, encoding: .utf8)
            let balancer = try scene.curlLB(
                [String](),
                ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000", "LB_ENV_FILE": "\(folder)/env"]
            )
            try manager.wait(for: "READY=1\nMAINPID=\(balancer.process.pid)\nSTATUS=serving on 127.0.0.1:")
            try manager.wait(for: "WATCHDOG=1", times: 5)
            try "LB_BACKENDS=\(origin.url)\nLB_RETRIES=1\n".write(
                toFile: "\(folder)/env",
                atomically: true,
                encoding: .utf8
            )
            balancer.process.send(SIGHUP)
            try eventually("the change") { balancer.process.standardError.text.contains("LB_RETRIES=1 (was 2)") }
            try manager.wait(for: "RELOADING=1\nMONOTONIC_USEC=")
            try eventually("that it is ready again") { manager.messages.contains("READY=1") }
            let client = try balancer.connect()
            balancer.process.send(SIGTERM)
            try manager.wait(for: "STOPPING=1\nSTATUS=draining")
            client.close()
            #expect(try balancer.process.waitForExit() == .code(0))
        }
    }

    @Test func `the manager hears who is the main process, also when a takeover comes to nothing`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let gate = Gate()
            let held = try scene.origin { _, connection in
                try gate.wait()
                try connection.send(Reply.ok("ok"))
            }
            let manager = try Manager(in: try scene.folder())
            let notify = ["NOTIFY_SOCKET": manager.path]
            let balancer = try scene.curlLB([origin.url], notify)
            let main = "MAINPID=\(balancer.process.pid)"
            try manager.wait(for: main)
            scene.expectLine(containing: "gone before it was ready; serving on")
            let listen = ["LB_LISTEN": "127.0.0.1:\(balancer.port)"]
            let checks = ["LB_BACKENDS": held.url, "LB_HEALTH_PATH": "/", "LB_HEALTH_TIMEOUT": "60s"]
            let hesitant = try scene.program(
                ["--takeover"],
                environment: notify.merging(listen) { $1 }.merging(checks) { $1 }
            )
            try eventually("its health check") { held.requests.count == 1 }
            hesitant.send(SIGTERM)
            try manager.wait(for: main, times: 2)
            gate.open()
            let next = try scene.curlLB([origin.url], notify.merging(listen) { $1 }, arguments: ["--takeover"])
            try manager.wait(for: "READY=1\nMAINPID=\(next.process.pid)")
            #expect(try balancer.process.waitForExit() == .code(0))
            // What the one that is left does in the end is not what the service does.
            #expect(!manager.messages.contains { $0.contains("STOPPING=1") || $0.contains("MAINPID=\(hesitant.pid)") })
        }
    }

    @Test func `a process that a signal has started to take over is the manager's child, as the former one was`() throws
    {
        try Scene.play { scene in
            let manager = try Manager(in: try scene.folder())
            let balancer = try scene.curlLB([try scene.origin()], ["NOTIFY_SOCKET": manager.path])
            let main = balancer.process.pid
            try manager.wait(for: "MAINPID=\(main)")
            balancer.process.send(SIGUSR2)
            try manager.wait(for: "READY=1\nMAINPID=", times: 2)
            let words = try #require(
                manager.messages.last { $0.contains("MAINPID=") && !$0.contains("MAINPID=\(main)\n") }
            )
            let pid = try #require(words.firstMatch(of: /MAINPID=(\d+)/).flatMap { pid_t($0.1) })
            scene.atEnd { kill(pid, SIGKILL) }
            #expect(ProcFile("/proc/\(pid)/status").text.contains("\nPPid:\t\(getpid())\n"))
            try eventually("the end of the former process") { balancer.process.exitStatus == .code(0) }
            #expect(kill(pid, SIGTERM) == 0)
            var status: CInt = -1
            try eventually("the end of the successor") { waitpid(pid, &status, WNOHANG) == pid }
            #expect(status == 0)
        }
    }

    @Test func `programs that are started do not get the variables that are for this one`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let folder = try scene.folder()
            let manager = try Manager(in: folder)
            try "#!/bin/sh\nenv > '\(folder)/seen'\necho \(origin.url)\n".write(
                toFile: "\(folder)/run",
                atomically: true,
                encoding: .utf8
            )
            #expect(chmod("\(folder)/run", 0o755) == 0)
            _ = try scene.curlLB(["exec:\(folder)/run"], ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"])
            let seen = try String(contentsOfFile: "\(folder)/seen", encoding: .utf8)
            #expect(seen.contains("LB_NAME=") && !seen.contains("NOTIFY_SOCKET") && !seen.contains("WATCHDOG_USEC"))
        }
    }

    /// Sockets that listen, as systemd makes them.
    private func listeners(_ addresses: SocketAddress..., in scene: Scene) throws -> [CInt] {
        try addresses.map { address in
            let descriptor = try address.bind()
            guard listen(descriptor, 128) == 0 else { throw Disappointment("cannot listen: errno \(errno)") }
            scene.atEnd { close(descriptor) }
            return descriptor
        }
    }

    @Test func `sockets that are passed on are listened on, and stay the manager's`() throws {
        try Scene.play { scene in
            let origin = try scene.origin()
            let path = "\(try scene.folder())/front.sock"
            let sockets = try listeners(.loopback(port: 0), .unix(path: path), in: scene)
            let port = SocketAddress.port(of: sockets[0])
            // Clients that come before the program has started wait.
            let early = try Connection.to(.loopback(port: port))
            try early.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            let balancer = try scene.curlLB([origin.url], ["LB_LISTEN": "127.0.0.1:\(port)"], passing: sockets)
            #expect(balancer.process.standardError.text.contains("listening on 127.0.0.1:\(port), unix:\(path);"))
            #expect(try early.receiveResponse().status == 200)
            early.close()
            let local = try Connection.to(.unix(path: path))
            try local.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            #expect(try local.receiveResponse().status == 200)
            local.close()

            balancer.process.send(SIGTERM)
            #expect(try balancer.process.waitForExit() == .code(0))
            #expect(FileManager.default.fileExists(atPath: path))
            // It comes while nobody runs, and is served by who is started next.
            let late = try Connection.to(.loopback(port: port))
            try late.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            _ = try scene.curlLB([origin.url], ["LB_LISTEN": "127.0.0.1:\(port)"], passing: sockets)
            #expect(try late.receiveResponse().status == 200)
            late.close()
        }
    }

    @Test func `a descriptor that does not listen ends the start with a line`() throws {
        try Scene.play { scene in
            let descriptor = try SocketAddress.loopback(port: 0).bind()
            scene.atEnd { close(descriptor) }
            let process = try ChildProcess(
                Program.curlLB,
                ["http://127.0.0.1:1"],
                environment: ["LB_LISTEN": "127.0.0.1:0", "LB_ADMIN": "off"],
                passing: [descriptor]
            )
            defer { process.kill() }
            #expect(try process.waitForExit() == .code(1))
            #expect(
                process.standardError.text
                    == "curl-lb: descriptor 3, which was passed on to listen: it is no stream socket that listens\n"
            )
        }
    }
}
