// A program that a test starts: its output in lines, its end, and what the kernel tells about it.

import Foundation
import Glibc
import Synchronization

/// How a process ended.
enum ExitStatus: Equatable, Sendable {
    case code(CInt)
    case signal(CInt)

    init(waitStatus: CInt) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .code(waitStatus >> 8 & 0xFF) : .signal(signal)
    }
}

/// Lines that arrive at one end of a socket, gathered by a thread of its own.
///
/// Any thread.
final class LineCapture: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isEnded = false
        var isPaused = false
    }

    private let state = Mutex(State())

    /// Takes over the descriptor.
    init(_ descriptor: CInt) {
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                while self.state.withLock({ $0.isPaused }) { usleep(5000) }
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                self.state.withLock { state in
                    if count > 0 { state.bytes += buffer[..<count] } else { state.isEnded = true }
                }
                if count <= 0 { break }
            }
            close(descriptor)
        }
    }

    /// Everything so far.
    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// The whole lines so far.
    var lines: [String] {
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return parts.dropLast()
    }

    /// Reads once more at most, and then nothing until ``resume()``: whoever writes has to wait in the end.
    func pause() { state.withLock { $0.isPaused = true } }

    func resume() { state.withLock { $0.isPaused = false } }

    /// Whether the process has closed its end.
    var isEnded: Bool { state.withLock { $0.isEnded } }
}

/// A process of our own.
///
/// Any thread.
final class ChildProcess: Sendable {
    /// Where standard output goes.
    enum Output {
        case captured
        /// To a pipe that nobody reads any more.
        case nobody
    }

    let pid: pid_t
    let standardOutput: LineCapture?
    let standardError: LineCapture
    private let name: String
    private let status = Mutex<ExitStatus?>(nil)

    /// Starts a program; it gets our environment without any `LB_` variable, and then the given one.
    ///
    /// - Parameter sockets: Descriptors that it gets from 3 on, as systemd passes them, and variables that say so.
    init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        passing sockets: [CInt] = [],
        output: Output = .captured
    ) throws {
        name = executable.split(separator: "/").last.map(String.init) ?? executable
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.lowercased().hasPrefix("lb_") }
        variables.merge(environment) { $1 }
        var words = [executable] + arguments
        if !sockets.isEmpty {
            // Only the process itself knows its number.
            words = ["/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=\(sockets.count) exec \"$0\" \"$@\""] + words
        }

        let (outputHere, outputThere) = try Self.socketPair()
        let (errorHere, errorThere) = try Self.socketPair()
        defer {
            close(outputThere)
            close(errorThere)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outputThere, 1)
        posix_spawn_file_actions_adddup2(&actions, errorThere, 2)
        // Out of the way first: a number that is to be taken may be another socket's.
        let spares = sockets.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
        defer { for spare in spares { close(spare) } }
        for (index, spare) in spares.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, spare, 3 + CInt(index))
        }

        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        // The thread of a test blocks signals; the process begins as if a shell had started it.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &argv, &envp)
        self.pid = pid
        standardError = LineCapture(errorHere)
        switch output {
        case .captured:
            standardOutput = LineCapture(outputHere)
        case .nobody:
            standardOutput = nil
            close(outputHere)
        }
        guard code == 0 else { throw Disappointment("cannot start \(executable): errno \(code)") }
    }

    private static func socketPair() throws -> (CInt, CInt) {
        var pair: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw Disappointment("no socket pair: errno \(errno)") }
        return (pair[0], pair[1])
    }

    // MARK: Its end

    func send(_ signal: CInt) {
        // Under the lock: a process that was waited for has given its number away.
        status.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
    }

    /// Stops the process where it is, until it gets SIGCONT; returns when all its threads stand still.
    func pause() throws {
        send(SIGSTOP)
        try eventually("\(name) to stop") {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
            return tasks.allSatisfy { task in
                let status = ProcFile("/proc/\(pid)/task/\(task)/status").text
                return status.isEmpty || status.contains("State:\tT")
            }
        }
    }

    /// How the process ended; nil while it runs.
    var exitStatus: ExitStatus? {
        status.withLock { status in
            if let status { return status }
            var code: CInt = 0
            if waitpid(pid, &code, WNOHANG) == pid { status = ExitStatus(waitStatus: code) }
            return status
        }
    }

    /// Waits for the end, and for the last of its output.
    func waitForExit() throws -> ExitStatus {
        try eventually("the end of \(name); it said: \(standardError.text)") { exitStatus != nil }
        try eventually("the last words of \(name)") { standardError.isEnded && standardOutput?.isEnded ?? true }
        guard let exitStatus else { preconditionFailure("the process has ended") }
        return exitStatus
    }

    /// Ends it in any case.
    func kill() {
        send(SIGKILL)
        _ = try? waitForExit()
    }

    // MARK: What the kernel tells

    /// The numbers of the open descriptors; empty when the process has ended.
    var descriptorNumbers: [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []).compactMap { Int($0) }
    }

    /// What the open descriptors lead to; empty when the process has ended.
    var descriptors: [String] {
        let folder = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    }

    /// How many TCP connections the process holds, in any state; listening sockets do not count.
    var connectionCount: Int {
        let sockets = descriptors.filter { $0.hasPrefix("socket:[") }.map { $0.dropFirst(8).dropLast() }
        let table = ProcFile("/proc/net/tcp")
        return sockets.count { socket in
            guard let place = table.firstIndex(of: " \(socket) ") else { return false }
            let columns = table.line(around: place).split(separator: " ", omittingEmptySubsequences: true)
            return columns.count > 9 && columns[3] != "0A" && columns[9] == socket
        }
    }

    /// Resident memory in bytes.
    var residentMemory: Int { memory("VmRSS") }

    /// The most resident memory there ever was, in bytes.
    var peakMemory: Int { memory("VmHWM") }

    private func memory(_ key: String) -> Int { (Int(statusValue(key)) ?? 0) * 1024 }

    /// The first word of a line of proc(5)'s status file.
    private func statusValue(_ key: String) -> String {
        let status = ProcFile("/proc/\(pid)/status").text
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(key):") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.map(String.init) ?? ""
    }
}

/// The programs that are built beside the tests.
enum Program {
    static let curlLB = beside("curl-lb")
    static let origin = beside("origin")

    private static func beside(_ name: String) -> String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// The first of these commands that is installed.
    static func installed(_ names: String...) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders: [Substring] = path.split(separator: ":") + ["/usr/sbin", "/sbin"]
        for name in names {
            for folder in folders where access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        return nil
    }
}
