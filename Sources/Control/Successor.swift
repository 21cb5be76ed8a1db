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
    /// Whether a service manager watches over this process.
    ///
    /// It would not hear of the end of a process that is not its child, and would not wait for it when it stops the service.
    private let isSupervised: Bool
    /// The process that is to take over.
    private let running = Mutex<Process?>(nil)

    private struct Process {
        var pid: pid_t
        /// A descriptor of it, when it is not a child of this one.
        var descriptor: CInt?
    }

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
        isSupervised = environment["NOTIFY_SOCKET", default: ""].isEmpty == false
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
        if let pid = running.withLock({ $0?.pid }) {
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
            if case .success(let process) = spawned { running = process }
            return spawned
        }
        close(pair[1])
        switch spawned {
        case .failure(let failure):
            diagnostics.error("\(executable) cannot be started: \(failure.text); serving on")
        case .success(let process):
            diagnostics.notice("process \(process.pid) is started to take over")
            giver.invite(TakeoverGiver.Invitation(connection: connection) { [self] in end(process.pid) })
            Thread.detachNewThread { [self] in wait(for: process, hasLeft) }
        }
    }

    private func spawn(with descriptor: CInt) -> Result<Process, LocalFailure> {
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        if isSupervised {
            var process: CInt = -1
            let pid = lb_spawn_sibling(executable, &argv, &envp, descriptor, Self.descriptor, &process)
            if pid > 0 { return .success(Process(pid: pid, descriptor: process)) }
            // In a container it may be the first process, which has no parent.
        }
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
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp)
        return code == 0 ? .success(Process(pid: pid)) : .failure(LocalFailure(code))
    }

    /// Ends a process that is waited for no longer; one that hangs hears nothing less.
    private func end(_ pid: pid_t) {
        running.withLock { running in
            guard let running, running.pid == pid else { return }
            if let descriptor = running.descriptor {
                _ = lb_signal_process(descriptor, SIGKILL)
            } else {
                kill(pid, SIGKILL)
            }
        }
    }

    private func wait(for process: Process, _ hasLeft: () -> Bool) {
        let how = process.descriptor.map(waitForEnd) ?? waitForChild(process.pid)
        guard !hasLeft() else { return }
        diagnostics.error("process \(process.pid), which was to take over, has ended\(how)")
    }

    /// Waits for the end of a process that another one is the parent of, and hears how it was.
    private func waitForEnd(of descriptor: CInt) -> String {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, -1) < 0, errno == EINTR {}
        running.withLock { running in
            running = nil
            close(descriptor)
        }
        return ""
    }

    private func waitForChild(_ pid: pid_t) -> String {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        // Its number is its own until here.
        let status = running.withLock { running in
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            running = nil
            return status
        }
        let signal = status & 0x7F
        return signal != 0 ? " by signal \(signal)" : " by exit code \(status >> 8 & 0xFF)"
    }
}
