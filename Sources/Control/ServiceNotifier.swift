// What systemd is told of the service (sd_notify(3)): that it is ready, reads its settings, ends, and lives.

internal import CLinux
internal import Glibc
internal import Synchronization

/// Sends datagrams to the socket that `NOTIFY_SOCKET` names; without one, nothing is sent.
///
/// Any thread.
public final class ServiceNotifier: Sendable {
    private let name: LocalName?
    /// Whether another process is the service now.
    private let isSilent = Atomic<Bool>(false)
    /// How long the service manager waits for a sign of life, in microseconds; nil when it does not.
    public let watchdog: UInt64?

    private static let socketVariable = "NOTIFY_SOCKET"
    private static let watchdogVariables = ["WATCHDOG_USEC", "WATCHDOG_PID"]

    /// What the environment says.
    public init(_ environment: [String: String]) {
        name = environment[Self.socketVariable].flatMap { LocalName($0) }
        let owner = environment["WATCHDOG_PID"].map { wholeNumber($0) == Int(getpid()) } ?? true
        let time = environment["WATCHDOG_USEC"].flatMap { wholeNumber($0) }
        watchdog = owner && name != nil ? time.flatMap { $0 > 0 ? UInt64($0) : nil } : nil
    }

    /// Takes the variables out of the environment: they are not for the programs that this one starts.
    public func clearEnvironment() {
        for variable in [Self.socketVariable] + Self.watchdogVariables { unsetenv(variable) }
    }

    /// The service is ready, and this process is the one to be watched from now on.
    public func ready(status: String) { send(["READY=1", "MAINPID=\(getpid())", "STATUS=\(status)"]) }

    /// Another process is the one to be watched: it is not taken over from after all.
    public func mainProcess(is pid: Int) { send(["MAINPID=\(pid)"]) }

    /// Says nothing from now on: what this process does is not what the service does any more.
    public func fallSilent() { isSilent.store(true, ordering: .relaxed) }

    /// The settings are being read again.
    public func reloading() { send(["RELOADING=1", "MONOTONIC_USEC=\(lb_monotonic_nanoseconds() / 1000)"]) }

    /// They are read.
    public func reloaded() { send(["READY=1"]) }

    /// The service ends.
    public func stopping(status: String) { send(["STOPPING=1", "STATUS=\(status)"]) }

    /// The service lives.
    public func isAlive() { send(["WATCHDOG=1"]) }

    private func send(_ lines: [String]) {
        guard let name, !isSilent.load(ordering: .relaxed) else { return }
        let descriptor = lb_datagram_socket()
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        // Nobody waits for the answer of a service manager that is gone.
        _ = name.withAddress { sendto(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, $1) }
    }
}
