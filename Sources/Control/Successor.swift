// Starting the program anew beside this process, to take over from it.

internal import CLinux
internal import Foundation
internal import Glibc
public import Logging
internal import Synchronization

/// The program as this process was started, for another start; one at a time.
///
/// Any thread.
public final class Successor: Sendable {
    /// Names the descriptor of the connection to the process that has started this one.
    private static let variable = "CURL_LB_TAKEOVER_FD"
    /// The first one behind standard error.
    private static let descriptor: CInt = 3

    private let executable: String
    private let arguments: [String]
    private let environment: [String: String]
    private let diagnostics: Logger
    /// The process that is to take over.
    private let running = Mutex<pid_t?>(nil)

    /// To be made at the start: another file may lie at the program's path later, which is then what is started.
    ///
    /// - Parameter environment: The variables as they were at the start.
    public init(_ environment: [String: String], diagnostics: Logger) {
        let own = CommandLine.arguments
        let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? own[0]
        // By the path that was given, which may be a link to the current one of several versions.
        let isPath = own[0].contains("/")
        executable = isPath ? URL(filePath: own[0]).path : link
        arguments = [own[0], "--takeover"] + own.dropFirst().filter { $0 != "--takeover" }
        var environment = environment
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"] { environment[name] = nil }
        environment[Self.variable] = String(Self.descriptor)
        self.environment = environment
        self.diagnostics = diagnostics
    }

    /// The connection to the process that has started this one to take over from it; nil when none has.
    ///
    /// The variable is taken out of the environment: it is not for the programs that this one starts.
    static func connection(_ environment: [String: String]) -> LocalConnection? {
        unsetenv(variable)
        guard let descriptor = environment[variable].flatMap({ wholeNumber($0) }).flatMap({ CInt(exactly: $0) }),
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { return nil }
        return LocalConnection(descriptor)
    }

    /// Starts it, and says how it has ended when it has, unless it has taken over.
    ///
    /// - Parameters:
    ///   - giver: Passes the sockets on to it.
    ///   - hasLeft: Whether this process serves no more.
    public func start(for giver: TakeoverGiver, hasLeft: @escaping @Sendable () -> Bool) {
        guard !hasLeft() else {
            diagnostics.warning("draining already: no other process is started")
            return
        }
        if let pid = running.withLock({ $0 }) {
            diagnostics.warning("process \(pid) is getting ready to take over; no other one is started meanwhile")
            return
        }
        var pair: [CInt] = [-1, -1]
        let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            diagnostics.error("no process can be started to take over: \(String(cString: strerror(errno))); serving on")
            return
        }
        let connection = LocalConnection(pair[0])
        let spawned = running.withLock { running in
            let spawned = spawn(with: pair[1])
            if case .success(let pid) = spawned { running = pid }
            return spawned
        }
        close(pair[1])
        switch spawned {
        case .failure(let failure):
            diagnostics.error("\(executable) cannot be started: \(failure.text); serving on")
        case .success(let pid):
            diagnostics.notice("process \(pid) is started to take over")
            giver.invite(TakeoverGiver.Invitation(connection: connection) { [self] in end(pid) })
            Thread.detachNewThread { [self] in wait(for: pid, hasLeft) }
        }
    }

    private func spawn(with descriptor: CInt) -> Result<pid_t, LocalFailure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptor, Self.descriptor)
        _ = lb_close_from(&actions, Self.descriptor + 1)
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
        return code == 0 ? .success(pid) : .failure(LocalFailure(code))
    }

    /// Ends a process that is waited for no longer; one that hangs hears nothing less.
    private func end(_ pid: pid_t) { running.withLock { if $0 == pid { kill(pid, SIGKILL) } } }

    private func wait(for pid: pid_t, _ hasLeft: () -> Bool) {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        // Its number is its own until here.
        let status = running.withLock { running in
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            running = nil
            return status
        }
        guard !hasLeft() else { return }
        let signal = status & 0x7F
        let how = signal != 0 ? "signal \(signal)" : "exit code \(status >> 8 & 0xFF)"
        diagnostics.error("process \(pid), which was to take over, has ended by \(how)")
    }
}
