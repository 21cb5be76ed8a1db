// Starting the program anew beside this process, to take over from it.

internal import CLinux
internal import Foundation
internal import Glibc
public import Logging

/// The program as this process was started, for another start.
public struct Successor: Sendable {
    private let executable: String
    private let arguments: [String]
    private let environment: [String: String]

    /// To be made at the start: another file may lie at the program's path later, which is then what is started.
    ///
    /// - Parameter environment: The variables as they were at the start.
    public init(_ environment: [String: String]) {
        let own = CommandLine.arguments
        let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? own[0]
        // By the path that was given, which may be a link to the current one of several versions.
        let isPath = own[0].contains("/")
        executable = isPath ? URL(filePath: own[0]).path : link
        arguments = [own[0], "--takeover"] + own.dropFirst().filter { $0 != "--takeover" }
        var environment = environment
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"] { environment[name] = nil }
        self.environment = environment
    }

    /// Starts it, and says how it has ended when it has.
    public func start(diagnostics: Logger) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        _ = lb_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // It begins as if a shell had started it.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            diagnostics.error("\(executable) cannot be started: \(String(cString: strerror(code))); serving on")
            return
        }
        diagnostics.notice("process \(pid) is started to take over")
        Thread.detachNewThread { [pid] in
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            let how = signal != 0 ? "signal \(signal)" : "exit code \(status >> 8 & 0xFF)"
            diagnostics.error("process \(pid), which was to take over, has ended by \(how)")
        }
    }
}
